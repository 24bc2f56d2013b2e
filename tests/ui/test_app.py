"""The screens, run without a browser on scripted services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import ConfigError
from rag.types import Failure, Unsupported
from tests.builders import make_png
from tests.ui.conftest import ask, page_html, page_text, settle
from tests.ui.scripted import (
    ScriptedServices,
    make_answer,
    make_document,
    make_hit,
    make_progress,
    make_status,
)
from ui.suggestions import BY_PICTURE, Suggestion

if TYPE_CHECKING:
    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
GUIDE = make_document("guide.html", pages=None)
ANSWER = make_answer(
    "What rose?", "Output rose 42 per cent. [1] Cost fell. [2]", [make_hit(REPORT), make_hit(GUIDE)]
)


def test_empty_library_offers_a_drop_zone_and_the_sample(open_app: Open) -> None:
    app = open_app(ScriptedServices())

    assert "Ask your documents" in page_html(app)
    assert app.button(key="add-sample").label == "Use the sample documents"
    assert app.chat_input(key="ask").disabled
    assert "Add a document to start asking" in page_html(app)


def test_sample_button_queues_the_sample(open_app: Open) -> None:
    services = ScriptedServices()
    app = open_app(services)

    app.button(key="add-sample").click().run()

    assert [document.name for document in services.library] == ["sample.pdf"]
    assert not app.chat_input(key="ask").disabled


def test_answer_links_its_marks_and_lists_its_sources(open_app: Open) -> None:
    app = ask(open_app(ScriptedServices(library=[REPORT, GUIDE], answers=[ANSWER])), "What rose?")

    html = page_html(app)
    assert '<h2 class="f-q" dir="auto">What rose?</h2>' in html
    assert "(#cite-0-1" in page_text(app)
    assert 'href="#cite-0-2"' in html
    assert "Every sentence supported" in html
    assert "report.pdf, p. 3" in html


def test_second_question_carries_the_first_as_history(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=[ANSWER])
    app = ask(open_app(services), "What rose?")

    ask(app, "And why?")

    assert services.asked[1][2] == [("What rose?", ANSWER.text)]
    assert page_html(app).count('class="f-q"') == 2
    assert "(#cite-1-1" in page_text(app)


def test_a_ticked_off_document_is_not_searched(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE], answers=[ANSWER])
    app = open_app(services)

    app.checkbox(key=f"tick-{GUIDE.id}").uncheck().run()
    ask(app, "What rose?")

    assert "Searching 1 of 2 documents" in page_html(app)
    assert services.asked[0][1] == [REPORT.id]


def test_with_all_documents_ticked_nothing_is_filtered(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE], answers=[ANSWER])

    ask(open_app(services), "What rose?")

    assert services.asked[0][1] == []


def test_with_no_document_ticked_the_chat_box_says_so(open_app: Open) -> None:
    app = open_app(ScriptedServices(library=[REPORT]))

    app.checkbox(key=f"tick-{REPORT.id}").uncheck().run()

    assert app.chat_input(key="ask").disabled
    assert "No document is ticked" in page_html(app)


def test_failed_model_shows_its_reason_and_the_quotes(open_app: Open) -> None:
    failure = Failure(kind="unreachable", message="The model does not answer. Start it.")
    answer = make_answer(
        "q", "Output rose -> [1]", [make_hit(REPORT)], mode="extractive", error=failure
    )

    app = ask(open_app(ScriptedServices(library=[REPORT], answers=[answer])), "What rose?")

    html = page_html(app)
    assert "The language model did not answer." in html
    assert "The model does not answer. Start it." in html
    assert "Output rose -&gt;" in html, "a quote stays word for word"
    assert "Passages from your documents" in html
    assert app.button(key="again-0").label == "Try again"


def test_abstaining_shows_the_closest_passages_and_nothing_red(open_app: Open) -> None:
    answer = make_answer(
        "q",
        "The documents do not answer this.",
        [make_hit(REPORT)],
        cited=(),
        mode="extractive",
        abstained=True,
    )

    html = page_html(ask(open_app(ScriptedServices(library=[REPORT], answers=[answer])), "Pay?"))

    assert "Closest passages" in html
    assert "No answer in these documents" in html
    assert "f-err" not in html


def test_unsupported_sentences_are_counted_and_named(open_app: Open) -> None:
    wrong = Unsupported(sentence="Output rose 12.", markers=(1,), reason="number not found")
    answer = make_answer("q", "Output rose 12. [1]", [make_hit(REPORT)], unsupported=(wrong,))

    html = page_html(ask(open_app(ScriptedServices(library=[REPORT], answers=[answer])), "q"))

    assert "1 sentence to check" in html
    assert "number not found" in html
    assert 'id="check-0-0"' in html


def test_weak_support_is_told_more_quietly_than_a_wrong_number(open_app: Open) -> None:
    doubts = (
        Unsupported(sentence="Output rose.", markers=(1,), reason="few words", doubt="weak"),
        Unsupported(sentence="The bar is tall.", markers=(1,), reason="picture", doubt="figure"),
    )
    text = "Output rose. [1] The bar is tall. [1]"
    answer = make_answer("q", text, [make_hit(REPORT)], unsupported=doubts)

    html = page_html(ask(open_app(ScriptedServices(library=[REPORT], answers=[answer])), "q"))

    assert "1 sentence weakly supported" in html
    assert "see the figure" in html
    assert "to check" not in html.replace("What to check", "")
    assert "Every sentence supported" not in html


def test_a_bug_in_an_answer_shows_a_reference_and_no_trace(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=[RuntimeError("secret detail")])

    app = ask(open_app(services), "What rose?")

    html = page_html(app)
    assert "Something went wrong (ref " in html
    assert "Your documents are safe." in html
    assert "secret detail" not in html + page_text(app)
    assert not app.exception


def test_a_library_that_cannot_be_opened_is_one_sentence(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(ScriptedServices())

    def refuse(_settings: object) -> None:
        message = "The data folder is in use. Close the other Folio."
        raise ConfigError(message)

    monkeypatch.setattr("ui.services.build", refuse)
    import streamlit as st

    st.cache_resource.clear()
    app.run()

    assert "The data folder is in use. Close the other Folio." in page_html(app)
    assert not app.exception


def test_refused_files_get_their_own_sentences_and_the_rest_goes_on(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    app = open_app(services)

    app.file_uploader(key="slim-0").set_value(
        [
            ("locked.pdf", b"secret", "application/pdf"),
            ("copy.pdf", b"the same", "application/pdf"),
            ("odd.pdf", b"bug", "application/pdf"),
            ("good.pdf", b"words", "application/pdf"),
        ]
    ).run()

    html = page_html(app)
    assert services.files == ["locked.pdf", "copy.pdf", "odd.pdf", "good.pdf"]
    assert "<strong>locked.pdf was not added.</strong> It is protected by a password." in html
    assert "<strong>copy.pdf has the same content as report.pdf.</strong> Not added again." in html
    assert "<strong>odd.pdf was not added.</strong> Something went wrong (ref " in html
    assert "boom inside" not in html
    assert any(document.name == "good.pdf" for document in services.library)
    assert app.file_uploader(key="slim-1").value == [], "the widget lets go of the bytes"


def test_notices_stay_until_dismissed(open_app: Open) -> None:
    app = open_app(ScriptedServices(library=[REPORT]))
    app.file_uploader(key="slim-0").set_value([("locked.pdf", b"secret", "application/pdf")]).run()

    app.button(key="dismiss").click().run()

    assert "was not added" not in page_html(app)


def test_while_a_file_is_read_the_page_says_how_far_and_can_be_asked(open_app: Open) -> None:
    reading = make_document("scan.pdf", "readable", pages=12, pending=23)
    services = ScriptedServices(library=[REPORT, reading], answers=[ANSWER])
    services.running = [make_progress(reading, pages=(12, 12), figures=(14, 37))]

    app = ask(open_app(services), "What rose?")

    html = page_html(app)
    assert "Text is ready. 14 of 37 figures" in html
    assert "Its text can be searched now; 14 of 37 figures are ready." in html
    assert "Answered while scan.pdf was still being read" in html
    assert "Searching 2 documents. Text ready, 14 of 37 figures" in html


def test_a_file_that_fails_while_it_is_read_says_why_where_the_visitor_is(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, make_document("locked.pdf", "working")])
    app = open_app(services)

    failure = Failure(kind="encrypted", message="It needs a password.")
    services.library[1] = make_document("locked.pdf", "failed", error=failure)
    app.run()

    assert "<strong>locked.pdf was not read.</strong> It needs a password." in page_html(app)
    app.run()
    assert page_html(app).count("locked.pdf was not read.") == 1


def test_cancel_stops_the_reading_and_says_so(open_app: Open) -> None:
    reading = make_document("scan.pdf", "working", pages=None)
    services = ScriptedServices(library=[REPORT, reading])
    services.running = [make_progress(reading, pages=(3, 58))]
    app = open_app(services)

    app.button(key=f"acts-cancel-side-{reading.id}").click().run()

    assert services.cancelled == [reading.id]
    assert "<strong>scan.pdf is not read.</strong> Nothing of it is kept." in page_html(app)


@pytest.mark.parametrize(
    "question",
    ["x" * 10_000, "什么推动了产量的增长？", "ما الذي رفع الإنتاج؟", "<b>bold</b> $5 :red[x]"],
    ids=["ten thousand characters", "chinese", "arabic", "markup"],
)
def test_odd_questions_are_shown_as_they_are(open_app: Open, question: str) -> None:
    from html import escape

    services = ScriptedServices(library=[REPORT], answers=[ANSWER])

    app = ask(open_app(services), question)

    assert services.asked[0][0] == question
    assert f">{escape(question)}</h2>" in page_html(app)


def test_a_blank_question_starts_nothing(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=[ANSWER])

    ask(open_app(services), "   ")

    assert services.asked == []


def test_suggestions_are_asked_with_a_click(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=[ANSWER], tries=["What rose?"])
    app = open_app(services)

    app.button(key="suggest-0").click().run()
    settle(app)

    assert services.asked[0][0] == "What rose?"


def test_a_suggested_picture_is_asked_with(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "stored.png"
    stored.write_bytes(make_png())
    services = ScriptedServices(library=[REPORT], answers=[ANSWER])
    made = Suggestion(kind="picture", question=BY_PICTURE, picture_sha256="ab" * 32)
    monkeypatch.setattr(services, "suggestions", lambda: [made])
    monkeypatch.setattr(services, "picture_path", lambda _sha256: stored)
    app = open_app(services)

    app.button(key="suggest-0").click().run()
    settle(app)

    assert services.asked[0][0] == BY_PICTURE
    assert services.pictures[0] is not None


def test_new_question_clears_the_conversation(open_app: Open) -> None:
    app = ask(open_app(ScriptedServices(library=[REPORT], answers=[ANSWER])), "What rose?")

    app.button(key="new-question").click().run()

    assert 'class="f-q"' not in page_html(app)


def test_pictures_among_the_sources_become_plates(open_app: Open, tmp_path: Path) -> None:
    crop = tmp_path / "crop.png"
    crop.write_bytes(make_png())
    hit = make_hit(REPORT, "figure", caption="Figure 4. Output", image_path=crop)
    services = ScriptedServices(library=[REPORT], answers=[make_answer("q", "Rose. [1]", [hit])])

    app = ask(open_app(services), "What rose?")

    assert 'class="f-plate" href="#cite-0-1"' in page_html(app)
    crop.unlink()
    assert 'class="f-plate"' not in page_html(app.run()), "its document was deleted"


def test_started_by_hand_the_page_says_so_and_reads_no_markdown(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = ScriptedServices(library=[REPORT], answers=[ANSWER])
    app = open_app(services)
    monkeypatch.delenv("FOLIO_SERVE_CHILD")

    ask(app, "What rose?")

    assert "Start it with: make app" in page_html(app)
    assert [text.value for text in app.text] == [ANSWER.text]
    assert ANSWER.text not in "".join(m.value for m in app.markdown)


def test_sidebar_says_who_searches_and_who_answers(open_app: Open) -> None:
    status = make_status(model="openai/test", sees_pictures=True, local_only=False)

    html = page_html(open_app(ScriptedServices(state=status)))

    assert "Search: minilm, on this computer" in html
    assert "Answers: openai/test, sees pictures" in html
    assert "Nothing leaves this computer" not in html


def test_a_hostile_file_name_is_shown_letter_by_letter(open_app: Open) -> None:
    name = "![x](http://127.0.0.1:1/a)<b>$5$:red[x].pdf"
    app = open_app(ScriptedServices(library=[make_document(name)]))

    label = app.checkbox[0].label
    assert "![" not in label
    assert "](" not in label
    assert ":red[" not in label
