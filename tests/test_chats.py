"""Kept conversations: real library, real files, a real answer from a scripted model server."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from evals.sets import read_set
from rag.errors import ConfigError
from rag.library import Place
from rag.library.chats import ChatTable
from rag.library.database import MIGRATIONS, Database
from rag.prompt import QUESTION_PICTURE_NOTE
from rag.record import read_turn, write_turn
from rag.settings import EmbedSettings, Settings, StoreSettings
from rag.turn import GONE_PROMPT, GONE_QUOTE, Turn
from rag.types import Done
from tests.builders import PageSpec, make_pdf, make_png
from tests.conftest import copy_library
from tests.openai_server import ModelServer, says
from ui.question_picture import NewPicture, new_picture, picture_again
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.types import Answer

QUESTION = "How long is the blade of the Puffin turbine?"
SAID = "The blade of the Puffin turbine is 41 metres long [1]."
BLADE = "The blade of the Puffin turbine is 41 metres long and made of glass fibre."
PICTURE = "Figure 1. The blade of the Puffin turbine on its lorry."


def settings_at(folder: Path) -> Settings:
    return Settings(
        data_dir=folder, embed=EmbedSettings(model="minilm"), store=StoreSettings(reserve_mb=0)
    )


def blade_pdf() -> bytes:
    pages = [
        PageSpec(lines=[BLADE, "It was cast in Ollen in the spring of 2021 by nine people."]),
        PageSpec(
            lines=[(400.0, 11.0, PICTURE)],
            pictures=[((72.0, 100.0, 400.0, 380.0), make_png((820, 700)))],
        ),
    ]
    return make_pdf(pages)


def other_pdf() -> bytes:
    line = "The tower of the Puffin turbine is 88 metres high and stands in the Ollen strait."
    return make_pdf([PageSpec(lines=[line])])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with both documents, read once; each test gets a copy."""
    folder = tmp_path_factory.mktemp("library") / "data"
    opened = build(settings_at(folder))
    for name, data in (("blade.pdf", blade_pdf()), ("tower.pdf", other_pdf())):
        opened.pipeline.run(opened.pipeline.admit(name, data).document.id)
    opened.close()
    return folder


@pytest.fixture
def services(library: Path, tmp_path: Path) -> Iterator[Services]:
    copy_library(library, tmp_path / "data")
    opened = build(settings_at(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def blade(services: Services) -> UUID:
    return services.find("blade.pdf")[0].id


def ask(services: Services, question: str, *replies: str) -> Answer:
    """An answer of a model that says these things; of quotes, when it says none."""
    llm = services.settings.llm
    if not replies:
        return services.answer(question, use_llm=False)
    with ModelServer(*map(says, replies)) as server:
        update = {"model": "openai/test", "api_base": server.base_url, "vision": "on"}
        services.settings = services.settings.model_copy(
            update={"llm": llm.model_copy(update=update)}
        )
        try:
            return services.answer(question)
        finally:
            services.settings = services.settings.model_copy(update={"llm": llm})


def keep(services: Services, answer: Answer, chat_id: UUID | None = None) -> Place:
    place = services.chats.begin(chat_id, answer.question)
    turn = Turn(question=answer.question, text=answer.text, sources=answer.sources, answer=answer)
    services.chats.keeper(place).keep(turn, is_done=True)
    return place


def kept(services: Services, place: Place) -> Turn:
    turn = services.chats.turn(place)
    assert turn is not None
    return turn


def kept_answer(services: Services, place: Place) -> Answer:
    answer = kept(services, place).answer
    assert answer is not None
    return answer


def shape(answer: Answer) -> dict[str, object]:
    """All that is seen of an answer."""
    return {
        "text": answer.text,
        "marks": [(c.marker, c.quote, c.hit.page_number, c.region) for c in answer.citations],
        "sources": [(s.marker, s.hit.document_name, s.hit.image_path) for s in answer.sources],
        "around": [[(a.side, a.text) for a in s.around] for s in answer.sources],
        "boxes": [s.hit.item.regions for s in answer.sources],
        "rest": (answer.usage, answer.timings_ms, answer.unsupported, answer.model, answer.mode),
        "not_used": [hit.item.id for hit in answer.not_used],
        "prompt": answer.prompt,
        "how": (answer.embedder, answer.dollars, answer.searched_for),
    }


def test_a_kept_answer_comes_back_with_its_marks_pages_and_pictures(
    services: Services, blade: UUID
) -> None:
    answer = ask(services, QUESTION, SAID)

    place = keep(services, answer)

    assert shape(kept_answer(services, place)) == shape(answer)
    assert [c.hit.item.document_id for c in answer.citations] == [blade]
    assert any(s.hit.image_path for s in kept_answer(services, place).sources)


def test_answers_outlive_a_restart(library: Path, tmp_path: Path) -> None:
    copy_library(library, tmp_path / "data")
    first = build(settings_at(tmp_path / "data"))
    answer = ask(first, QUESTION)
    place = keep(first, answer)
    first.close()

    again = build(settings_at(tmp_path / "data"))
    try:
        assert shape(kept_answer(again, place)) == shape(answer)
        assert [chat.name for chat in again.chats.recent(5)] == [QUESTION]
    finally:
        again.close()


@pytest.mark.parametrize("replies", [(SAID,), ()], ids=["model", "quotes"])
def test_a_deleted_document_leaves_marker_name_and_page_only(
    services: Services, blade: UUID, tmp_path: Path, replies: tuple[str, ...]
) -> None:
    answer = ask(services, QUESTION, *replies)
    place = keep(services, answer)

    receipt = services.delete(blade)

    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    left = kept_answer(services, place)
    assert [(c.marker, c.hit.document_name, c.hit.page_number) for c in left.citations] == [
        (c.marker, c.hit.document_name, c.hit.page_number) for c in answer.citations
    ]
    assert {c.quote for c in left.citations if c.hit.item.document_id == blade} == {""}
    gone = [s.hit for s in left.sources if s.hit.item.document_id == blade]
    assert gone
    assert not any(hit.image_path or hit.item.text for hit in gone)
    row = services.library.database.rows("SELECT body, text FROM turns")[0]
    assert "glass fibre" not in row["body"] + row["text"]
    assert "lorry" not in row["body"] + row["text"]
    assert not list((tmp_path / "data" / "files").rglob("*.png"))
    if replies:
        assert left.text == answer.text, "a model's own words stay"
        assert GONE_PROMPT in [part.text for part in left.prompt if part.marker]
    else:
        assert GONE_QUOTE in left.text


def test_quotes_of_another_document_stay(services: Services, blade: UUID) -> None:
    answer = ask(services, "How long is the blade and how high is the tower of the Puffin?")
    names = {citation.hit.document_name for citation in answer.citations}
    assert names == {"blade.pdf", "tower.pdf"}
    place = keep(services, answer)

    services.delete(blade)

    left = kept_answer(services, place)
    assert "88 metres high" in left.text
    assert "41 metres" not in left.text
    for citation in left.citations:
        assert bool(citation.quote) == (citation.hit.document_name == "tower.pdf")


def test_earlier_answers_in_a_prompt_go_with_the_document(services: Services, blade: UUID) -> None:
    first = keep(services, ask(services, QUESTION))
    llm = services.settings.llm
    with ModelServer(says("It is 88 metres high [1].")) as server:
        update = {"model": "openai/test", "api_base": server.base_url}
        services.settings = services.settings.model_copy(
            update={"llm": llm.model_copy(update=update)}
        )
        tower = services.find("tower.pdf")[0].id
        events = services.ask(
            "How high is the tower of the Puffin turbine?",
            documents=[tower],
            history=[(QUESTION, BLADE)],
        )
        answer = next(event.answer for event in events if isinstance(event, Done))
    second = keep(services, answer, first.chat_id)
    assert any("glass fibre" in part.text for part in answer.prompt)

    services.delete(blade)

    left = kept_answer(services, second)
    assert not any("glass fibre" in part.text for part in left.prompt)
    assert left.citations[0].quote, "its own source is still there"


def test_an_answer_that_ends_after_its_document_went_keeps_no_words(
    services: Services, blade: UUID
) -> None:
    answer = ask(services, QUESTION)
    services.delete(blade)

    place = keep(services, answer)

    gone = [s for s in kept_answer(services, place).sources if s.hit.item.document_id == blade]
    assert gone
    assert not any(source.hit.item.text for source in gone)
    assert services.library.documents.rows_left(blade) == 0


def test_a_picture_stays_while_an_answer_shows_it_and_the_document_is_read_anew(
    services: Services, blade: UUID
) -> None:
    place = keep(services, ask(services, QUESTION))
    run = services.library.documents.run_of(blade)
    assert run is not None

    orphans = services.library.documents.drop_run(run)
    services.files.delete(orphans)

    pictures = [s.hit.image_path for s in kept_answer(services, place).sources if s.hit.image_path]
    assert pictures
    assert all(Path(path).is_file() for path in pictures)


def test_a_deleted_chat_leaves_no_row_and_no_file_of_its_own(
    services: Services, blade: UUID
) -> None:
    place = keep(services, ask(services, QUESTION))
    run = services.library.documents.run_of(blade)
    assert run is not None
    services.files.delete(services.library.documents.drop_run(run))

    services.chats.delete(place.chat_id)

    assert services.chats.get(place.chat_id) is None
    assert services.chats.turn(place) is None
    for table in ("chats", "turns", "turn_documents"):
        assert services.library.database.number(f"SELECT COUNT(*) FROM {table}") == 0
    assert services.library.database.number("SELECT COUNT(*) FROM file_refs WHERE run != ''") == 0
    digests = {row[0] for row in services.library.database.rows("SELECT sha256 FROM file_refs")}
    assert {d for d in digests if services.files.exists(d)} == digests


def test_what_was_written_when_folio_died_is_shown_as_interrupted(
    services: Services, blade: UUID
) -> None:
    answer = ask(services, QUESTION)
    place = services.chats.begin(None, QUESTION)
    now = [0.0]
    keeper = services.chats.keeper(place, clock=lambda: now[0])

    keeper.keep(Turn(question=QUESTION, sources=answer.sources), is_done=False)
    now[0] = 0.5
    keeper.keep(Turn(question=QUESTION, text="The", sources=answer.sources), is_done=False)
    now[0] = 1.5
    keeper.keep(Turn(question=QUESTION, text="The blade", sources=answer.sources), is_done=False)

    turn = kept(services, place)
    assert turn.interrupted
    assert turn.text == "The blade"
    assert [s.marker for s in turn.sources] == [s.marker for s in answer.sources]


def test_a_question_in_a_chat_that_was_deleted_meanwhile_begins_a_new_one(
    services: Services,
) -> None:
    first = services.chats.begin(None, "one")
    services.chats.delete(first.chat_id)

    second = services.chats.begin(first.chat_id, "two")

    assert second.chat_id != first.chat_id
    assert second.number == 0


def test_a_turn_of_a_deleted_chat_is_not_kept(services: Services) -> None:
    place = services.chats.begin(None, "one")
    keeper = services.chats.keeper(place)
    services.chats.delete(place.chat_id)

    keeper.keep(Turn(question="one", text="late"), is_done=True)

    assert services.library.database.number("SELECT COUNT(*) FROM turns") == 0


def test_recent_chats_are_listed_by_their_last_question(services: Services) -> None:
    one = services.chats.begin(None, "  What\nrose? ")
    services.chats.begin(None, "b")
    services.chats.begin(one.chat_id, "And why?")

    recent = services.chats.recent(5)

    assert [(chat.name, chat.turn_count) for chat in recent] == [("What rose?", 2), ("b", 1)]


def test_a_chat_is_listed_counted_and_exported_for_its_visitor_alone(services: Services) -> None:
    chats = services.chats
    mine = chats.begin(None, "mine", visitor="a")
    theirs = chats.begin(None, "theirs", visitor="b")
    chats.begin(None, "from before there were visitors")
    chats.begin(mine.chat_id, "by a friend with the address", visitor="b")
    for place in (mine, theirs):
        chats.rate(place, 1)

    listed = {who: [c.name for c in chats.recent(9, visitor=who)] for who in ("a", "b", None)}

    assert listed["a"] == ["mine", "from before there were visitors"]
    assert listed["b"] == ["from before there were visitors", "theirs"]
    assert len(listed[None] or []) == 3
    assert (chats.count(visitor="a"), chats.count()) == (2, 3)
    assert (chats.rated_count(visitor="a"), chats.rated_count()) == (1, 2)
    assert "theirs" not in chats.feedback(visitor="a")


def test_a_library_from_before_visitors_lists_its_chats_for_everybody(tmp_path: Path) -> None:
    before = next(i for i, script in enumerate(MIGRATIONS) if "visitor" in script)
    path = tmp_path / "library.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(";".join([*MIGRATIONS[:before], f"PRAGMA user_version={before}"]))
        row = (str(uuid4()), "local", "old", "2026-11-01T08:00:00+00:00", 1)
        connection.execute("INSERT INTO chats VALUES (?,?,?,?,?)", row)
    connection.close()

    database = Database(path)
    listed = ChatTable(database).recent("local", 5, "somebody")
    database.close()

    assert [chat.name for chat in listed] == ["old"]


def test_only_the_last_turns_of_a_long_chat_are_read(services: Services) -> None:
    place = services.chats.begin(None, "0")
    for number in range(1, 500):
        place = services.chats.begin(place.chat_id, str(number))

    last = services.chats.open(place.chat_id, last=10)
    earlier = services.chats.open(place.chat_id, last=10, before=last[0].number)

    assert [turn.question for turn in last] == [str(n) for n in range(490, 500)]
    assert [turn.number for turn in earlier] == list(range(480, 490))


def test_a_record_of_an_older_folio_is_read_with_defaults() -> None:
    turn = read_turn("q", "text", "", lambda _sha256: None)
    assert turn == Turn(question="q", text="text")

    bare = read_turn("q", "text", json.dumps({"answer": {"mode": "llm"}}), lambda _sha256: None)
    assert bare.answer is not None
    assert bare.answer.finish == "stop"


def test_writing_reading_and_writing_a_turn_gives_the_same_record(
    services: Services, blade: UUID
) -> None:
    answer = ask(services, QUESTION, SAID)
    turn = Turn(question=QUESTION, text=answer.text, sources=answer.sources, answer=answer)

    again = read_turn(QUESTION, answer.text, write_turn(turn), lambda _sha256: None)

    assert write_turn(again) == write_turn(turn)
    assert all(source.hit.legs for source in turn.sources)
    assert [s.hit.legs for s in again.sources] == [s.hit.legs for s in turn.sources]


def test_rated_answers_become_a_set_that_can_be_measured(
    services: Services, blade: UUID, tmp_path: Path
) -> None:
    good = keep(services, ask(services, QUESTION, SAID))
    bad = keep(services, ask(services, "Who cast the blade of the Puffin turbine?", SAID))
    services.chats.rate(good, 1)
    services.chats.rate(bad, -1, "wrong page")
    services.chats.rate(keep(services, ask(services, QUESTION)), 0)

    lines = services.chats.feedback()

    (tmp_path / "blade.pdf").write_bytes(blade_pdf())
    (tmp_path / "questions.jsonl").write_text(lines, encoding="utf-8")
    found = read_set(tmp_path)
    assert [(q.text, dict(q.relevant)) for q in found.questions] == [
        (QUESTION, {"blade.pdf#1": 1}),
        ("Who cast the blade of the Puffin turbine?", {}),
    ]
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [(row["rating"], row["remark"]) for row in rows] == [("up", ""), ("down", "wrong page")]
    assert rows[0]["kind"] == "text"
    assert services.chats.rated_count() == 2


def test_a_follow_up_is_exported_as_the_question_that_stands_alone(
    services: Services, blade: UUID
) -> None:
    answer = replace(ask(services, QUESTION), question="how long?", searched_for=QUESTION)
    services.chats.rate(keep(services, answer), 1)

    row = json.loads(services.chats.feedback().splitlines()[0])

    assert row["question"] == QUESTION
    assert 1 in row["pages"]


def test_rating_a_turn_of_an_unknown_chat_changes_nothing(services: Services) -> None:
    services.chats.rate(Place(chat_id=uuid4(), number=0), 1)

    assert services.chats.rated_count() == 0


def photo(services: Services) -> NewPicture:
    return new_picture(make_png((300, 200), (20, 90, 160)), "plan.png", services.settings.ingest)


def test_the_picture_of_a_question_lives_as_long_as_its_chat(services: Services) -> None:
    asked = photo(services)
    place = services.chats.begin(None, "", picture=asked)
    services.chats.keeper(place).keep(Turn(question="", picture=asked.asked), is_done=True)

    turn = kept(services, place)

    assert turn.picture is not None
    assert turn.title == "Picture: plan.png"
    chat = services.chats.get(place.chat_id)
    assert chat is not None
    assert chat.name == "Picture: plan.png"
    again = picture_again(turn.picture, services.settings.ingest)
    assert again.pixels.size == asked.pixels.size
    services.chats.delete(place.chat_id)
    assert not services.files.exists(asked.asked.sha256)
    with pytest.raises(ConfigError, match="no longer kept"):
        picture_again(turn.picture, services.settings.ingest)


def test_a_deleted_document_leaves_nothing_and_the_question_keeps_its_picture(
    services: Services, blade: UUID
) -> None:
    asked = photo(services)
    answer = ask(services, QUESTION)
    place = services.chats.begin(None, QUESTION, picture=asked, documents=[blade])
    turn = Turn(
        question=QUESTION,
        text=answer.text,
        sources=answer.sources,
        answer=answer,
        picture=asked.asked,
        documents=(blade,),
    )
    services.chats.keeper(place).keep(turn, is_done=True)

    receipt = services.delete(blade)

    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    left = kept(services, place)
    assert left.picture is not None
    assert Path(left.picture.path or "").is_file()
    assert left.documents == (blade,)


def test_the_picture_is_kept_from_the_moment_of_asking(services: Services) -> None:
    place = services.chats.begin(None, QUESTION, picture=photo(services))

    turn = kept(services, place)

    assert turn.interrupted
    assert turn.picture is not None
    assert turn.picture.path is not None


def test_a_model_that_sees_is_shown_the_picture_of_the_question_before_the_sources(
    services: Services,
) -> None:
    llm = services.settings.llm
    asked = photo(services)
    with ModelServer(says(SAID)) as server:
        update = {"model": "openai/test", "api_base": server.base_url, "vision": "on"}
        services.settings = services.settings.model_copy(
            update={"llm": llm.model_copy(update=update)}
        )
        answer = services.answer(QUESTION, picture=asked.pixels)
        (request,) = server.requests

    assert request.parts[0]["text"] == QUESTION_PICTURE_NOTE
    assert request.parts[1]["type"] == "image_url"
    assert request.parts[2]["text"].startswith("[1] ")
    first, second = answer.prompt[1:3]
    assert (first.marker, second.marker) == (None, None)
    assert second.picture is not None
    assert second.picture.width_px == 300
    assert answer.images_sent >= 1


def test_a_rated_answer_to_a_picture_alone_is_exported_with_words(services: Services) -> None:
    asked = photo(services)
    answer = replace(ask(services, QUESTION), question="What do the documents say about this?")
    place = services.chats.begin(None, "", picture=asked)
    turn = Turn(question="", text=answer.text, answer=answer, picture=asked.asked)
    services.chats.keeper(place).keep(turn, is_done=True)

    services.chats.rate(place, 1)

    row = json.loads(services.chats.feedback().splitlines()[0])
    assert row["question"] == "What do the documents say about this?"
