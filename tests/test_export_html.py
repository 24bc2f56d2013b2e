"""A chat as one web page: whole, inert, with its pictures; on scripted and on real documents."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import lxml.html
import pytest
from PIL import Image, ImageChops

from ingest.pagewords import PageWord
from rag.errors import EncryptedFileError, NotFoundError
from rag.library import Place
from rag.turn import AskedPicture, Turn
from rag.types import Failure, Unsupported
from tests.builders import make_png
from tests.ui.scripted import PAGE, ScriptedServices, make_answer, make_document, make_hit
from ui.export import pictures
from ui.export.chat import GONE, clean, file_name
from ui.export.html import MACHINE, POLICY
from ui.export.make import make

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lxml.html import HtmlElement

    from rag.types import Answer, Document, Hit
    from ui.services import Services

REPORT = make_document("report.pdf", language="de")
GUIDE = make_document("guide.html", pages=None)
FRAME = (0x0B, 0x5C, 0xAD)  # of a text
ACTIVE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![a](http://127.0.0.1:8999/a.png) [b](javascript:alert(1)) <http://127.0.0.1:8999/c>",
    "[d]: http://127.0.0.1:8999/d\n\n[d] and http://127.0.0.1:8999/e",
    "]]> --> </style><style>body{background:url(http://127.0.0.1:8999/f)}</style>",
    '" onmouseover="alert(1)" \'',
    '```" onclick=alert(1)\ncode\n```',
    "\u202egpj.exe\u2066 \x00\x1b[31m \ufeff",
    "w" * 10_000,
    "[1](javascript:alert(1)) [999] [^1] :red[x] $x^2$",
)


def services_with(
    *turns: Turn, library: Sequence[Document] = (REPORT, GUIDE), **options: object
) -> tuple[ScriptedServices, UUID]:
    services = ScriptedServices(library=list(library), **options)  # type: ignore[arg-type]
    chat_id = uuid4()
    services.chats.kept[chat_id] = [replace(t, number=n) for n, t in enumerate(turns)]
    return services, chat_id


def turn_of(answer: Answer, **options: object) -> Turn:
    return Turn(
        question=answer.question,
        text=answer.text,
        sources=answer.sources,
        answer=answer,
        **options,  # type: ignore[arg-type]
    )


def exported(services: object, chat_id: UUID) -> HtmlElement:
    return lxml.html.document_fromstring(make(services, chat_id, "html"))  # type: ignore[arg-type]


def page_of(*turns: Turn, **options: object) -> HtmlElement:
    return exported(*services_with(*turns, **options))  # type: ignore[arg-type]


def simple(text: str = "Output rose 42 per cent. [1]", hits: Sequence[Hit] = ()) -> Turn:
    return turn_of(make_answer("What rose?", text, hits or [make_hit(REPORT)]))


def words(page: HtmlElement, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.xpath(path)]


def decoded(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    picture = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
    picture.load()
    return picture


def assert_inert(page: HtmlElement) -> None:
    """No script, no handler, no address but places in the file and its own pictures."""
    assert page.xpath("//script | //iframe | //object | //embed | //link | //form | //base") == []
    assert len(page.xpath("//style")) == 1
    for element in page.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (name, value)
            assert name != "style"
            if name in ("src", "href", "srcset", "action", "background", "poster"):
                assert value.startswith(("#", "data:image/")), (name, value)
    assert "url(" not in page.xpath("//style")[0].text


def assert_whole(page: HtmlElement) -> None:
    """Every link has its place, every place is there once, headings skip no step."""
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.xpath("//a/@href")} <= set(ids)
    levels = [int(element.tag[1]) for element in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(alt.strip() for alt in page.xpath("//img/@alt"))
    assert len(page.xpath("//img")) == len(page.xpath("//img[@alt][@width][@height]"))


def test_the_head_forbids_whatever_is_not_in_the_file() -> None:
    page = page_of(simple())

    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == POLICY == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    # A policy counts for what comes after it.
    assert page.xpath("//head/*")[1].get("content") == policy
    assert page.get("lang") == "en"


def test_an_answer_has_its_marks_its_sources_and_the_page_with_the_place() -> None:
    page = page_of(simple("Output rose 42 per cent [1]."))

    (mark,) = page.xpath("//a[@class='cite']")
    assert mark.get("href") == "#s-1-1"
    assert mark.get("aria-label") == "Source 1: report.pdf, page 3"
    assert words(page, "//*[@class='answer']/p") == ["Output rose 42 per cent.\u2060[1]"]
    assert "report.pdf, page 3" in words(page, "//li[@id='s-1-1']")[0]
    (quote,) = page.xpath("//li[@id='s-1-1']//blockquote")
    assert quote.text_content() == "Output rose 42 per cent to 6.8 TWh."
    assert quote.get("lang") == "de"
    assert "Page 3 with the place marked" in words(page, "//li[@id='s-1-1']//a")
    assert words(page, "//figure[@class='page']//a") == ["Source 1"]
    assert_inert(page)
    assert_whole(page)


def test_the_cited_place_is_drawn_into_the_page() -> None:
    page = page_of(simple())

    picture = decoded(page.xpath("//figure[@class='page']//img/@src")[0]).convert("RGB")
    assert picture.width == pictures.WIDTH_PX
    scale = picture.width / 595
    left, top, right, bottom = (round(edge * scale) for edge in (70, 90, 520, 190))
    edge = [picture.getpixel((x, bottom + 1)) for x in range(left, right)]
    assert sum(near(colour, FRAME) for colour in edge) > 50  # type: ignore[arg-type]
    assert picture.getpixel((5, 5)) < (245, 245, 245)  # type: ignore[operator]  # veiled
    inside = picture.getpixel((left + 3, (top + bottom) // 2))
    assert not near(inside, FRAME)  # type: ignore[arg-type]


def near(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 60


def test_a_picture_that_is_cited_twice_stands_in_the_file_once(tmp_path: Path) -> None:
    crop = tmp_path / "crop.png"
    crop.write_bytes(make_png((1600, 900)))
    figure = make_hit(
        REPORT,
        "figure",
        "2023 2024",
        caption="Figure 2. Output.",
        image_path=crop,
        number="Figure 2",
    )
    page = page_of(simple(hits=[figure]), simple(hits=[figure]))

    crops = page.xpath("//li//figure/img")
    assert len(crops) == 1
    assert decoded(crops[0].get("src")).size == (900, 506)
    assert crops[0].get("alt") == "Figure 2. Output., report.pdf, p. 3"
    assert "The picture is shown at question 1, source 1" in words(page, "//li[@id='s-2-1']//a")
    assert len(page.xpath("//figure[@class='page']")) == 1
    assert words(page, "//figure[@class='page']//a") == [
        "Question 1, source 1",
        "Question 2, source 1",
    ]
    assert len(page.xpath("//img/@src")) == len(set(page.xpath("//img/@src"))) == 2
    assert_whole(page)


def test_what_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = [make_hit(REPORT, page=n, text=f"Page {n} says so.") for n in range(1, 5)]
    text = " ".join(f"Page {n} says so. [{n}]" for n in range(1, 5))
    monkeypatch.setattr(pictures, "MAX_PAGES", 3)

    page = page_of(simple(text, hits))

    assert len(page.xpath("//figure[@class='page']")) == 3
    assert "1 page picture is left out to keep this file small." in words(page, "//p")
    assert_whole(page)

    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    page = page_of(simple(text, hits))
    assert page.xpath("//img") == []
    assert "4 page pictures are left out to keep this file small." in words(page, "//p")
    assert_whole(page)


def test_a_page_that_needs_its_password_is_left_out_in_a_sentence() -> None:
    page = page_of(simple(), page_password="secret")

    assert page.xpath("//figure[@class='page']") == []
    told = " ".join(words(page, "//section[@id='pages']//p"))
    assert "1 page could not be drawn: the document needs its password" in told
    assert_whole(page)


@pytest.mark.parametrize("text", ACTIVE, ids=range(len(ACTIVE)))
@pytest.mark.parametrize("mode", ["llm", "extractive"])
def test_hostile_words_are_only_words(text: str, mode: str) -> None:
    document = make_document(f"{text[:250]}.pdf")
    place = 3 if mode == "llm" else None  # with a page, or without
    hits = [
        make_hit(document, text=text, heading=(text,), page=place),
        make_hit(
            document,
            "table",
            f"| {text} | b |\n|---|---|\n| {text} | 2 |",
            caption=text,
            page=place,
        ),
    ]
    doubt = Unsupported(sentence=text, markers=(), reason=text)
    answer = replace(
        make_answer(text, f"{text} [1]\n\n{text} [2]", hits, mode=mode, unsupported=(doubt,)),
        searched_for=text,
        notes=(text,),
        error=Failure(kind="x", message=text),
        embedder=text,
        model=text,
    )
    turn = turn_of(answer, failure=text, still_read=(text,), stopped=True)

    page = page_of(turn, library=[document])

    assert_inert(page)
    assert_whole(page)
    seen = "".join(page.itertext())
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b\ufeff]", seen)
    if mode == "extractive":
        asked = " ".join(clean(text).split())
        assert any(asked in said for said in words(page, "//h2"))


def test_hostile_file_names_are_only_words(shared: Path) -> None:
    script = shared / "hostile" / "make_hostile.py"
    spec = importlib.util.spec_from_file_location("make_hostile", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    documents = [make_document(name) for name in dict.fromkeys(module.NAMES)]
    turns = [simple(f"{d.name} says so. [1]", [make_hit(d, page=None)]) for d in documents]

    page = page_of(*turns, library=documents)

    assert_inert(page)
    assert_whole(page)
    assert len(page.xpath("//article[@class='turn']")) == len(documents) > 50
    for name in module.NAMES:
        for made in (file_name(name, "html"), file_name(name, "md")):
            assert re.fullmatch(r"folio-[a-z0-9-]{1,48}-\d{4}-\d\d-\d\d\.(html|md)", made), made


def test_a_model_keeps_its_lists_tables_and_code() -> None:
    text = (
        "# Rows\n\n**A** fell [1].\n\n- one\n- two *quietly*\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n`x[1]`\n\n```python\ny = [1]\n```"
    )

    page = page_of(simple(text))

    assert words(page, "//*[@class='answer']/h3") == ["Rows"]
    assert words(page, "//*[@class='answer']//li") == ["one", "two quietly"]
    assert words(page, "//*[@class='answer']//td") == ["1", "2"]
    assert words(page, "//*[@class='answer']//code") == ["x[1]", "y = [1]"]
    assert len(page.xpath("//a[@class='cite']")) == 1  # code is no mark
    assert page.xpath("//code[@class]") == []


def test_quotes_of_documents_are_never_markdown() -> None:
    said = "**Not bold** and `no code` | # no heading. [1]"
    answer = make_answer("What rose?", said, [make_hit(REPORT)], mode="extractive")

    page = page_of(turn_of(answer))

    (quote,) = page.xpath("//*[@class='answer']/blockquote")
    assert quote.text_content() == said.replace(" [1]", "\u2060[1]")
    assert page.xpath("//*[@class='answer']//strong | //*[@class='answer']//code") == []
    assert "Passages from your documents" in words(page, "//ul[@class='badges']/li")


def test_sentences_to_check_are_noted_in_the_text_and_told_why() -> None:
    sentence = "Captain Ahab approved it. [1]"
    doubt = Unsupported(
        sentence=sentence, markers=(1,), reason="name not found in its sources: Ahab"
    )
    answer = make_answer(
        "Who?", f"It rose. [1] {sentence}", [make_hit(REPORT)], unsupported=(doubt,)
    )

    page = page_of(turn_of(answer))

    (note,) = page.xpath("//a[@class='doubt']")
    assert note.text == "check"
    assert note.getprevious().get("href") == "#s-1-1"
    (told,) = page.xpath(f"//li[@id='{note.get('href')[1:]}']")
    assert "name not found in its sources: Ahab" in told.text_content()
    assert "1 sentence to check" in words(page, "//ul[@class='badges']/li")


def test_a_stopped_answer_says_so_and_keeps_what_was_written() -> None:
    turn = Turn(question="What rose?", text="Output *rose", stopped=True)

    page = page_of(turn)

    assert words(page, "//*[@class='answer']/p") == ["Output *rose"]
    assert "You stopped this answer." in words(page, "//p[@class='note']/strong")
    assert words(page, "//h1") == ["Questions and answers"]
    assert_whole(page)


def test_the_picture_of_a_question_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "asked.png"
    path.write_bytes(make_png((300, 200)))
    asked = AskedPicture(name="screen.png", sha256="0" * 64, path=str(path))

    page = page_of(replace(simple(), question="", picture=asked))

    (picture,) = page.xpath("//figure[@class='asked']/img")
    assert decoded(picture.get("src")).size == (300, 200)
    assert picture.get("alt") == "Picture of the question"


def test_a_deleted_document_stays_deleted() -> None:
    page = page_of(simple(), library=[GUIDE])

    assert GONE in words(page, "//li[@id='s-1-1']//p")
    assert page.xpath("//img") == []
    assert_whole(page)


def test_under_everything_stands_what_made_it_and_under_which_licences() -> None:
    answer = replace(simple().answer, embedder="jina", usage={"prompt_tokens": 1_200})  # type: ignore[type-var]
    page = page_of(turn_of(answer))  # type: ignore[arg-type]

    foot = words(page, "//footer")[0]
    assert MACHINE in foot
    assert "Answered by openai/test" in foot
    assert "no commercial use. Credit Jina AI" in foot
    assert "Folio: AGPL-3.0-or-later" in foot
    assert "2 documents when this file was made" in foot
    assert "1,200 tokens in" in words(page, "//p[contains(@class, 'facts-line')]")[0]


def test_all_turns_are_exported_not_only_those_on_the_page() -> None:
    page = page_of(*[simple()] * 25)

    assert len(page.xpath("//article[@class='turn']")) == 25
    assert len(page.xpath("//nav//a")) == 25
    assert_whole(page)


def test_a_chat_that_was_deleted_is_one_sentence() -> None:
    services, _ = services_with(simple())

    with pytest.raises(NotFoundError, match="no longer kept"):
        make(services, uuid4(), "html")  # type: ignore[arg-type]


def test_a_file_is_named_after_its_chat_and_day() -> None:
    day = datetime(2026, 11, 25, tzinfo=UTC)

    assert file_name("Où est l'été, 2024?", "md", day) == "folio-ou-est-l-ete-2024-2026-11-25.md"
    assert file_name("日本語", "html", day) == "folio-conversation-2026-11-25.html"


def test_real_documents_come_with_their_crops_and_pages(sample_services: Services) -> None:
    chat_id = None
    for question in ("Which row had the weakest year?", "What is the power curve of the rotor?"):
        answer = sample_services.answer(question, use_llm=False)
        place: Place = sample_services.chats.begin(chat_id, question)
        chat_id = place.chat_id
        sample_services.chats.keeper(place).keep(turn_of(answer), is_done=True)
    assert chat_id is not None

    page = exported(sample_services, chat_id)

    assert_inert(page)
    assert_whole(page)
    sources = page.xpath("//img/@src")
    assert len(sources) == len(set(sources)) > 3
    assert {decoded(uri).format for uri in sources} <= {"PNG", "JPEG"}
    assert page.xpath("//figure[@class='page']")
    assert words(page, "//h1")[0].startswith("Answers from ")

    cited = {s.hit.item.document_id for t in turns_of(sample_services, chat_id) for s in t.sources}
    for document_id in cited:
        sample_services.delete(document_id)
    page = exported(sample_services, chat_id)
    assert page.xpath("//img") == []
    assert page.xpath("//blockquote[not(@class='said')]") == []
    assert all("was deleted" in said for said in words(page, "//li[starts-with(@id, 's-')]"))
    assert_whole(page)


def turns_of(services: Services, chat_id: UUID) -> list[Turn]:
    return services.chats.open(chat_id, last=10)


def test_a_page_is_drawn_once_for_all_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = [
        make_hit(REPORT, text=f"Part {n}.", bbox=(70, 90 * n, 520, 90 * n + 60)) for n in (1, 2)
    ]
    services, chat_id = services_with(simple("Part 1. [1] Part 2. [2]", hits))
    drawn: list[int] = []

    draw = services.page_picture

    def page_picture(document_id: UUID, number: int) -> bytes:
        drawn.append(number)
        return draw(document_id, number)

    monkeypatch.setattr(services, "page_picture", page_picture)

    page = exported(services, chat_id)

    assert drawn == [3]
    assert words(page, "//figure[@class='page']//a") == ["Source 1", "Source 2"]


def test_a_document_that_cannot_be_drawn_costs_only_its_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services, chat_id = services_with(simple())

    def page_picture(_document_id: UUID, _number: int) -> bytes:
        message = "It needs its password."
        raise EncryptedFileError(message)

    monkeypatch.setattr(services, "page_picture", page_picture)

    page = exported(services, chat_id)

    assert words(page, "//li[@id='s-1-1']//blockquote") == ["Output rose 42 per cent to 6.8 TWh."]


def test_quoted_words_are_marked_on_the_page() -> None:
    quote = [
        PageWord(word, (80 + 50 * at, 100, 125 + 50 * at, 112))
        for at, word in enumerate(["Output", "rose", "42", "per", "cent", "to", "6.8", "TWh."])
    ]
    beside = PageWord("Elsewhere", (80, 400, 140, 412))
    plain, marked = (drawn_page(page_of(simple(), words=found)) for found in ([], [*quote, beside]))

    changed = ImageChops.difference(plain, marked).getbbox()
    assert changed is not None
    scale = plain.width / PAGE[0]
    x0, y0, x1, y1 = (pixel / scale for pixel in changed)
    assert (x0, x1) == pytest.approx((80, 75 + 50 * len(quote)), abs=6)
    assert (y0, y1) == pytest.approx((100, 112), abs=6)


def drawn_page(page: HtmlElement) -> Image.Image:
    (uri,) = page.xpath("//figure[@class='page']//img/@src")
    return decoded(uri).convert("RGB")


def test_signs_that_nobody_sees_are_left_out_and_line_ends_are_kept() -> None:
    assert clean("a\u202eb\ud800c\x00\r\nd\re\tf\u200dg") == "abc\nd\ne\tf\u200dg"
