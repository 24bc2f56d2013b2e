"""Which blocks of a web page stand around a citation, and what of them is marked. Pure."""

from __future__ import annotations

import pytest

from rag.library import Block
from ui.reading import AFTER, BEFORE, view


def _blocks(count: int = 30) -> list[Block]:
    found = [
        Block(anchor=str(n), kind="text", level=0, text=f"Block {n} text.") for n in range(count)
    ]
    found[5] = Block(anchor="5", kind="heading", level=2, text="Seals")
    return found


def test_the_heading_of_the_section_stands_above_blocks_from_its_middle() -> None:
    shown = view(_blocks(), "12", "")

    assert [one.block.anchor for one in shown.blocks][:3] == ["5", "10", "11"]
    assert [one.block.anchor for one in shown.blocks if one.is_cited] == ["12"]
    assert (shown.before, shown.after) == (10, 30 - 12 - AFTER)


def test_more_is_shown_on_either_side_up_to_the_ends() -> None:
    shown = view(_blocks(), "12", "", earlier=100, later=100)

    assert len(shown.blocks) == 30
    assert (shown.before, shown.after) == (0, 0)


def test_the_block_that_holds_the_quote_is_the_cited_one() -> None:
    shown = view(_blocks(), "12", "Block 15 text.")

    (cited,) = [one for one in shown.blocks if one.is_cited]
    assert cited.block.anchor == "15"
    assert cited.texts[0][slice(*cited.spans[0][0])] == "Block 15 text"
    assert shown.blocks[1].block.anchor == str(15 - BEFORE)


def test_cells_of_a_quoted_row_are_marked() -> None:
    table = "| Year | TWh |\n|---|---|\n| 2023 | 4.8 |\n| 2024 | 6.8 |"
    blocks = [Block(anchor="1", kind="table", level=0, text=table)]
    (one,) = view(blocks, "1", "2024 | 6.8").blocks

    assert [text for text, spans in zip(one.texts, one.spans, strict=True) if spans] == [
        "2024",
        "6.8",
    ]


@pytest.mark.parametrize("anchor", [None, "gone"])
def test_a_place_that_is_no_longer_there_shows_the_beginning(anchor: str | None) -> None:
    shown = view(_blocks(), anchor, "Block 15 text.")

    assert shown.blocks[0].block.anchor == "0"
    assert not any(one.is_cited for one in shown.blocks)


def test_an_empty_document_shows_nothing() -> None:
    assert view([], "1", "words").blocks == ()
