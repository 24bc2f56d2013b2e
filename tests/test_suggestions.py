"""Questions to try: one of each kind, each found where it was made, for any library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html, make_paper
from tests.test_pipeline import settings_for
from ui.services import Services, build
from ui.suggestions import BY_PICTURE, Suggestion, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = make_html(
    "<h2>Gulls of the harbour</h2><p>The gulls of the harbour nest on the roofs of the fish market"
    " and are counted each spring by two wardens, who write down every pair they see.</p>"
    "<h2>Ferries to the island</h2><p>Two ferries go to the island on weekdays, one on Sundays.</p>"
    "<table><tr><th>Ferry</th><th>Seats on deck</th></tr><tr><td>Morning boat</td><td>41</td></tr>"
    "<tr><td>Evening boat</td><td>7</td></tr></table>"
)
CORPUS = (
    "pdf/embedded-images-tables.pdf",
    "html/readability-wikipedia.html",
    "html/readability-v8-blog.html",
)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(settings_for(tmp_path / "library"))
    yield opened
    opened.close()


def read(services: Services, name: str, data: bytes) -> None:
    document = services.pipeline.admit(name, data).document
    assert services.pipeline.run(document.id).state == "ready"


def checked(services: Services) -> list[Suggestion]:
    """Those of a warm library."""
    services.suggestions()
    services._suggestions.wait(60)
    return services.suggestions()


def test_an_empty_library_suggests_nothing(services: Services) -> None:
    assert services.suggestions() == []


def test_own_documents_are_asked_about_by_what_is_in_them(services: Services) -> None:
    read(services, "gulls.html", PAGE)
    read(services, "paper.pdf", make_paper(figures=1))

    by_kind = {one.kind: one.question for one in checked(services)}

    assert by_kind["text"] == "What is said about “Gulls of the harbour”?"
    assert by_kind["table"] == "What is given for Red under “Yield”?"  # of the newest
    assert by_kind["picture"] == BY_PICTURE


def test_a_question_that_does_not_lead_to_its_item_is_left_out(services: Services) -> None:
    read(services, "gulls.html", PAGE)

    found = suggest(services.library, "local", Path("/nowhere"), is_found=lambda _made: False)

    assert found == []


def test_what_is_added_comes_before_the_sample(sample_services: Services) -> None:
    before = {one.kind: one.question for one in checked(sample_services)}

    read(sample_services, "gulls.html", PAGE)
    after = {one.kind: one.question for one in checked(sample_services)}

    assert set(before) == {"text", "figure", "table", "unanswerable", "picture"}
    assert "Gulls" in after["text"]
    assert after["figure"] == before["figure"]
    assert after["unanswerable"] == before["unanswerable"]


def test_the_picture_of_a_suggestion_is_found_again(sample_services: Services) -> None:
    (made,) = [one for one in checked(sample_services) if one.kind == "picture"]

    assert made.picture_sha256
    assert sample_services._suggestions.first_hit(made) == made.item_id


@pytest.mark.parametrize("name", CORPUS)
def test_suggestions_for_foreign_documents_lead_to_their_items(
    services: Services, shared: Path, name: str
) -> None:
    read(services, Path(name).name, (shared / "corpus" / name).read_bytes())

    made = checked(services)

    assert made
    for one in made:
        assert services._suggestions.first_hit(one) == one.item_id, one.question
