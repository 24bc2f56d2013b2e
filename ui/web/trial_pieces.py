"""Pieces of HTML that only the Test page has; the rules of `pieces` hold."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ui.web import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.types import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A question whose place did not come up early; `target` is the link after `#cite-`."""

    question: str
    target: str  # "" when its source is gone
    kind: Kind
    expected: str
    found: str
    rank: int | None


def side_by_side(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first cell of a row names it."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(cells[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
        + "</tr>"
        for cells in rows
    )
    return (
        f'<div class="f-scroll"><table class="f-table f-trial"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def missed(rows: Iterable[Missed]) -> str:
    """The questions to look at; a click on one opens its source."""
    names = ("Question", "Kind", "Expected", "Found first", "Result")
    top = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(
        f'<tr><td dir="auto">{_link(row)}</td><td>{pieces.kind_mark(row.kind)}</td>'
        f'<td dir="auto">{escape(row.expected)}</td><td dir="auto">{escape(row.found)}</td>'
        f"<td>{_badge(row.rank)}</td></tr>"
        for row in rows
    )
    return (
        f'<div class="f-scroll"><table class="f-table f-missed"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _link(row: Missed) -> str:
    if not row.target:
        return escape(row.question)
    return f'<a class="f-open" href="#cite-{escape(row.target)}">{escape(row.question)}</a>'


def _badge(rank: int | None) -> str:
    return (
        pieces.badge("err", "Not found")
        if rank is None
        else pieces.badge("warn", f"Rank {int(rank)}")
    )
