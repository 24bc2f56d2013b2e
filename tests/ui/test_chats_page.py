"""Kept conversations, what the model saw, and thumbs, run without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from rag.turn import Turn
from rag.types import Failure, PromptPart, Rewritten, SentPicture
from tests.builders import make_png
from tests.conftest import ROOT
from tests.ui.conftest import ask, page_html, page_text, settle
from tests.ui.scripted import ScriptedServices, make_answer, make_document, make_hit
from ui import outcome
from ui.web import recent, seen, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
GUIDE = make_document("guide.html", pages=None)
HITS = [make_hit(REPORT), make_hit(GUIDE)]
ANSWER = make_answer("What rose?", "Output rose 42 per cent. [1] Cost fell. [2]", HITS)


def library(**options: object) -> ScriptedServices:
    return ScriptedServices(library=[REPORT, GUIDE], answers=[ANSWER], **options)  # type: ignore[arg-type]


def reload(chat_id: object = None) -> AppTest:
    """The page in a new session of the same server, at the address of a chat."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    if chat_id is not None:
        app.query_params["chat"] = str(chat_id)
    return app.run()


def go(app: AppTest, path: str) -> None:
    """Another page, as its link at the top would open it; "" is Ask."""
    app._page_hash = calc_hash(path)
    app.run()


def only_chat(services: ScriptedServices) -> UUID:
    (chat_id,) = services.chats.kept
    return chat_id


def keep(services: ScriptedServices, *turns: Turn) -> UUID:
    chat_id = uuid4()
    services.chats.kept[chat_id] = [replace(t, number=n) for n, t in enumerate(turns)]
    return chat_id


def test_a_question_names_its_chat_in_the_address_and_in_the_list(open_app: Open) -> None:
    services = library()

    app = ask(open_app(services), "What rose?")

    chat_id = only_chat(services)
    assert app.query_params["chat"] == str(chat_id)
    assert app.button(key=f"recent-{chat_id}").label == "What rose?"
    assert "<h2>Recent</h2>" in page_html(app)


def test_a_reload_shows_the_same_answer_with_its_marks(open_app: Open) -> None:
    services = library()
    before = ask(open_app(services), "What rose?")

    app = reload(only_chat(services))

    assert page_text(app) == page_text(before)
    assert "(#cite-0-1" in page_text(app)
    assert page_html(app).count('class="f-card"') == page_html(before).count('class="f-card"') == 2


def test_without_the_address_a_new_session_starts_empty(open_app: Open) -> None:
    services = library()
    ask(open_app(services), "What rose?")

    assert "f-q" not in page_html(reload())


@pytest.mark.parametrize("named", ["not-an-id", str(uuid4())], ids=["no id", "unknown"])
def test_an_address_of_no_chat_says_so(open_app: Open, named: str) -> None:
    open_app(library())

    app = reload(named)

    assert "That conversation is no longer kept." in page_html(app)
    assert "chat" not in app.query_params
    assert not app.chat_input(key="ask").disabled


def test_a_follow_up_goes_into_the_same_chat_after_a_reload(open_app: Open) -> None:
    services = library()
    ask(open_app(services), "What rose?")

    app = ask(reload(only_chat(services)), "And why?")

    assert [turn.question for turn in services.chats.kept[only_chat(services)]] == [
        "What rose?",
        "And why?",
    ]
    assert services.asked[1][2] == [("What rose?", ANSWER.text)]
    assert "(#cite-1-1" in page_text(app)


def test_a_chat_is_opened_from_the_list(open_app: Open) -> None:
    services = library()
    turn = Turn(question="What fell?", text="Cost fell. [1]", sources=ANSWER.sources)
    other = keep(services, replace(turn, answer=replace(ANSWER, text="Cost fell. [1]")))
    app = ask(open_app(services), "What rose?")

    app.button(key=f"recent-{other}").click().run()

    assert "Cost fell." in page_text(app)
    assert "Output rose" not in page_text(app)
    assert app.query_params["chat"] == str(other)


def test_new_question_leaves_the_chat_kept(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")

    app.button(key="new-question").click().run()
    ask(app, "What fell?")

    assert "chat" in app.query_params
    assert len(services.chats.kept) == 2
    assert services.asked[1][2] == []


def test_a_chat_is_deleted_after_one_confirmation(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    chat_id = only_chat(services)

    app.button(key=f"forget-{chat_id}").click().run()
    assert "1 question" in page_html(app)
    assert services.chats.kept
    app.button(key="delete-chat").click().run()

    assert services.chats.kept == {}
    assert "f-q" not in page_html(app)
    assert "chat" not in app.query_params


def test_a_question_in_a_chat_that_was_deleted_elsewhere_says_that_it_begins_another(
    open_app: Open,
) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    services.chats.kept.clear()

    html = page_html(ask(app, "What fell?"))

    assert "This conversation was deleted in another window." in html
    assert "What rose?" not in html


def test_keeping_a_chat_changes_nothing(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")

    app.button(key=f"forget-{only_chat(services)}").click().run()
    app.button(key="keep-chat").click().run()

    assert "Output rose" in page_text(app)
    assert not any(button.key == "delete-chat" for button in app.button)


def test_what_was_written_when_folio_ended_is_shown_as_such(open_app: Open) -> None:
    services = library()
    open_app(services)
    turn = Turn(question="q", text="Output rose", sources=ANSWER.sources, interrupted=True)

    app = reload(keep(services, turn))

    assert "Folio ended before this answer did." in page_html(app)
    assert "Output rose" in page_text(app)
    assert app.button(key="again-0").label == "Try again"
    assert "report.pdf, p. 3" in page_html(app)


def test_a_reload_while_an_answer_is_written_goes_on_with_it(open_app: Open) -> None:
    services = library(pause_s=0.05)
    first = open_app(services)
    first.chat_input(key="ask").set_value("What rose?").run()

    app = reload(only_chat(services))

    assert any(button.key == "stop" for button in app.button)
    assert "Folio ended" not in page_html(app)
    settle(app)
    assert "Cost fell." in page_text(app)
    assert "(#cite-0-1" in page_text(app)
    assert len(services.asked) == 1


def test_turns_on_the_page_are_read_again_when_a_document_is_deleted(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    turns = services.chats.kept[only_chat(services)]
    turns[0] = replace(turns[0], text="The words are gone. [1]")
    go(app, "documents")

    app.button(key=f"delete-{REPORT.id}").click().run()
    app.button(key="delete-now").click().run()
    go(app, "")

    assert "The words are gone." in page_text(app)
    assert "Output rose" not in page_text(app)


def test_only_the_last_turns_of_a_long_chat_are_drawn(open_app: Open) -> None:
    services = library()
    open_app(services)
    turns = [
        Turn(question=f"Question {n}?", text=ANSWER.text, sources=ANSWER.sources, answer=ANSWER)
        for n in range(500)
    ]

    app = reload(keep(services, *turns))

    assert page_html(app).count('class="f-q"') == recent.SHOWN_TURNS
    assert "Question 499?" in page_html(app)
    assert app.button(key="earlier").label == "Show earlier, 490 questions"
    app.button(key="earlier").click().run()
    assert page_html(app).count('class="f-q"') == 2 * recent.SHOWN_TURNS
    assert "(#cite-480-1" in page_text(app)


def test_the_drawer_opens_a_source_of_a_late_turn(open_app: Open) -> None:
    services = library()
    open_app(services)
    turns = [
        Turn(question=f"{n}?", text=ANSWER.text, sources=ANSWER.sources, answer=ANSWER)
        for n in range(30)
    ]
    app = reload(keep(services, *turns))

    app.session_state[state.OPEN] = state.OpenSource(turn=29, marker=1)
    app.run()

    assert "report.pdf, page 3" in page_html(app)


def test_a_full_disk_costs_the_record_and_not_the_answer(open_app: Open) -> None:
    services = library()
    services.chats.is_full = True

    app = ask(open_app(services), "What rose?")

    assert "Output rose" in page_text(app)
    assert "This answer is not kept." in page_html(app)
    assert "chat" not in app.query_params


def test_a_rewritten_question_is_shown_quietly_and_is_the_history(open_app: Open) -> None:
    services = library()
    services.answers = [replace(ANSWER, searched_for="What rose in 2023?"), ANSWER]
    app = ask(open_app(services), "and in 2023?")

    ask(app, "Why?")

    assert '<p class="f-meta">Searched for: What rose in 2023?</p>' in page_html(app)
    assert services.asked[1][2][0][0] == "What rose in 2023?"


def test_a_rewritten_question_is_shown_while_the_answer_is_written(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = library(pause_s=0.2)
    plain = services.ask

    def rewriting(question: str, **options: object) -> Iterator[object]:
        yield Rewritten("What rose in 2023?")
        yield from plain(question, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(services, "ask", rewriting)
    app = open_app(services)
    app.chat_input(key="ask").set_value("and in 2023?").run()
    app.run()

    assert any(button.key == "stop" for button in app.button)
    assert "Searched for: What rose in 2023?" in page_html(app)
    settle(app)


def asked_model(tmp_path: Path) -> ScriptedServices:
    """A model's answer from a picture and a passage, with one hit left out."""
    path = tmp_path / "figure.png"
    path.write_bytes(make_png((800, 600)))
    figure = make_hit(REPORT, "figure", "A chart", caption="Figure 4", image_path=path)
    picture = SentPicture(
        sha256="a" * 64, media_type="image/png", width_px=400, height_px=300, size_bytes=52_000
    )
    answer = replace(
        make_answer("q", "It rose. [1]", [figure, HITS[0]], cited=[1]),
        not_used=(make_hit(GUIDE, text="Left out words.", rank=3, heading=("A long part",)),),
        images_sent=1,
        usage={"prompt_tokens": 1234, "completion_tokens": 56},
        dollars=0.00321,
        embedder="minilm",
        timings_ms={"first_token": 812.0, "total": 2_340.0},
        prompt=(
            PromptPart(role="system", text="You answer from sources."),
            PromptPart(role="user", text="[1] figure, **report.pdf**", marker=1),
            PromptPart(role="user", marker=1, picture=picture),
            PromptPart(role="user", text="[2] report.pdf", marker=2),
            PromptPart(role="user", text="Question: q"),
        ),
    )
    return ScriptedServices(library=[REPORT, GUIDE], answers=[answer])


def test_the_panel_shows_what_the_model_saw(open_app: Open, tmp_path: Path) -> None:
    app = ask(open_app(asked_model(tmp_path)), "q")
    assert "1,234" not in page_html(app)

    app.button(key="seen-button-0").click().run()

    html = page_html(app)
    assert "[1] Figure 4 · report.pdf, p. 3 · Figure · picture, 400 × 300 px, PNG" in html
    assert html.index("[1] Figure 4") < html.index("[2] 3.2 Generation")
    assert "A long part · guide.html, p. 3 · did not fit into the model&#x27;s window" in html
    assert "1,234 in, 56 out, as the model&#x27;s server counted" in html
    assert "$0.0032" in html
    assert "812 ms" in html
    assert "2.3 s" in html
    prompt = next(code.value for code in app.code if "--- system ---" in code.value)
    assert "[1] figure, **report.pdf**\n(picture, 400 × 300 px, PNG, " in prompt
    assert prompt.endswith("Question: q")


def test_the_panel_shuts_again(open_app: Open, tmp_path: Path) -> None:
    app = ask(open_app(asked_model(tmp_path)), "q")

    app.button(key="seen-button-0").click().run()
    app.button(key="seen-button-0").click().run()

    assert "1,234 in" not in page_html(app)


def test_unknown_cost_and_estimated_tokens_are_called_so(open_app: Open, tmp_path: Path) -> None:
    services = asked_model(tmp_path)
    services.answers = [replace(services.answers[0], usage={}, dollars=None)]  # type: ignore[type-var]
    app = ask(open_app(services), "q")

    app.button(key="seen-button-0").click().run()

    assert "cost unknown" in page_html(app)
    assert "out, estimated" in page_html(app)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "No model was asked. "),
        ({"abstained": True}, "Nothing that was found is near enough"),
        ({"error": Failure(kind="key", message="The key was refused.")}, "The key was refused."),
    ],
    ids=["quotes", "nothing found", "failed"],
)
def test_quotes_say_that_no_model_was_asked(changes: dict[str, object], words: str) -> None:
    answer = replace(make_answer("q", "Words. [1]", HITS, mode="extractive"), **changes)  # type: ignore[arg-type]

    assert words in " ".join((*seen.no_model(answer), ""))
    assert [label for label, _ in seen.facts(answer)] == []


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(None, "cost unknown"), (0.0, "$0"), (0.00001, "under $0.0001"), (1.5, "$1.5000")],
)
def test_a_cost_is_said_in_words(dollars: float | None, words: str) -> None:
    assert outcome.cost(dollars) == words


def test_a_picture_that_could_not_be_sent_says_why() -> None:
    bare = make_hit(REPORT, "figure", "")
    worded = make_hit(REPORT, "figure", "Axis labels")

    assert "no further picture" in seen.why_not(bare, ANSWER)
    assert "did not fit" in seen.why_not(worded, ANSWER)


def test_a_thumb_and_a_word_are_kept_and_come_back(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    chat_id = only_chat(services)

    app.feedback(key=f"rate-{chat_id}-0").set_value(0).run()
    app.text_input(key=f"remark-{chat_id}-0").set_value("wrong page").run()

    turn = services.chats.kept[chat_id][0]
    assert (turn.rating, turn.remark) == (-1, "wrong page")
    again = reload(chat_id)
    assert again.feedback(key=f"rate-{chat_id}-0").value == 0
    assert again.text_input(key=f"remark-{chat_id}-0").value == "wrong page"


def test_a_thumb_can_be_taken_back(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    chat_id = only_chat(services)

    app.feedback(key=f"rate-{chat_id}-0").set_value(1).run()
    app.feedback(key=f"rate-{chat_id}-0").set_value(None).run()

    assert services.chats.kept[chat_id][0].rating == 0
    assert not any(str(box.key).startswith("remark-") for box in app.text_input)


def test_ratings_can_be_exported_once_there_are_some(open_app: Open) -> None:
    services = library()
    app = ask(open_app(services), "What rose?")
    assert not any("rating" in label for label in download_labels(app))

    app.feedback(key=f"rate-{only_chat(services)}-0").set_value(1).run()
    app.run()

    assert "Export 1 rating" in download_labels(app)


def download_labels(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]  # type: ignore[attr-defined]
