"""The Models page and the offer on Ask, run without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streamlit.util import calc_hash

from rag.embed.catalogue import CATALOGUE
from tests.ui.conftest import page_html
from tests.ui.scripted import ScriptedServices, make_document
from tests.ui.scripted_models import ScriptedModels, make_rows
from ui.models import ModelJob, Offer
from ui.web import wording

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

OFFER = Offer(
    name="nomic", strong="nomic is ready.", rest="Nothing is read again.", can_dismiss=True
)


def _open(open_app: Open, models: ScriptedModels) -> AppTest:
    services = ScriptedServices(library=[make_document("report.pdf")], models=models)
    app = open_app(services)
    app._page_hash = calc_hash("models")
    return app.run()


def test_every_model_has_a_card_with_licence_size_and_one_button(open_app: Open) -> None:
    app = _open(open_app, ScriptedModels())

    html = page_html(app)
    for facts in CATALOGUE:
        assert f'<h2 class="f-model">{facts.name}</h2>' in html
        assert [b.key for b in app.button].count(f"do-model-{facts.name}") == 1
    assert "Commercial use allowed" in html
    assert "547.6 MB to download" in html
    assert "about 4 min" in html
    assert app.button(key="do-model-minilm").disabled


def test_a_model_that_is_absent_is_fetched_and_one_that_is_here_is_switched_to(
    open_app: Open,
) -> None:
    models = ScriptedModels(listed=make_rows(nomic="ready"))
    app = _open(open_app, models)

    app.button(key="do-model-nomic").click().run()
    app.button(key="do-model-nomic-text").click().run()

    assert models.done == [("switch", "nomic"), ("fetch", "nomic-text")]


def test_a_switch_that_is_refused_gets_its_sentence(open_app: Open) -> None:
    models = ScriptedModels(listed=make_rows(nomic="ready"), refusal="The weights are damaged.")
    app = _open(open_app, models)

    app.button(key="do-model-nomic").click().run()

    assert "nomic is not used." in page_html(app)
    assert "The weights are damaged." in page_html(app)


def test_a_non_commercial_model_asks_for_acceptance_first(open_app: Open) -> None:
    models = ScriptedModels(listed=make_rows(jina="licence"))
    app = _open(open_app, models)

    app.button(key="do-model-jina").click().run()
    assert "no commercial use" in page_html(app)
    assert app.button(key="accept").disabled
    app.checkbox(key="agree").check().run()
    app.button(key="accept").click().run()

    assert models.done == [("accept", "jina")]


def test_a_notice_of_the_model_in_use_stands_on_its_card(open_app: Open) -> None:
    app = _open(open_app, ScriptedModels(listed=make_rows(minilm="ready", jina="in_use")))

    assert "Non-commercial use only" in page_html(app)
    assert "CC BY-NC 4.0: no commercial use" in page_html(app)


def test_a_model_for_pictures_says_which_text_model_stands_beside_it_and_why(
    open_app: Open,
) -> None:
    html = page_html(_open(open_app, ScriptedModels()))

    assert "Pictures only, beside minilm for text" in html
    assert "It reads 77 tokens of a text, less than a passage" in html


def test_a_setting_that_fixes_the_model_is_said_and_switches_are_shut(open_app: Open) -> None:
    app = _open(open_app, ScriptedModels(listed=make_rows(nomic="ready"), fixed="minilm"))

    assert "FOLIO_EMBED__MODEL is set to minilm." in page_html(app)
    assert app.button(key="do-model-nomic").disabled


def test_progress_shows_numbers_and_can_be_stopped(open_app: Open) -> None:
    job = ModelJob(kind="switch", name="nomic", done=412, total=1230, remaining_s=250.0)
    models = ScriptedModels(running=[job])
    app = _open(open_app, models)

    assert "412 of 1,230 vectors, about 4 min left" in page_html(app)
    app.button(key="acts-stop-main-switch").click().run()

    assert models.done == [("stop", "switch")]


def test_a_failure_stays_until_it_is_dismissed(open_app: Open) -> None:
    job = ModelJob(kind="fetch", name="nomic", failure="The disk is full.", is_over=True)
    app = _open(open_app, ScriptedModels(running=[job]))

    assert "nomic was not fetched." in page_html(app)
    assert "The disk is full." in page_html(app)
    app.button(key="acts-forget-main-fetch").click().run()

    assert "The disk is full." not in page_html(app)


def test_the_offer_stands_on_ask_with_its_estimate(open_app: Open) -> None:
    models = ScriptedModels(offered=OFFER)
    services = ScriptedServices(library=[make_document("report.pdf")], models=models)
    app = open_app(services)

    assert "nomic is ready." in page_html(app)
    assert app.button(key="offer-switch").label == "Index with nomic, about 4 min"
    app.button(key="offer-switch").click().run()
    app.button(key="offer-dismiss").click().run()

    assert models.done == [("switch", "nomic"), ("dismiss", "")]
    assert "nomic is ready." not in page_html(app)


def test_an_index_that_must_be_made_again_cannot_be_dismissed(open_app: Open) -> None:
    models = ScriptedModels(offered=replace(OFFER, can_dismiss=False))
    app = open_app(ScriptedServices(library=[make_document("report.pdf")], models=models))

    assert "offer-dismiss" not in [button.key for button in app.button]


def test_progress_of_a_fetch_counts_bytes() -> None:
    job = ModelJob(kind="fetch", name="nomic", done=312_000_000, total=919_400_000)

    assert wording.model_job(job) == ("Fetching nomic", "312.0 MB of 919.4 MB")
    assert wording.model_job(replace(job, done=0, total=0))[1] == "Asking the hub"
