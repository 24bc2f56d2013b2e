"""A handful of inputs to vectors, with only the half of a model that they need.

Behind `folio embed`. Knows settings and files; imports no torch itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.embed.caps import lost_tokens
from rag.embed.choice import chosen_name, find_facts, parse_choice
from rag.embed.lanes import CaptionedPictures, Lanes, join_identities
from rag.embed.load import lane_identities, load_lanes
from rag.errors import ConfigError
from rag.imaging import open_rgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from PIL import Image

    from rag.embed.catalogue import LaneName, ModelFacts
    from rag.embed.lanes import Array, PictureLane, TextLane
    from rag.settings import EmbedSettings

Form = Literal["query", "document", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One input and its vector: float32 numbers of unit length."""

    input: str  # the text as given, or the picture's path
    form: Form
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedOnce:
    """What was embedded, and by what."""

    embedder: str
    identity: str
    vectors: tuple[Embedded, ...]
    notes: tuple[str, ...] = ()  # what was cut, in sentences


def embed_for_cli(
    settings: EmbedSettings,
    *,
    queries: Sequence[str] = (),
    texts: Sequence[str] = (),
    images: Sequence[Path] = (),
    captions: Sequence[str] = (),
) -> EmbeddedOnce:
    """Vectors in the order queries, texts, images. A folder with one half serves its own forms.

    The name of one model means that model alone, so `clip` embeds texts with its own text
    tower; of a pair, texts go through the first and pictures through the second.

    Args:
        settings: The embedder and its folder.
        queries: Questions.
        texts: Passages.
        images: Paths of pictures.
        captions: One a picture, for models that put both into one vector; or none.

    Raises:
        ConfigError: The embedder has no half for a form that is asked, its name is
            unknown, or a picture's file does not exist.
        DocumentError: A picture cannot be decoded.
        EmbedError: The weights are absent, damaged or fail their self-check.
    """
    name = chosen_name(settings)
    for_words, for_pictures = _models(name)
    pictures = [_open(path) for path in images]
    has_texts, has_images = bool(queries or texts), bool(images)
    words, eyes = Lanes(), Lanes()
    if for_words is for_pictures:
        words = eyes = _load(for_words, settings, has_texts=has_texts, has_images=has_images)
    else:
        words = _load(for_words, settings, has_texts=has_texts, has_images=False)
        eyes = _load(for_pictures, settings, has_texts=False, has_images=has_images)
    vectors: list[Embedded] = []
    notes: list[str] = []
    if has_texts:
        vectors, notes = _embed_texts(for_words, words, queries, texts)
    if eyes.pictures is not None and has_images:
        found = _embed_images(for_pictures, eyes.pictures, pictures, captions)
        vectors += _rows(map(str, images), "image", found)
    return EmbeddedOnce(
        embedder=name,
        identity=_identity(for_words, for_pictures, settings),
        vectors=tuple(vectors),
        notes=tuple(notes),
    )


def _models(name: str) -> tuple[ModelFacts, ModelFacts]:
    if "+" not in name:
        return find_facts(name), find_facts(name)
    choice = parse_choice(name)
    return choice.text, choice.pictures or choice.text


def _load(
    facts: ModelFacts, settings: EmbedSettings, *, has_texts: bool, has_images: bool
) -> Lanes:
    wants: set[LaneName] = set()
    if has_texts:
        wants.add("text" if "text" in facts.lanes else "image")
    if has_images:
        if "image" not in facts.lanes:
            message = f"{facts.name} embeds no pictures. Choose an embedder that does: "
            raise ConfigError(message + "--embedder nomic.")
        wants.add("image")
    if not wants:
        return Lanes()
    return load_lanes(facts, settings, wants)


def _embed_texts(
    facts: ModelFacts, lanes: Lanes, queries: Sequence[str], texts: Sequence[str]
) -> tuple[list[Embedded], list[str]]:
    lane: TextLane | PictureLane | None = lanes.text or lanes.pictures
    if lane is None:
        return [], []
    # A model for pictures has one form of text, the question.
    as_documents = lanes.text.embed_documents if lanes.text else lane.embed_queries
    vectors = _rows(queries, "query", lane.embed_queries(queries))
    vectors += _rows(texts, "document", as_documents(texts))
    notes = [
        f"A text is {lost} tokens longer than the {lane.text_cap} that {facts.name} reads; its "
        "end was left out."
        for lost in lost_tokens(lane, [*queries, *texts])
        if lost
    ]
    return vectors, notes


def _embed_images(
    facts: ModelFacts,
    lane: PictureLane,
    pictures: Sequence[Image.Image],
    captions: Sequence[str],
) -> Array:
    if not captions:
        return lane.embed_images(pictures)
    if not isinstance(lane, CaptionedPictures):
        raise ConfigError(f"{facts.name} cannot put a caption into a picture's vector.")
    if len(captions) != len(pictures):
        raise ConfigError("Give one --caption for each --image, in the same order.")
    return lane.embed_captioned(pictures, captions)


def _identity(for_words: ModelFacts, for_pictures: ModelFacts, settings: EmbedSettings) -> str:
    lines = dict(lane_identities(for_words, settings, for_words.lanes))
    if for_pictures is not for_words:
        lines |= lane_identities(for_pictures, settings, for_pictures.lanes[-1:])
    return join_identities(lines.get("text", ""), lines.get("image", ""))


def _open(path: Path) -> Image.Image:
    try:
        return open_rgb(path)
    except OSError as error:
        message = f"The picture {path} cannot be opened ({error.strerror}). Check the path."
        raise ConfigError(message) from error


def _rows(inputs: Iterable[str], form: Form, vectors: Array) -> list[Embedded]:
    return [
        Embedded(input=text, form=form, vector=tuple(vector.tolist()))
        for text, vector in zip(inputs, vectors, strict=True)
    ]
