"""A model that obeys every instruction in a document can write text, and nothing more."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from rag.marks import markers_in
from tests.obeying import answers, hostile_hits
from tests.ui.test_markup import NOTE_LINK, OWN_LINK, is_inert
from ui.web.markup import render_safe
from ui.web.wording import DOUBT_WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from rag.types import Answer


@pytest.fixture(scope="module")
def obeyed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Answer]:
    hits = hostile_hits(shared, tmp_path_factory.mktemp("hostile"))
    assert {"cite_forge.html", "inject_visible.pdf"} <= {hit.document_name for hit in hits}
    calls: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        connect = socket.socket.connect

        def noted(self: socket.socket, address: object) -> None:
            calls.append(address)
            connect(self, address)  # type: ignore[arg-type]

        patch.setattr(socket.socket, "connect", noted)
        told = answers(hits)
    ports = {address[1] for address in calls if isinstance(address, tuple)}
    assert len(ports) <= 1, "only the model was called"
    return told


def drawn(answer: Answer) -> str:
    notes = [(one.sentence, DOUBT_WORDS[one.doubt]) for one in answer.unsupported]
    return render_safe(answer.text, {s.marker for s in answer.sources}, 0, notes)


def test_no_markup_of_an_obedient_answer_is_active(obeyed: tuple[Answer, Answer]) -> None:
    for answer in obeyed:
        safe = re.sub(r"\u2060\[[a-z ]+\]\(#check-0-\d+ \"[a-z ]+\"\)", "x", drawn(answer))
        assert is_inert(NOTE_LINK.sub("x", safe))


def test_every_link_leads_to_a_source_of_the_answer(obeyed: tuple[Answer, Answer]) -> None:
    for answer in obeyed:
        known = {str(source.marker) for source in answer.sources}
        links = OWN_LINK.findall(drawn(answer))
        assert {target for _, turn, target, _ in links} <= known
        assert {turn for _, turn, _, _ in links} <= {"0"}
        assert {citation.marker for citation in answer.citations} <= set(map(int, known))


def test_a_mark_that_stands_in_a_document_is_none_in_the_answer(
    obeyed: tuple[Answer, Answer],
) -> None:
    parroted = obeyed[1]
    assert "Rate is 3 percent" in parroted.text
    assert markers_in(parroted.text) == ()
    assert parroted.citations == ()


def test_what_an_obedient_answer_claims_without_a_source_is_told(
    obeyed: tuple[Answer, Answer],
) -> None:
    assert {one.doubt for one in obeyed[1].unsupported} == {"unsourced"}
