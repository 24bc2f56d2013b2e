"""What a model does not read is counted and said, with the real built-in model."""

from __future__ import annotations

import pytest

from rag.embed import load_embedder
from rag.embed.caps import lost_tokens, passages_note, question_notes
from rag.embed.lanes import Embedder
from rag.settings import EmbedSettings


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return load_embedder(EmbedSettings())


def test_tokens_over_the_cap_are_counted_exactly(minilm: Embedder) -> None:
    # 254 words of one token each and two special ones fill the cap of 256.
    texts = ["bread", "bread " * 254, "bread " * 255, "bread " * 300]

    assert lost_tokens(minilm.text, texts) == [0, 0, 1, 46]


def test_tokens_of_scripts_without_spaces_are_counted_too(minilm: Embedder) -> None:
    assert lost_tokens(minilm.text, ["山" * 254, "山" * 300]) == [0, 46]


def test_a_long_question_gets_a_sentence_and_a_short_one_none(minilm: Embedder) -> None:
    (note,) = question_notes(minilm, "why " * 300)

    assert "reads 256 tokens of a question" in note
    assert "the last 46" in note
    assert question_notes(minilm, "Why?") == ()


def test_long_passages_get_one_sentence_together(minilm: Embedder) -> None:
    note = passages_note(minilm, ["bread " * 300, "short", "bread " * 256])

    assert note.startswith("2 passages are longer than the 256 tokens that minilm reads: 48 ")
    assert passages_note(minilm, ["short"]) == ""
