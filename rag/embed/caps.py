"""What a model does not read of a text, counted and said. Knows lanes, no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.lanes import Embedder, PictureLane, TextLane


def lost_tokens(lane: TextLane | PictureLane, texts: Sequence[str]) -> list[int]:
    """How many tokens of each text are over the lane's cap and so not read; 0 for most."""
    lost = [0] * len(texts)
    # A token is at least one character (or one UTF-8 byte): short texts need no counting.
    long = [
        place
        for place, text in enumerate(texts)
        if len(text.encode("utf-8", "replace")) > lane.text_cap // 2
    ]
    for place, count in zip(long, lane.count_tokens([texts[place] for place in long]), strict=True):
        lost[place] = max(0, count - lane.text_cap)
    return lost


def question_notes(embedder: Embedder, question: str) -> tuple[str, ...]:
    """One sentence for each search that does not read a question to its end."""
    searches: list[tuple[TextLane | PictureLane, str]] = [(embedder.text, "passages")]
    if embedder.pictures is not None and not embedder.joint:
        searches.append((embedder.pictures, "pictures"))
    notes = []
    for lane, what in searches:
        (lost,) = lost_tokens(lane, [question])
        if lost:
            notes.append(
                f"The search for {what} reads {lane.text_cap} tokens of a question; the last "
                f"{lost} of this one were left out. Shorten it if they matter."
            )
    return tuple(notes)


def passages_note(embedder: Embedder, texts: Sequence[str]) -> str:
    """A sentence about passages that are not read to their end; "" when all are."""
    over = [lost for lost in lost_tokens(embedder.text, texts) if lost]
    if not over:
        return ""
    passages = "1 passage is" if len(over) == 1 else f"{len(over)} passages are"
    return (
        f"{passages} longer than the {embedder.text.text_cap} tokens that {embedder.name} reads: "
        f"{sum(over)} tokens at their ends are found by exact words only."
    )
