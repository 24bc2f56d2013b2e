"""How the checks of an answer do on planted mistakes: wrong numbers, names and marks.

Run: python bench/claims.py
Sentences are taken word for word from passages of the sample and of the corpus that
FOLIO_SHARED names; a scripted model on loopback says them, right and with one mistake.
Prints shares: of the wrong ones that were flagged, of the right ones that were.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid5

from bench.corpus import ENDINGS, ROOT, SHARED, read_documents
from rag.answer import answer
from rag.citations import resolve_citations
from rag.names import language_of
from rag.sentences import split_sentences, words_of
from rag.settings import LlmSettings
from rag.types import Hit, Item, Source
from tests.fakes import DOCUMENT
from tests.openai_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ingest.chunk import Draft

NUMBERS, NAMES, MARKS = 50, 30, 20
# Words that stand in a passage of the sample, and what a careful model might say of it.
PARAPHRASES = Path(__file__).with_name("paraphrases.tsv")
NAME_POOL = ("Okonkwo", "Lisbon", "Brandt", "Halvorsen", "Quito", "Miyazaki", "Zephyr", "Dresden")
_DIGITS = re.compile(r"(?<![\w.,])\d[\d.,]*\d|(?<![\w.,])\d(?![\w.,]\d)")
_MONTHS = "January February March April May June July August September October November December"
_DATE = re.compile(rf"\b(\d{{1,2}}) ({_MONTHS.replace(' ', '|')})\b")
# A unit that stands after a number, and one of the same kind.
_SWAPS = {
    "kilometres": "metres", "km": "m", "metres": "kilometres", "megawatts": "kilowatts",
    "gigawatt hours": "megawatt hours", "weeks": "days", "days": "weeks", "hours": "minutes",
    "minutes": "hours", "months": "years", "years": "months", "centimetres": "millimetres",
    "euros": "dollars", "°C": "°F", "MB": "GB", "GB": "MB", "ms": "s", "seconds": "minutes",
}  # fmt: skip
_SHARES = {
    "per cent": "percentage points",
    "percent": "percentage points",
    "%": "percentage points",
}
_SCALES = {"million": "billion", "billion": "million", "thousand": "million"}
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w'’-])")


@dataclass(frozen=True, slots=True)
class Planted:
    """A sentence as it stands in its passage, and with one mistake in it."""

    kind: str
    passage: int
    right: str
    wrong: str


def read_passages(
    folders: Sequence[Path] = (SHARED / "corpus", ROOT / "sample_data"),
    endings: Collection[str] = ENDINGS,
) -> list[Hit]:
    """Text passages of all documents as hits."""
    found = []
    for path, drafts in read_documents(folders, endings):
        for order, draft in enumerate(drafts):
            if draft.kind == "text" and len(draft.text) > 80:
                found.append(_hit(path, order, draft))
    return found


def _hit(path: Path, order: int, draft: Draft) -> Hit:
    item = Item(
        id=uuid5(DOCUMENT, f"{path}/{order}"),
        document_id=uuid5(DOCUMENT, str(path)),
        kind="text",
        order=order,
        text=draft.text,
        search_text=draft.search_text,
        regions=(),
        heading=draft.heading,
    )
    return Hit(item=item, document_name=path.name, rank=1, height=5.0)


def sentences_of(passages: Sequence[Hit]) -> Iterator[tuple[int, str]]:
    """Whole English sentences of six to forty words, each with its passage."""
    for place, hit in enumerate(passages):
        if language_of(hit.item.text) in ("en", ""):
            for sentence in split_sentences(hit.item.text):
                one_line = " ".join(sentence.split())
                fits = 6 <= len(words_of(one_line)) <= 40 and "[" not in one_line
                if fits and one_line.endswith(".") and one_line[0].isalpha():
                    yield place, one_line


def plant_numbers(passages: Sequence[Hit]) -> list[Planted]:
    """Every way in which a sentence's number can be made wrong, as far as there is one."""
    chance = random.Random(7)
    makers: dict[str, Callable[[str], str]] = {
        "digit": lambda sentence: _change_digit(sentence, chance),
        "unit": lambda sentence: _swap(sentence, _SWAPS),
        "date": lambda sentence: _shift_date(sentence),
        "points": lambda sentence: _swap(sentence, _SHARES),
        "scale": lambda sentence: _swap(sentence, _SCALES),
    }
    return [
        Planted(kind, place, sentence, wrong)
        for place, sentence in sentences_of(passages)
        for kind, make in makers.items()
        if (wrong := make(sentence)) != sentence and not _holds(passages[place], wrong, sentence)
    ]


def plant_names(passages: Sequence[Hit]) -> list[Planted]:
    """A name inside a sentence replaced by one that its passage does not hold."""
    planted = []
    for place, sentence in sentences_of(passages):
        match = _NAME.search(sentence)
        if match and match.group() not in _MONTHS:
            name = NAME_POOL[len(planted) % len(NAME_POOL)]
            wrong = sentence[: match.start()] + name + sentence[match.end() :]
            planted.append(Planted("name", place, sentence, wrong))
    return planted


def _holds(hit: Hit, wrong: str, right: str) -> bool:
    """Whether the passage says the wrong number somewhere else: then nothing is planted."""
    new = set(_DIGITS.findall(wrong)) - set(_DIGITS.findall(right))
    return any(number in _DIGITS.findall(hit.item.text) for number in new)


def _change_digit(sentence: str, chance: random.Random) -> str:
    numbers = list(_DIGITS.finditer(sentence))
    if not numbers:
        return sentence
    number = chance.choice(numbers)
    places = [i for i in range(number.start(), number.end()) if sentence[i].isdigit()]
    place = chance.choice(places)
    digit = str((int(sentence[place]) + chance.randint(1, 8)) % 9 + 1)
    if digit == sentence[place]:
        digit = str(int(digit) % 9 + 1)
    return sentence[:place] + digit + sentence[place + 1 :]


def _swap(sentence: str, table: dict[str, str]) -> str:
    for old in sorted(table, key=len, reverse=True):
        edge = r"\b" if old[-1].isalnum() else ""
        match = re.search(rf"(?<=\d)\s?{re.escape(old)}{edge}", sentence)
        if match:
            return f"{sentence[: match.start()]} {table[old]}{sentence[match.end() :]}"
    return sentence


def _shift_date(sentence: str) -> str:
    def shifted(match: re.Match[str]) -> str:
        day = int(match[1])
        return f"{day + 1 if day < 28 else day - 1} {match[2]}"

    return _DATE.sub(shifted, sentence, 1)


def pick(planted: Sequence[Planted], count: int) -> list[Planted]:
    """As many of each kind as there are, turn by turn, spread over the passages."""
    by_kind: dict[str, list[Planted]] = defaultdict(list)
    for one in random.Random(3).sample(list(planted), len(planted)):
        by_kind[one.kind].append(one)
    chosen: list[Planted] = []
    while len(chosen) < min(count, len(planted)):
        for rest in by_kind.values():
            if rest and len(chosen) < count:
                chosen.append(rest.pop())
    return chosen


def ask(server: ModelServer, hits: Sequence[Hit]) -> tuple[tuple[str, str], ...]:
    """What is doubted of the answer that the scripted model gives, as (doubt, reason)."""
    settings = LlmSettings(model="openai/scripted", api_base=server.base_url, api_key="none")
    done = answer(
        "What do the documents say?",
        hits,
        abstain=False,
        text_lane=None,
        settings=settings,
        use_llm=True,
    )
    return tuple((flag.doubt, flag.reason) for flag in done.unsupported)


def through_a_model(planted: Sequence[Planted], passages: Sequence[Hit]) -> tuple[int, int]:
    """Each pair said by a model on loopback, its passage the first of three sources.

    Returns:
        How many of the wrong ones and how many of the right ones were flagged.
    """
    flagged, false = Counter[str](), Counter[str]()
    total = Counter(one.kind for one in planted)
    for one in planted:
        hits = [passages[(one.passage + step) % len(passages)] for step in (0, 1, 2)]
        with ModelServer(says(f"{one.wrong} [1]"), says(f"{one.right} [1]")) as server:
            wrong, right = ask(server, hits), ask(server, hits)
        flagged[one.kind] += any(doubt == "missing" for doubt, _ in wrong)
        false[one.kind] += bool(right)
        for _, reason in right:
            print(f"  right, but flagged: {reason} | {one.right[:100]}")
        if not wrong:
            print(f"  wrong, not flagged: {one.kind} | {one.wrong[:140]}")
    for kind, count in total.items():
        print(f"  {kind}: {flagged[kind]} of {count} wrong flagged, {false[kind]} right flagged")
    print(f"  together: {flagged.total()} of {len(planted)}, {false.total()} right flagged")
    return flagged.total(), false.total()


def all_at_once(planted: Sequence[Planted], passages: Sequence[Hit]) -> None:
    """The same without a model between, for every sentence that can be made wrong."""
    wrong = right = 0
    for one in planted:
        source = [Source(marker=1, hit=passages[one.passage])]
        doubts = resolve_citations(f"{one.wrong} [1]", source).unsupported
        wrong += any(flag.doubt == "missing" for flag in doubts)
        right += bool(resolve_citations(f"{one.right} [1]", source).unsupported)
    share = 100 / max(1, len(planted))
    print(f"  all {len(planted)}: wrong flagged {wrong * share:.1f} %, right {right * share:.1f} %")


def wrong_marks(planted: Sequence[Planted], passages: Sequence[Hit]) -> Counter[str]:
    """A true sentence with a number, cited to another document's passage."""
    ends: Counter[str] = Counter()
    for place, one in enumerate(planted):
        own = passages[one.passage]
        others = [h for h in passages if h.document_name != own.document_name]
        others = random.Random(place).sample(others, 3)
        sources = [Source(marker=n, hit=hit) for n, hit in enumerate([*others, own], 1)]
        found = resolve_citations(f"{one.right} [{place % 3 + 1}, 9]", sources)
        right = [c.hit.item.id for c in found.citations] == [own.item.id]
        ends["moved" if right else "flagged" if found.unsupported else "silent"] += 1
    print(f"  of {len(planted)} wrong marks: {dict(ends)}; a mark past the sources: dropped")
    return ends


def wrong_words(passages: list[Hit]) -> None:
    """Sentences without a number, cited to the next document's passage."""
    doubts: Counter[str] = Counter()
    said = [(p, s) for p, s in sentences_of(passages) if not _DIGITS.search(s)]
    for place, sentence in random.Random(5).sample(said, 200):
        own = passages[place].document_name
        other = next(h for h in passages[place:] + passages if h.document_name != own)
        source = [Source(marker=1, hit=other)]
        found = resolve_citations(f"{sentence} [1]", source).unsupported
        doubts[found[0].doubt if found else "silent"] += 1
    print(f"  of 200 sentences cited to another document: {dict(doubts)}")


def paraphrases(passages: Sequence[Hit]) -> int:
    """Fair paraphrases that are doubted all the same."""
    doubts: Counter[str] = Counter()
    pairs = [line.split("\t") for line in PARAPHRASES.read_text("utf-8").splitlines()]
    for key, said in pairs:
        hit = next(h for h in passages if key in " ".join(h.item.text.split()))
        source = Source(marker=1, hit=hit)
        for flag in resolve_citations(f"{said} [1]", [source]).unsupported:
            doubts[flag.doubt] += 1
            print(f"  paraphrase flagged: {flag.reason} | {said[:120]}")
    print(f"  of {len(pairs)} paraphrases flagged: {doubts.total()} {dict(doubts)}")
    return doubts.total()


def main() -> None:
    passages = read_passages()
    numbers, names = plant_numbers(passages), plant_names(passages)
    print(f"{len(passages)} passages; {len(numbers)} numbers, {len(names)} names can be made wrong")
    for planted, count in ((numbers, NUMBERS), (names, NAMES)):
        through_a_model(pick(planted, count), passages)
        all_at_once(planted, passages)
    wrong_marks(pick([one for one in numbers if one.kind == "digit"], MARKS), passages)
    wrong_words(passages)
    paraphrases(passages)


if __name__ == "__main__":
    main()
