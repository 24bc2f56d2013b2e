"""Rated answers as JSON lines: the layout of `evals.sets_pages`, with the rating beside it. Pure.

The pages that a liked answer cites are taken for the right ones. A disliked answer names no
page, because what it cites may be what was wrong with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from rag.turn import Turn
    from rag.types import Answer, Citation

UNANSWERABLE = "unanswerable"  # as `evals.sets` calls it
MAX_ANCHOR = 80  # characters of a passage that has no page


def to_lines(rated: Iterable[tuple[UUID, Turn]]) -> str:
    """One line for each document that a rated answer cites; at least one an answer."""
    rows = [row for chat_id, turn in rated for row in _rows(chat_id, turn)]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _rows(chat_id: UUID, turn: Turn) -> list[dict[str, Any]]:
    answer = turn.answer
    if answer is None:
        return []
    key = f"{chat_id}-{turn.number}"
    return [
        {
            "id": key if place == 0 else f"{key}-{place}",
            "doc": name,
            # A follow-up stands alone here; a picture alone asks in our words.
            "question": answer.searched_for or turn.question or answer.question,
            "pages": _pages(cited) if turn.rating > 0 else [],
            "kind": _kind(answer, cited, turn.rating),
            "answer": answer.text,
            **_anchor(cited, turn.rating),
            "rating": "up" if turn.rating > 0 else "down",
            "remark": turn.remark,
            "mode": answer.mode,
            "model": answer.model,
        }
        for place, (name, cited) in enumerate(_by_document(answer).items())
    ]


def _by_document(answer: Answer) -> dict[str, list[Citation]]:
    """Citations by document; an answer that cites nothing is about the nearest one."""
    found: dict[str, list[Citation]] = {}
    for citation in answer.citations:
        found.setdefault(citation.hit.document_name, []).append(citation)
    if not found and answer.sources:
        found[answer.sources[0].hit.document_name] = []
    return found


def _pages(cited: Iterable[Citation]) -> list[int]:
    return sorted({region.page_number for c in cited for region in c.hit.item.regions})


def _kind(answer: Answer, cited: list[Citation], rating: int) -> str:
    if answer.abstained and rating > 0:
        return UNANSWERABLE
    kinds = {"figure" if c.hit.item.kind in PICTURES else c.hit.item.kind for c in cited}
    if rating < 0 or not kinds:
        return "unlabelled"
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _anchor(cited: list[Citation], rating: int) -> dict[str, str]:
    """Words of the passage, where the format has no pages."""
    if rating < 0 or _pages(cited):
        return {}
    words = next((c.quote or c.hit.item.text for c in cited if c.quote or c.hit.item.text), "")
    return {"anchor_text": " ".join(words.split())[:MAX_ANCHOR]} if words.strip() else {}
