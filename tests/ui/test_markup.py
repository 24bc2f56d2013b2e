"""Untrusted text before Markdown: nothing in it may load, link or colour."""

from __future__ import annotations

import random
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.web.markup import BREAK, defuse, label, render_safe
from ui.web.pieces import quotes

# Pieces that break naive escaping when they meet: fences, spans, directives, links.
FRAGMENTS = [
    "![x](http://127.0.0.1:9/a)", "![x][r]", "\n\n[r]: http://127.0.0.1:9/r\n\n", "[t](http://e.x)",
    "<img src=http://127.0.0.1:9/i>", "<http://127.0.0.1:9/u>", "http://127.0.0.1:9/b", "www.e.xy",
    "a@b.cd", "&#33;[x](http://e.x)", "&excl;", ":red[ok]", ":material/home:", ":streamlit:",
    ":smile:", ":badge[ok]", ":red-background[x]", "```", "````", "`", "``", "~~~", "\n", "\n\n",
    "    ", "> ", "- ", "1. ", "| a | b |\n|---|---|\n", "$x$", "$$", "$5 and $6", "**", "_", "\\",
    "[1]", "[2]", "[9]", "[1](#cite-0-1)", "](#cite-0-2)", "!", "[", "]", "(", ")", BREAK, "<!--",
    "-->", "<script>alert(1)</script>", "javascript:alert(1)", "[^1]", "[^1]: note", "\u2060", " ",
]  # fmt: skip
OWN_LINK = re.compile(r'\u2060\[\\\[(\d{1,3})\\\]\]\(#cite-(\d+)-(\d{1,3}) "(\d{1,3})"\)')


# What Streamlit's Markdown would act on: each needs a character right after it.
ACTIVE = re.compile(
    rf"!\[|<(?![\s{BREAK}]|$)|\][(\[:]|:(?![\s|{BREAK}-]|$)|www\.|[@&](?!{BREAK})", re.IGNORECASE
)


def is_inert(markdown: str) -> bool:
    """Whether no active piece of Markdown is left but our own links."""
    return ACTIVE.search(OWN_LINK.sub("x", markdown)) is None


@pytest.mark.parametrize("seed", range(40))
def test_no_mix_of_hostile_fragments_stays_active(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        text = "".join(chance.choices(FRAGMENTS, k=chance.randint(2, 14)))
        safe = render_safe(text, {1, 2}, turn=0)
        assert is_inert(safe), text
        assert {match[1] for match in OWN_LINK.finditer(safe)} <= {"1", "2"}


@given(st.text(alphabet=st.sampled_from("![]()<>:@&`~$*_\\|-#\n w1.a" + BREAK), max_size=60))
def test_no_string_of_syntax_stays_active(text: str) -> None:
    assert is_inert(render_safe(text, {1}, turn=3))


@given(st.text(max_size=200))
def test_defusing_loses_no_character(text: str) -> None:
    assert defuse(text).replace(BREAK, "") == text.replace(BREAK, "")


def test_known_markers_become_links_of_their_turn() -> None:
    safe = render_safe("Output rose. [1] Cost fell. [3]", {1, 2}, turn=4)

    assert safe == 'Output rose.\u2060[\\[1\\]](#cite-4-1 "1") Cost fell. [3]'


def test_markers_side_by_side_are_both_links() -> None:
    assert render_safe("Rose. [1][2]", {1, 2}, turn=0).count("#cite-0-") == 2


def test_a_colon_before_a_marker_starts_no_directive() -> None:
    assert render_safe("Causes: [1].", {1}, turn=0).startswith("Causes:\ufeff\u2060[")


def test_a_marker_before_a_stop_is_shown_after_it() -> None:
    text = "Output rose [1] [2]. Costs fell [1], not [9]. Pi is 3[1].5"

    shown = render_safe(text, {1, 2}, turn=0)

    assert re.sub(r"\u2060\[\\\[(\d)\\\]\]\([^)]*\)", r"<\1>", shown) == (
        "Output rose.<1><2> Costs fell,<1> not [9]. Pi is 3<1>.5"
    )


@pytest.mark.parametrize("code", ["`a[1]`", "```\na[1]\n```", "```\na[1]"])
def test_markers_inside_code_stay_code(code: str) -> None:
    assert "#cite" not in render_safe(code, {1}, turn=0)


def test_money_is_not_a_formula() -> None:
    assert render_safe("It costs $5 and $6.", (), turn=0) == "It costs \\$5 and \\$6."


def test_emphasis_lists_and_tables_stay() -> None:
    text = "**bold**\n\n- one\n- two\n\n| a | b |\n|---|:--|\n| 1 | 2 |"

    assert render_safe(text, (), turn=0) == text


def test_labels_are_one_line_without_emphasis() -> None:
    assert label("_b\n*c*") == "\\_b \\*c\\*"
    assert label("a -- b -> c_") == "a \\-\\- b \\-\\> c\\_"


def test_labels_of_ordinary_names_are_read_out_as_they_are() -> None:
    assert label("annual-report_2024.pdf") == "annual-report_2024.pdf"


@pytest.mark.parametrize("unit", ["a", " ", "[", "1", ",", "[1", "`", "```", ":", "!["])
def test_a_megabyte_of_anything_takes_no_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))

    # No clock: a pattern of quadratic time would take minutes here and be seen by everyone.
    assert len(render_safe(text, {1}, turn=0)) >= len(text)


NOTE_LINK = re.compile(r'\u2060\[(check|see figure)\]\(#check-(\d+)-(\d+) "(check|see figure)"\)')


def test_a_doubted_sentence_is_followed_by_a_note_that_leads_to_its_reason() -> None:
    notes = [("It rose by 12 %. [1]", "check"), ("So it *fell*.", "see figure")]
    safe = render_safe("It rose by 12 %. [1] Yes. So it *fell*.", {1}, 3, notes)

    assert safe == (
        'It rose by 12 %.\u2060[\\[1\\]](#cite-3-1 "1")\u2060[check](#check-3-0 "check") Yes.'
        ' So it *fell*.\u2060[see figure](#check-3-1 "see figure")'
    )


def test_a_note_stays_inside_its_row_and_out_of_code() -> None:
    row = "| Sales | 12 |"
    text = f"| a | b |\n|---|---|\n{row}\n\n```\nx = 5\n```"
    safe = render_safe(text, (), 0, [(row, "check"), ("x = 5", "check")])

    assert '| 12 \u2060[check](#check-0-0 "check")|\n' in safe
    assert safe.endswith("```\nx = 5\n```")


def test_a_sentence_that_is_not_there_gets_no_note() -> None:
    assert render_safe("It rose.", (), 0, [("It fell.", "check")]) == "It rose."


def test_a_note_left_out_of_code_lets_nothing_grow_together() -> None:
    for text in ("```[1](#cite-0-1)", "`x [1](http://e.x)`", "`!` ```![x](http://e.x)"):
        for sentence in ("[1]", "!", "[x]"):
            assert is_inert(NOTE_LINK.sub("x", render_safe(text, {1}, 0, [(sentence, "check")])))


@given(
    st.lists(st.sampled_from([*FRAGMENTS, "\uf8f0", "It rose. "]), max_size=12).map("".join),
    st.lists(st.sampled_from(["It rose.", "[1]", "`", "| a | b |", "x", ""]), max_size=4),
)
def test_notes_open_nothing_in_hostile_text(text: str, sentences: list[str]) -> None:
    safe = render_safe(text, {1}, 0, [(sentence, "check") for sentence in sentences])
    # Each of our links begins with a word joiner: ":" or "<" before it starts nothing.
    assert ACTIVE.search(OWN_LINK.sub(" ", NOTE_LINK.sub(" ", safe))) is None
    assert len(NOTE_LINK.findall(safe)) <= len(sentences)
    bare = NOTE_LINK.sub("", OWN_LINK.sub(r"[\1]", safe)).replace("\\$", "$")
    # Without the space after it, which a mark takes away.
    assert bare.replace(BREAK, "").count("It rose.") == text.count("It rose.")


LETTERS = "It cost $5 and $6, *not* ~7~ or _8_; :red[x] # 9 & <b> [2] \\(a\\) `c`."


def test_what_is_shown_of_quotes_is_the_text_character_for_character() -> None:
    shown = quotes(LETTERS, {1}, 0)
    assert LETTERS in unescape(re.sub(r"<[^>]*>", "", shown)).replace("\u2060", "")


def test_headings_of_an_answer_stand_below_its_question() -> None:
    text = "# Output\nIt rose.\n## Cost\n### Detail\n```\n# a comment\n```\n`x`# no heading"

    shown = render_safe(text, set(), 0)

    assert shown == text.replace("# Output", "### Output").replace("\n## Cost", "\n### Cost")
