"""A question on its way: pictures, dropped files, what is found first, stop, try again, words."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rag.turn import AskedPicture, Turn
from rag.types import Answer, Failure, PromptPart, SentPicture
from tests.builders import make_png
from tests.ui.conftest import ask, page_html, page_text, settle
from tests.ui.scripted import (
    ScriptedServices,
    make_answer,
    make_document,
    make_hit,
    make_progress,
)
from tests.ui.scripted_chats import ScriptedChats
from ui.web import state, wording

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
GUIDE = make_document("guide.html", pages=None)
HITS = [make_hit(REPORT), make_hit(GUIDE)]
ANSWER = make_answer("What rose?", "Output rose 42 per cent. [1] Cost fell. [2]", HITS)
PNG = make_png((200, 120))


@pytest.fixture
def services(tmp_path: Path) -> ScriptedServices:
    chats = ScriptedChats(folder=tmp_path)
    return ScriptedServices(library=[REPORT, GUIDE], answers=[ANSWER], chats=chats)


def put(app: AppTest, words: str, *files: tuple[str, bytes]) -> AppTest:
    """Words and files into the chat box, and wait for an answer if there will be one."""
    box = app.chat_input(key="ask")
    box.set_value(words)
    for name, data in files:
        box.upload(name, data)
    app.run()
    return settle(app)


def announced(app: AppTest) -> str:
    return str(app.session_state[state.ANNOUNCED])


def alts(app: AppTest) -> list[str]:
    return [image.alt for found in app.image for image in found.proto.imgs]


# -- pictures ----------------------------------------------------------------------------


def test_a_picture_alone_is_asked_and_shown_under_its_name(
    open_app: Open, services: ScriptedServices
) -> None:
    app = put(open_app(services), "", ("plan.png", PNG))

    (picture,) = services.pictures
    assert picture is not None
    assert picture.size == (200, 120)
    assert services.asked[0][0] == ""
    assert ">Picture: plan.png</h2>" in page_html(app)
    assert "Picture of the question" in alts(app)
    (chat_id,) = services.chats.kept
    assert app.button(key=f"recent-{chat_id}").label == "Picture: plan.png"


def test_words_and_a_picture_go_together_and_follow_ups_are_told_of_it_in_words(
    open_app: Open, services: ScriptedServices
) -> None:
    app = put(open_app(services), "", ("plan.png", PNG))

    ask(app, "And why?")

    assert services.pictures[1] is None
    assert services.asked[1][2] == [("Picture: plan.png", ANSWER.text)]


def test_a_damaged_picture_is_refused_and_the_words_stay_in_the_box(
    open_app: Open, services: ScriptedServices
) -> None:
    app = put(open_app(services), "Which page is this?", ("plan.png", PNG[:60]))

    assert services.asked == []
    assert "<strong>plan.png was not used.</strong>" in page_html(app)
    assert app.chat_input(key="ask").value == "Which page is this?"
    assert announced(app).startswith("plan.png was not used.")


def test_of_two_pictures_the_first_is_asked_with_and_the_page_says_so(
    open_app: Open, services: ScriptedServices
) -> None:
    app = put(open_app(services), "", ("one.png", PNG), ("two.png", make_png((50, 50))))

    assert [picture.size for picture in services.pictures if picture] == [(200, 120)]
    assert "one.png was used, 1 picture left out." in page_html(app)


def test_a_document_dropped_on_the_chat_box_goes_to_the_library_and_nothing_is_asked(
    open_app: Open, services: ScriptedServices
) -> None:
    app = put(open_app(services), "What does it say?", ("new.pdf", b"words"))

    assert services.files == ["new.pdf"]
    assert services.asked == []
    assert "<strong>new.pdf was added to the library.</strong>" in page_html(app)
    assert app.chat_input(key="ask").value == "What does it say?"


def test_trying_again_asks_with_the_same_picture_of_the_same_documents(
    open_app: Open, services: ScriptedServices
) -> None:
    app = open_app(services)
    app.checkbox(key=f"tick-{GUIDE.id}").uncheck().run()
    put(app, "Which page?", ("plan.png", PNG))
    app.checkbox(key=f"tick-{GUIDE.id}").check().run()

    app.button(key="again-0").click().run()
    settle(app)

    assert services.asked[1] == ("Which page?", [REPORT.id], [])
    assert services.pictures[1] is not None
    assert page_html(app).count(">Which page?</h2>") == 2, "the first answer stays"
    assert [button.key for button in app.button if "again-" in str(button.key)] == ["again-1"]


def test_a_picture_that_is_no_longer_kept_is_not_asked_with_again(
    open_app: Open, services: ScriptedServices, tmp_path: Path
) -> None:
    app = put(open_app(services), "", ("plan.png", PNG))
    for file in tmp_path.glob("*.png"):
        file.unlink()

    app.button(key="again-0").click().run()

    assert len(services.asked) == 1
    assert "The picture plan.png is no longer kept." in page_html(app)


def test_the_panel_names_the_picture_that_the_model_was_sent(
    open_app: Open, services: ScriptedServices
) -> None:
    sent = SentPicture(
        sha256=None, media_type="image/png", width_px=200, height_px=120, size_bytes=900
    )
    parts = (PromptPart(role="user", text="note"), PromptPart(role="user", picture=sent))
    services.answers = [replace(ANSWER, prompt=parts, images_sent=1)]
    app = put(open_app(services), "", ("plan.png", PNG))

    app.button(key="seen-button-0").click().run()

    assert "plan.png · picture, 200 × 120 px, PNG, 1 kB" in page_html(app)
    assert alts(app).count("Picture of the question") == 2


# -- what is found, stop, words ----------------------------------------------------------


def test_what_was_found_is_shown_before_the_first_word(
    open_app: Open, services: ScriptedServices, tmp_path: Path
) -> None:
    crop = tmp_path / "crop.png"
    crop.write_bytes(PNG)
    hits = [make_hit(REPORT, "figure", caption="Figure 4", image_path=crop), *HITS]
    services.answers = [make_answer("q", "Rose. [1]", hits)]
    services.hold = threading.Event()
    app = open_app(services)

    app.chat_input(key="ask").set_value("What rose?").run()
    for _ in range(100):
        if "Found" in page_html(app):
            break
        app.run()

    html = page_html(app)
    assert "Found 3 sources. Writing the answer" in html
    assert 'class="f-plate" href="#cite-0-1"' in html
    assert html.count('class="f-card"') == 3
    assert announced(app) == "Answering"
    services.hold.set()
    assert announced(settle(app)) == "Answer ready, 3 sources"


def test_before_anything_is_found_the_page_says_how_much_is_searched(
    open_app: Open, services: ScriptedServices
) -> None:
    services.hold_search = threading.Event()
    app = open_app(services)

    app.chat_input(key="ask").set_value("What rose?").run()

    assert "Searching 2 documents<" in page_html(app)
    services.hold_search.set()
    settle(app)


def test_a_stopped_answer_keeps_words_and_sources_and_can_be_tried_again(
    open_app: Open, services: ScriptedServices
) -> None:
    services.hold = threading.Event()
    app = open_app(services)
    app.chat_input(key="ask").set_value("What rose?").run()

    app.button(key="stop").click().run()
    services.hold.set()
    settle(app)

    html = page_html(app)
    assert "<strong>You stopped this answer.</strong>" in html
    assert html.count('class="f-card"') == 2
    assert announced(app) == "You stopped this answer."
    assert app.button(key="again-0").label == "Try again"


def test_a_model_without_eyes_is_told_of_in_a_badge_and_not_twice(
    open_app: Open, services: ScriptedServices
) -> None:
    from rag.answer import PICTURES_HIDDEN_TEXT

    text = f"Output rose. [1]\n\n{PICTURES_HIDDEN_TEXT}"
    services.answers = [replace(ANSWER, text=text, unseen_pictures=2)]

    app = ask(open_app(services), "What rose?")

    assert "This model cannot see pictures. Captions were used." in page_html(app)
    assert PICTURES_HIDDEN_TEXT not in page_text(app)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (replace(ANSWER, prompt=(PromptPart(role="user", text="q"),)), "Yours was searched with."),
        (
            replace(ANSWER, prompt=(PromptPart(role="user", text="q"),), images_sent=1),
            "Your picture was not sent",
        ),
        (replace(ANSWER, unseen_pictures=1), "Captions were used."),
    ],
    ids=["no eyes", "no room", "pictures among the sources"],
)
def test_a_picture_that_the_model_was_not_shown_is_told_of(answer: Answer, words: str) -> None:
    ((_, said),) = wording.blind_badges(answer, with_picture=True)

    assert words in said


def test_a_failed_model_leaves_passages_and_figures_and_is_announced(
    open_app: Open, services: ScriptedServices
) -> None:
    failure = Failure(kind="unreachable", message="It does not answer. Start it.")
    services.answers = [replace(ANSWER, mode="extractive", error=failure)]

    app = ask(open_app(services), "What rose?")

    assert "Here are the passages and figures that match." in page_html(app)
    assert announced(app) == "The language model did not answer. 2 sources found"


def test_an_answer_that_broke_off_says_so_once(open_app: Open, services: ScriptedServices) -> None:
    failure = Failure(kind="cut_off", message="The answer broke off. Ask again for the whole.")
    services.answers = [replace(ANSWER, mode="llm", finish="cut_off", error=failure)]

    html = page_html(ask(open_app(services), "What rose?"))

    assert "Try again for the whole of it." in html
    assert html.count("broke off") == 1


def test_an_unforeseen_error_can_be_tried_again(open_app: Open, services: ScriptedServices) -> None:
    services.answers = [RuntimeError("secret"), ANSWER]
    app = ask(open_app(services), "What rose?")
    assert "Your documents are safe." in announced(app)

    app.button(key="again-0").click().run()
    settle(app)

    assert "(#cite-1-1" in page_text(app)


def test_an_answer_over_documents_half_read_names_them() -> None:
    assert wording.still_read(["scan.pdf"]) == "Answered while scan.pdf was still being read"
    assert wording.still_read(["a", "b"]) == "Answered while 2 documents were still being read"


def test_the_scope_line_counts_figures_that_are_being_made() -> None:
    reading = make_document("scan.pdf", "readable")
    running = [make_progress(reading, pages=(12, 12), figures=(14, 37))]

    line = wording.scope_line(2, 3, 1, wording.figures_line(running))

    assert line == ("Searching 2 of 3 documents, 1 still being read. Text ready, 14 of 37 figures")


def test_a_note_on_the_question_stands_in_its_own_words(
    open_app: Open, services: ScriptedServices
) -> None:
    note = "Nothing in the library looks like this picture. Add a few words."
    services.answers = [replace(ANSWER, notes=(note,))]

    html = page_html(put(open_app(services), "", ("plan.png", PNG)))

    assert "<strong>Nothing in the library looks like this picture.</strong> Add a few" in html


def test_a_question_asked_again_counts_once_in_what_the_model_is_told(
    open_app: Open, services: ScriptedServices
) -> None:
    app = ask(open_app(services), "What rose?")
    app.button(key="again-0").click().run()
    settle(app)

    ask(app, "And why?")

    assert services.asked[2][2] == [("What rose?", ANSWER.text)]


def test_a_turn_without_words_is_called_by_its_picture() -> None:
    picture = AskedPicture(name="plan.png", sha256="0" * 64)

    assert Turn(question="", picture=picture).title == "Picture: plan.png"
    assert Turn(question="Which?", picture=picture).title == "Which?"
