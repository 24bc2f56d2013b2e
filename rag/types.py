"""The values every part passes on. Knows no disk, no model and no engine.

Pages count from 1. Boxes are PDF points (1/72 inch) with the origin at the top
left of the page as displayed, rotation applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

Kind = Literal["text", "table", "figure", "page"]
Modality = Literal["text", "image"]
LegName = Literal["text", "image", "caption", "keywords"]
MediaType = Literal["pdf", "html", "picture", "markdown", "text"]
DocumentState = Literal["queued", "working", "readable", "ready", "failed"]
Why = Literal["rank", "picture_reserve", "named"]
Finish = Literal["stop", "length", "cut_off", "stopped"]
Mode = Literal["llm", "extractive"]
# Why a sentence is not carried: it cites nothing; its sources say otherwise or nothing of it;
# they share few words with it; they are pictures, whose pixels nothing here can read.
Doubt = Literal["unsourced", "missing", "weak", "figure"]

Side = Literal["before", "after", "names"]  # of a hit: next to it, or a text that names it
Group = Literal["words", "pictures"]
Fate = Literal["kept", "same", "document_cap", "picture_limit", "gave_way", "below"]

BBox = tuple[float, float, float, float]
LOCAL_WORKSPACE = "local"
WORDS: tuple[Kind, ...] = ("text", "table")
PICTURES: tuple[Kind, ...] = ("figure", "page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place on a page: 1-based page number and box in points."""

    page_number: int
    bbox: BBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The unit of indexing; becomes one point a run. Same id on re-ingest of the same file."""

    id: UUID
    document_id: UUID
    kind: Kind
    order: int  # place in the document, 0-based, over all kinds
    text: str  # what a reader sees: passage, table as Markdown, or a figure's caption and words
    search_text: str  # what is embedded and indexed: breadcrumb + body, or a figure's words
    regions: tuple[Region, ...]  # reading order; empty for page-less formats, which have an anchor
    heading: tuple[str, ...] = ()
    caption: str = ""
    number: str = ""  # the document's own label, "Figure 3"
    anchor: str | None = None
    image_sha256: str | None = None  # figures, pages, tables: key into files
    links: tuple[UUID, ...] = ()  # figures and tables a text names; the texts that name a figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who may be found."""

    workspace: str = LOCAL_WORKSPACE
    documents: tuple[UUID, ...] = ()  # empty: all
    group: Group | None = None  # only words, or only pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class LegScore:
    """How one leg saw a hit. A leg that scores by keywords has no cosine and no z."""

    rank: int  # 1-based within the leg
    cosine: float | None = None
    z: float | None = None
    weight: float | None = None  # BM25 weight of a keyword leg


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlace:
    """Where else the same passage or picture stands."""

    document_name: str
    page_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An item with its place in the answer to one question."""

    item: Item
    document_name: str
    rank: int  # 1-based
    height: float  # calibrated number the hit was merged by; never a percentage
    why: Why = "rank"
    modality: Modality = "text"  # which encoder made the vector that won
    page_size: tuple[float, float] | None = None  # points
    image_path: str | None = None  # PNG on disk
    legs: Mapping[LegName, LegScore] = field(default_factory=dict)
    # Of 255 by which its picture differs from the question's; None: it is not that picture.
    look_alike_bits: int | None = None
    also_in: tuple[OtherPlace, ...] = ()

    @property
    def page_number(self) -> int | None:
        """First page the hit stands on; None for page-less formats."""
        return self.item.regions[0].page_number if self.item.regions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A candidate of one question, kept or not, with the places it held on the way."""

    hit: Hit  # its rank is the one shown, 0 when it is not
    group: Group
    merged_rank: int | None  # 1-based, before collapse, caps and quota; None when only named
    plain_rank: int | None  # 1-based, by largest cosine; None when no vector of it was compared
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why the hits of one question stand where they stand."""

    considered: tuple[Considered, ...]  # by merged rank, what only its name found before them
    bars: Mapping[Group, float]  # what a height must pass to count as evidence
    samples: Mapping[LegName, tuple[float, ...]]  # cosines of the question with each leg's sample
    reranker: str = ""  # identity of the model that ordered the best passages anew; "" for none

    def kept(self) -> list[Considered]:
        """The hits, best first."""
        return sorted((c for c in self.considered if c.fate == "kept"), key=lambda c: c.hit.rank)

    def dropped(self) -> list[Considered]:
        """The other candidates, by merged rank."""
        return [one for one in self.considered if one.fate != "kept"]

    def plain(self, top_k: int) -> list[Considered]:
        """What the largest cosine alone would show, best first."""
        known = [(one.plain_rank, one) for one in self.considered if one.plain_rank is not None]
        return [one for rank, one in sorted(known, key=lambda pair: pair[0]) if rank <= top_k]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Hits of a question, best first, and whether they are evidence enough to answer."""

    hits: tuple[Hit, ...]
    has_evidence: bool
    notes: tuple[str, ...] = ()  # what of the question was not read, in sentences
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None  # when it was asked for
    words: str = ""  # searched by: as asked, or those of the picture that was asked for
    named_figures: tuple[Hit, ...] = ()  # that hits name or the question means, no hits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Words beside a hit that were given with it; exactly as they stand in their item."""

    item: Item
    side: Side
    text: str
    page_size: tuple[float, float] | None = None  # points, of the item's first page


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A hit given to the model (or quoted) under a marker, 1-based."""

    marker: int
    hit: Hit
    around: tuple[Stretch, ...] = ()  # what the model was given with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A marker of the answer, resolved to its source."""

    marker: int
    hit: Hit  # the source; with the item beside it when that is where the quote stands
    quote: str  # words of the source that carry the sentence; "" for a picture without words
    region: Region | None = None  # of the hit's item, where the quote stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A sentence of the answer whose sources do not carry it."""

    sentence: str
    markers: tuple[int, ...]
    reason: str  # plain words, without a full stop
    doubt: Doubt = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that went wrong, fit to be shown: a kind and one plain sentence."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPicture:
    """A picture as a model was sent it: made smaller, encoded anew."""

    sha256: str | None  # of the stored picture it was made from; None when that was deleted
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPart:
    """A piece of what a model was sent, in order: words or a picture."""

    role: Literal["system", "user", "assistant"]
    text: str = ""
    marker: int | None = None  # of the source it belongs to
    picture: SentPicture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One turn, finished. The markers [n] in `text` resolve to `sources` of this answer only."""

    question: str
    text: str
    mode: Mode
    model: str | None
    abstained: bool
    finish: Finish
    citations: tuple[Citation, ...]
    sources: tuple[Source, ...]
    not_used: tuple[Hit, ...] = ()  # found, but outside the budget or not quoted
    unsupported: tuple[Unsupported, ...] = ()
    notes: tuple[str, ...] = ()  # what of the question was not read, in sentences
    images_sent: int = 0  # that of the question counted
    unseen_pictures: int = 0  # sources a model without eyes was given by their words only
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    error: Failure | None = None
    prompt: tuple[PromptPart, ...] = ()  # all that the model was sent; empty for quotes
    searched_for: str = ""  # a follow-up question as it was searched; "" when as asked
    embedder: str = ""  # what found the sources
    dollars: float | None = None  # what the model cost, as estimated; None: not known


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Answer event: a follow-up question is searched as this one, which stands alone."""

    question: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Answer event: the numbered sources, known before the first token."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """Answer event: more text. Markers in it are raw until `Done`."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Answer event: forget the tokens so far; the model failed and another way starts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """Answer event, the last one: the finished answer, marks repaired and resolved."""

    answer: Answer


AnswerEvent = Rewritten | Retrieved | Token | Restart | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One uploaded file as the library knows it."""

    id: UUID
    workspace: str
    name: str
    sha256: str
    state: DocumentState
    page_count: int | None  # None for page-less formats
    text_count: int
    table_count: int
    figure_count: int  # figures and pages that are visible
    figures_pending: int
    size_bytes: int
    added_at: str  # ISO 8601, UTC
    media_type: MediaType
    title: str = ""
    language: str = ""  # ISO 639-1 code of the main language, "" when it is not known
    left_out_count: int = 0  # pictures that were seen and not kept
    warnings: tuple[str, ...] = ()
    error: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteReceipt:
    """What is left of a deleted document; all three counts are zero when the delete is complete."""

    id: UUID
    name: str
    points_left: int
    rows_left: int
    files_left: int
