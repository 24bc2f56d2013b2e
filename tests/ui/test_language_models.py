"""The language model's part of the Models page, on the real `Answering`, without a browser."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from streamlit.util import calc_hash

from rag.llm_facts import ModelFacts
from rag.llm_keys import FILE_NAME
from rag.spending import Spent
from tests.openai_server import ModelServer, Request, refuses, says
from tests.ui.conftest import page_html
from tests.ui.scripted import ScriptedServices, make_status
from tests.ui.scripted_answering import make_answering
from ui.web.language_models import price_words, spent_words

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open
    from ui.answering import Answering

KEY = "sk-proj-abcdefghij1234567890"


def _open(open_app: Open, desk: Answering) -> AppTest:
    app = open_app(ScriptedServices(answering=desk))
    app._page_hash = calc_hash("models")
    return app.run()


def _press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def _everything(app: AppTest) -> str:
    """What the session holds and what the page was sent."""
    return repr(app.session_state) + "".join(str(element) for element in app.main)


def test_without_a_model_the_page_tells_how_to_answer_without_a_cloud(open_app: Open) -> None:
    app = _open(open_app, make_answering())

    assert "Quotes only" in page_html(app)
    assert "No model, key or Ollama was found." in page_html(app)
    assert any("gemma3:4b" in words.value for words in app.markdown)


def test_a_found_key_names_its_variable_and_shows_price_window_and_eyes(open_app: Open) -> None:
    desk = make_answering(found={"openai_api_key": KEY})
    desk.learn()
    app = _open(open_app, desk)

    html = page_html(app)
    assert "openai/gpt-5.4-mini" in html
    assert "Found OPENAI_API_KEY." in html
    assert "272,000 tokens" in html
    assert "$0.75 in, $4.50 out, a million tokens" in html
    assert "Sent to its provider" in html
    assert KEY not in _everything(app)


def test_a_model_is_chosen_from_the_list_and_the_choice_is_undone(open_app: Open) -> None:
    desk = make_answering(found={"openai_api_key": KEY})
    app = _open(open_app, desk)

    app.selectbox[0].select("mistral/mistral-small-latest")
    _press(app, "Use this model")
    assert desk.choice().model == "mistral/mistral-small-latest"
    assert "Chosen on the Models page." in page_html(app)

    _press(app, "Undo the choice")
    assert desk.choice().model == "openai/gpt-5.4-mini"
    _press(app, "Quotes only")
    assert desk.choice().model is None


def test_an_address_that_is_none_is_refused_in_one_sentence(open_app: Open) -> None:
    desk = make_answering(found={"openai_api_key": KEY})
    app = _open(open_app, desk)

    app.text_input(key="llm-address").set_value("box:8000")
    _press(app, "Use this model")

    assert "The address must begin with http:// or https://." in page_html(app)
    assert desk.wish().model == ""


def test_a_setting_cannot_be_overruled_here(open_app: Open) -> None:
    app = _open(open_app, make_answering(model="openai/gpt-5.5"))

    assert "FOLIO_LLM__MODEL is set. Take it out to choose a model here." in page_html(app)
    assert not app.selectbox


@pytest.mark.parametrize("in_file", [False, True], ids=["for the session", "in a file"])
def test_a_key_is_used_and_nothing_of_the_session_or_the_page_holds_it(
    open_app: Open, tmp_path: Path, in_file: bool
) -> None:
    desk = make_answering(tmp_path, model="mistral/mistral-small-latest")
    app = _open(open_app, desk)

    app.text_input(key="llm-key").set_value(f" {KEY}\n")
    if in_file:
        app.checkbox(key="llm-keep").check()
    _press(app, "Use this key")

    key = desk.choice().settings.api_key
    assert key is not None
    assert key.get_secret_value() == KEY
    assert KEY not in _everything(app)
    assert "Entered here" in page_html(app)
    path = tmp_path / FILE_NAME
    assert path.exists() is in_file
    assert not in_file or stat.S_IMODE(path.stat().st_mode) == 0o600

    app.button(key="llm-forget").click().run()
    assert desk.choice().settings.api_key is None
    assert not path.exists()


def test_what_is_no_key_is_refused(open_app: Open) -> None:
    desk = make_answering(model="mistral/mistral-small-latest")
    app = _open(open_app, desk)

    _press(app, "Use this key")

    assert "This is no key." in page_html(app)


def _reads(request: Request) -> str:
    """What a model with eyes would say: the picture is compared with drawn numbers."""
    from rag.llm_hello import draw_number

    sent = next(p["image_url"]["url"] for p in request.parts if p["type"] == "image_url")
    return next(str(n) for n in range(1000, 10_000) if draw_number(str(n)) == sent)


def test_hello_tells_that_the_picture_was_read_and_how_soon(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _below: 34)
    with ModelServer(lambda request: says("Hello! ", _reads(request))) as server:
        desk = make_answering(model="my-model", api_base=server.base_url, api_key=KEY)
        app = _open(open_app, desk)
        app.button(key="llm-hello").click().run()

    html = page_html(app)
    assert "It says: Hello! 1034" in html
    assert "It read the number in the picture. First word after" in html
    assert "1 call, 18 tokens, cost unknown" in html


def test_hello_to_a_model_without_eyes_is_tried_again_in_words(open_app: Open) -> None:
    blind = refuses(400, "my-model is not a multimodal model")
    with ModelServer(blind, says("Hello!")) as server:
        desk = make_answering(model="my-model", api_base=server.base_url, api_key=KEY)
        app = _open(open_app, desk)
        app.button(key="llm-hello").click().run()
        assert [request.image_count for request in server.requests] == [1, 0]

    assert "It says: Hello!" in page_html(app)
    assert "It did not read the picture." in page_html(app)


def test_a_failed_hello_shows_its_kind_and_sentence_and_no_key(open_app: Open) -> None:
    with ModelServer(refuses(401, f"Incorrect API key provided: {KEY}")) as server:
        desk = make_answering(model="my-model", api_base=server.base_url, api_key=KEY)
        app = _open(open_app, desk)
        app.button(key="llm-hello").click().run()

    assert "It did not answer (key)." in page_html(app)
    assert "The model server refused the key." in page_html(app)
    assert KEY not in _everything(app)


def test_a_daily_limit_is_set_here(open_app: Open) -> None:
    desk = make_answering(found={"openai_api_key": KEY})
    app = _open(open_app, desk)

    app.number_input(key="llm-cap").set_value(1.5)
    _press(app, "Set the limit")

    assert desk.cap() == 1.5


def test_sidebar_and_about_say_who_answers_and_why(open_app: Open) -> None:
    status = make_status(model="openai/gpt-5.4-mini", sees_pictures=True, local_only=False)
    status = type(status)(
        **{name: getattr(status, name) for name in status.__slots__}
        | {"reason": "found OPENAI_API_KEY"}
    )
    app = open_app(ScriptedServices(state=status))
    assert "openai/gpt-5.4-mini, sees pictures (found OPENAI_API_KEY)" in page_html(app)

    app._page_hash = calc_hash("about")
    app.run()
    assert "openai/gpt-5.4-mini (found OPENAI_API_KEY)." in page_html(app)


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        (Spent(), "Nothing"),
        (
            Spent(call_count=1, prompt_tokens=900, unpriced_count=1),
            "1 call, 900 tokens, cost unknown",
        ),
        (Spent(call_count=2, prompt_tokens=1_500), "2 calls, 1,500 tokens, free"),
        (
            Spent(call_count=3, prompt_tokens=1_500, dollars=0.128, unpriced_count=1),
            "3 calls, 1,500 tokens, about $0.13; 1 of unknown cost",
        ),
    ],
)
def test_what_was_used_today_in_words(spent: Spent, words: str) -> None:
    assert spent_words(spent) == words


def test_a_price_in_words() -> None:
    assert price_words(ModelFacts(sees_pictures=True)) == "Price unknown"
    free = ModelFacts(sees_pictures=True, input_price=0.0, output_price=0.0)
    assert price_words(free) == "Free, on your own machine"
