"""A chat as Markdown: parsed again it says the same, and nothing in it loads or leads away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.types import Unsupported
from tests.test_export_html import (
    ACTIVE,
    GUIDE,
    REPORT,
    services_with,
    simple,
    turn_of,
)
from tests.ui.scripted import make_answer, make_document, make_hit
from ui.export.chat import GONE
from ui.export.make import make
from ui.export.markdown import escaped, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from rag.turn import Turn

SIGNS = st.text(alphabet="ab1 \n\t#*_[]()<>!|~`&$\\:/.-+=@w", max_size=40)


def exported(*turns: Turn, **options: object) -> str:
    services, chat_id = services_with(*turns, **options)  # type: ignore[arg-type]
    return make(services, chat_id, "md").decode()  # type: ignore[arg-type]


def tokens_of(text: str) -> Iterator[Token]:
    """As a viewer that knows all extensions and makes links of addresses would read it."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        yield token
        yield from token.children or ()


def shown(text: str) -> str:
    """The words that a reader sees."""
    kinds = {"softbreak": "\n", "hardbreak": "\n"}
    return "".join(
        kinds.get(t.type, t.content if t.type in ("text", "code_inline") else "")
        for t in tokens_of(text)
        if t.type != "inline"
    )


def assert_inert(text: str) -> None:
    kinds = {token.type for token in tokens_of(text)}
    assert not kinds & {"image", "link_open", "html_inline", "html_block"}, kinds


def test_an_answer_has_footnotes_and_its_sources_as_quotes() -> None:
    text = exported(simple("Output rose 42 per cent [1]."))

    assert "Output rose 42 per cent.[^1-1]\n" in text
    assert "\n[^1-1]: 3.2 Generation, report.pdf, page 3 (text)\n" in text
    assert "\n> Output rose 42 per cent to 6.8 TWh.\n" in text
    assert text.startswith("# Answers from report.pdf\n\n1 question, saved on ")
    assert "\n- Folio: AGPL-3.0-or-later." in text
    assert_inert(text)


def test_footnotes_of_two_turns_do_not_meet() -> None:
    text = exported(simple(), simple())

    assert text.count("[^1-1]") == text.count("[^2-1]") == 2


@pytest.mark.parametrize("hostile", ACTIVE, ids=range(len(ACTIVE)))
@pytest.mark.parametrize("mode", ["llm", "extractive"])
def test_hostile_words_are_only_words(hostile: str, mode: str) -> None:
    document = make_document(f"{hostile[:250]}.pdf")
    hits = [
        make_hit(document, text=hostile, heading=(hostile,)),
        make_hit(document, "table", f"| {hostile} |\n|---|\n| {hostile} |", caption=hostile),
    ]
    doubt = Unsupported(sentence=hostile, markers=(), reason=hostile)
    answer = make_answer(hostile, f"{hostile} [1]\n\n{hostile} [2]", hits, unsupported=(doubt,))

    text = exported(turn_of(answer, failure=hostile), library=[document])

    assert_inert(text)
    assert "http://" not in shown_addresses(text)


def shown_addresses(text: str) -> str:
    """What is left of an address for a viewer that links bare ones, code aside."""
    return "".join(token.content for token in tokens_of(text) if token.type == "inline").replace(
        "http\\://", ""
    )


@given(SIGNS)
@example("1. one\n2) two\n- three\n# four\n===\n---\n> five\n\\")
@example("`a` ``` ~~~ <b> &amp; [x](y) ![z](w) | a | b | $x$ __c__ **d** http://e www.f")
def test_escaped_words_read_as_they_were_written(text: str) -> None:
    said = " ".join(text.split())

    assert " ".join(shown(line(text)).split()) == said
    kinds = {token.type for token in tokens_of(escaped(said))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text"}


def test_a_models_markdown_is_written_anew() -> None:
    said = (
        "# Rows\n\n**A** fell [1].\n\n- one\n  - deep\n- two *quietly*\n\n3. three\n4. four\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 [1] |\n\n`x[1]`\n\n```python\ny = [1]\n```\n\n> so\n\n---"
    )

    text = exported(simple(said))

    assert "**Rows**\n\n**A** fell.[^1-1]\n\n- one\n\n  - deep\n- two *quietly*" in text
    assert "3. three\n4. four" in text
    assert "| a | b |\n| --- | --- |\n| 1 | 2[^1-1] |" in text
    assert "`x[1]`\n\n```\ny = [1]\n```\n\n> so\n\n* * *" in text


def test_words_of_a_document_are_escaped_line_by_line() -> None:
    answer = make_answer("What?", "# Not a heading\n1. no list [1]", [make_hit(REPORT)])
    quotes = make_answer("What?", answer.text, [make_hit(REPORT)], mode="extractive")

    text = exported(turn_of(quotes))

    assert "> \\# Not a heading\\\n> 1\\. no list[^1-1]" in text


def test_a_sentence_to_check_is_told() -> None:
    sentence = "Ahab approved it. [1]"
    doubt = Unsupported(sentence=sentence, markers=(1,), reason="name not found: Ahab")
    answer = make_answer(
        "Who?", f"It rose. [1] {sentence}", [make_hit(REPORT)], unsupported=(doubt,)
    )

    text = exported(turn_of(answer))

    assert "Ahab approved it.[^1-1] *(check)*" in text
    assert "- “Ahab approved it. \\[1\\]”: name not found: Ahab" in text


def test_a_deleted_document_stays_deleted() -> None:
    assert GONE in exported(simple(), library=[GUIDE])
