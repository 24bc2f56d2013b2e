"""Questions that bring a picture: real figures by hash, then words and picture lanes beside it."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ingest.parts import DocumentHead
from rag.imaging import decode_picture, open_rgb
from rag.look_alikes import LookAlikes
from rag.picture_hash import METHOD
from rag.types import Scope
from tests.builders import make_html, make_png
from tests.test_picture_hash import as_jpeg, cut, framed
from tests.towns import NamedLanes, fill, lanes, parse_here, picture, services, settings_for
from ui.cli import app
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rag.types import Hit
    from tests.counted import CountedPages

__all__ = ["lanes", "services"]  # fixtures

REAL = ("redp5110_sampled.pdf", "tracemonkey.pdf")


@pytest.fixture(scope="module")
def real(
    shared: Path, counted_pages: CountedPages, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """A library of two real PDFs, parsed once for all tests, with a stand-in for the model."""
    folder = tmp_path_factory.mktemp("real")

    def parse(_: Path, __: str, *, name: str, **___: Any) -> Iterator[object]:
        pages = counted_pages(name)
        yield DocumentHead(media_type="pdf", page_count=len(pages), title="")
        yield from pages.values()

    with pytest.MonkeyPatch.context() as patch:
        made = NamedLanes()
        patch.setattr("ui.embedding.load_embedder", made.load)
        patch.setattr("ui.embedding.identity_of", made.identity_of)
        patch.setattr("ui.indexing.identity_of", made.identity_of)
        opened = build(settings_for(folder))
        try:
            for name in REAL:
                data = (shared / "corpus" / "pdf" / name).read_bytes()
                with pytest.MonkeyPatch.context() as reading:
                    reading.setattr("ingest.pipeline.parse_in_child", parse)
                    opened.pipeline.run(opened.pipeline.admit(name, data).document.id)
            yield opened
        finally:
            opened.close()


def figures(services: Services) -> list[str]:
    """SHA-256 of 20 different figures of the library."""
    runs = [services.library.documents.run_of(document.id) for document in services.documents()]
    items = [i for run in runs if run for i in services.library.items.of_run(run, ("figure",))]
    found = list(dict.fromkeys(item.image_sha256 for item in items if item.image_sha256))
    assert len(found) >= 20
    return found[:20]


def stored(services: Services, sha256: str) -> Image.Image:
    return open_rgb(services.picture_path(sha256))


def take_copy(services: Services, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with the picture of town 5."""
    data = make_html(f"<h1>Copy {number}</h1>{picture(5)}<p>Words of copy {number}.</p>")
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        admitted = services.pipeline.admit(f"copy{number}.html", data)
        services.pipeline.run(admitted.document.id)


def between_lines(picture: Image.Image) -> Image.Image:
    """The picture on a page, with lines of text above and below."""
    width, height = picture.size
    pixels = np.full((height + 400, width + 60, 3), 255, dtype=np.uint8)
    for top in (*range(20, 160, 20), *range(height + 230, height + 380, 20)):
        pixels[top : top + 9, 30 : width + 30 : 3] = 40
    pixels[200 : height + 200, 30 : width + 30] = np.asarray(picture)
    return Image.fromarray(pixels)


def noise(number: int) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((320, 240), Image.Resampling.NEAREST)


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.document_name for hit in hits]


EDITS = [
    pytest.param(as_jpeg, id="jpeg"),
    pytest.param(lambda p: p.resize((p.width // 2, p.height // 2)), id="half size"),
    pytest.param(lambda p: framed(p, "white"), id="white margin"),
    pytest.param(lambda p: framed(p, "#202024"), id="dark margin"),
    pytest.param(lambda p: cut(p, 0.1, 0, 0, 0), id="left cut off"),
    pytest.param(lambda p: cut(p, 0, 0.1, 0, 0), id="top cut off"),
    pytest.param(lambda p: cut(p, 0, 0, 0.1, 0), id="right cut off"),
    pytest.param(lambda p: cut(p, 0, 0, 0, 0.1), id="bottom cut off"),
    pytest.param(lambda p: cut(p, 0.1, 0.1, 0.1, 0.1), id="each side cut off"),
    pytest.param(lambda p: cut(p, 0.05, 0.05, 0.05, 0.05), id="middle kept"),
]


@pytest.mark.parametrize("edit", EDITS)
def test_twenty_real_figures_are_each_the_nearest_after_an_edit(real: Services, edit: Any) -> None:
    look_alikes = LookAlikes(real.library, real.files)

    missed = []
    for sha256 in figures(real):
        found = look_alikes.find(edit(stored(real, sha256)), real.workspace)
        rows = real.library.items.lookup(real.workspace, [hit.point for hit in found[:1]])
        if [row.item.image_sha256 for row in rows.values()] != [sha256]:
            missed.append(sha256)

    assert missed == []


def test_a_figure_in_a_screenshot_of_a_page_is_found(real: Services) -> None:
    look_alikes = LookAlikes(real.library, real.files)

    found = 0
    for sha256 in figures(real):
        near = look_alikes.find(between_lines(stored(real, sha256)), real.workspace)
        rows = real.library.items.lookup(real.workspace, [hit.point for hit in near[:1]])
        found += [row.item.image_sha256 for row in rows.values()] == [sha256]

    assert found >= 16  # of 20; white stripes inside a figure can part it


def test_a_real_figure_comes_first_then_the_passages_that_name_it(real: Services) -> None:
    sha256 = figures(real)[-1]

    found = real.search("", picture=as_jpeg(stored(real, sha256)), top_k=6)

    first, second = found.hits[:2]
    assert (first.item.image_sha256, first.rank, first.why) == (sha256, 1, "rank")
    assert first.look_alike_bits is not None
    assert first.look_alike_bits < 10
    assert first.modality == "image"
    assert second.item.kind == "text"
    assert first.item.number.lower() in second.item.text.lower()
    assert found.has_evidence
    assert found.words.startswith(first.item.number)
    assert all(math.isfinite(hit.height) for hit in found.hits)


def test_words_beside_a_picture_order_what_comes_after_it(real: Services) -> None:
    sha256 = figures(real)[-1]

    found = real.search("row permission mask", picture=stored(real, sha256), top_k=6)

    assert found.hits[0].item.image_sha256 == sha256
    assert "redp5110_sampled.pdf" in names(found.hits)
    assert found.words == "row permission mask"


def test_kinds_and_documents_limit_what_a_picture_finds(services: Services) -> None:
    def search(**scope: Any) -> tuple[Hit, ...]:
        return services.search("", picture=noise(5), scope=Scope(**scope)).hits

    other = services.find("town1.html")[0].id

    assert {hit.item.kind for hit in search(group="words")} == {"text"}
    assert {hit.item.kind for hit in search(group="pictures")} == {"figure"}
    assert search(documents=(other,)) == ()


def test_a_picture_that_is_nowhere_finds_nothing_and_says_so(services: Services) -> None:
    found = services.search("", picture=noise(99))

    assert (found.hits, found.has_evidence) == ((), False)
    assert found.notes == (
        "Nothing in the library looks like this picture, and the embedder minilm finds pictures "
        "only by their words. Add a few words, or switch to an embedder that sees pictures.",
    )


def test_words_beside_a_picture_that_is_nowhere_are_searched_alone(services: Services) -> None:
    found = services.search("ships of town5", picture=noise(99))

    assert found.hits[0].document_name == "town5.html"
    assert found.notes[0].endswith("These hits are for your words alone.")


def test_a_picture_of_one_tone_matches_nothing_and_says_so(services: Services) -> None:
    white = Image.new("RGB", (320, 240), "white")

    found = services.search("", picture=white)

    assert found.hits == ()
    assert found.notes[0].startswith("Nothing can be seen in this picture")


def test_the_same_picture_in_many_documents_is_shown_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        take_copy(services, number, monkeypatch)

    hits = services.search("", picture=noise(5), top_k=8).hits

    same = [hit for hit in hits if hit.look_alike_bits is not None]
    assert len(same) == 1
    assert len(same[0].also_in) == 5


def test_a_delete_takes_the_hashes_with_the_last_reference(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_copy(services, 1, monkeypatch)
    before = services.library.pictures.hashes(METHOD)

    services.delete(services.find("copy1.html")[0].id)
    kept = services.library.pictures.hashes(METHOD)
    receipt = services.delete(services.find("town5.html")[0].id)

    assert kept == before
    assert len(services.library.pictures.hashes(METHOD)) == len(before) - 1
    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert services.search("", picture=noise(5)).hits == ()


def test_pictures_of_a_library_from_before_are_hashed_when_first_asked(services: Services) -> None:
    with services.library.database.change() as connection:
        connection.execute("DELETE FROM picture_hashes")

    found = services.search("", picture=noise(5))

    assert found.hits[0].document_name == "town5.html"
    assert len(services.library.pictures.hashes(METHOD)) == 2


def test_a_lost_picture_file_stops_no_question(services: Services) -> None:
    lost = services.search("", picture=noise(0)).hits[0].item.image_sha256
    services.picture_path(str(lost)).unlink()
    with services.library.database.change() as connection:
        connection.execute("DELETE FROM picture_hashes")

    assert len(LookAlikes(services.library, services.files).find(noise(5), "local")) == 1


def test_a_picture_lane_finds_what_no_hash_can(
    lanes: NamedLanes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = build(settings_for(tmp_path / "library", model="nomic"))
    fill(opened, [0, 5], monkeypatch)

    found = opened.search("", picture=noise(5).crop((0, 0, 120, 90)))
    both = opened.search("ships of town0", picture=noise(5).crop((0, 0, 120, 90)))
    opened.close()

    assert {hit.item.kind for hit in found.hits} == {"figure"}
    assert all(hit.look_alike_bits is None for hit in found.hits)
    assert found.hits[0].legs["image"].z is not None
    assert found.notes == ()
    figure = next(hit for hit in both.hits if hit.item.kind == "figure")
    assert {"image", "caption"} <= set(figure.legs)


def test_an_answer_to_a_picture_shows_it_and_where_it_stands(services: Services) -> None:
    answer = services.answer("", picture=noise(5), use_llm=False)

    assert not answer.abstained
    assert answer.sources[0].hit.look_alike_bits == 0
    assert "Figure 1. Ships of town5. [1]" in answer.text
    assert "Your picture looks like this one, in town5.html. [1]" in answer.text


def test_an_answer_to_an_unknown_picture_abstains_with_the_reason(services: Services) -> None:
    answer = services.answer("", picture=noise(99), use_llm=False)

    assert answer.abstained
    assert answer.notes[0].startswith("Nothing in the library looks like this picture")


def save(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, **options)
    return stream.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees when shown
    return save(noise(5).rotate(90, expand=True), format="JPEG", exif=exif)


def see_through() -> bytes:
    layer = Image.new("RGBA", (400, 320), (0, 0, 0, 0))
    layer.paste(noise(5), (40, 40))
    return save(layer, format="PNG")


FILES = [
    pytest.param(save(noise(5).convert("CMYK"), format="JPEG"), id="cmyk"),
    pytest.param(turned(), id="exif-rotated"),
    pytest.param(see_through(), id="transparent"),
    pytest.param(
        save(noise(5), format="GIF", save_all=True, append_images=[noise(6)]), id="animated"
    ),
]


@pytest.mark.parametrize("data", FILES)
def test_odd_files_show_what_a_viewer_shows(services: Services, data: bytes) -> None:
    opened = decode_picture(data, max_megapixels=25)

    assert services.search("", picture=opened).hits[0].document_name == "town5.html"


BAD = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(make_png()[:400], "is damaged", id="cut-off"),
    pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG", id="svg"),
    pytest.param(b"\0\0\0\x18ftypheic" + bytes(200), "is not a PNG", id="heic"),
    pytest.param(b"%PDF-1.7 " + bytes(200), "is not a PNG", id="pdf"),
    pytest.param(
        save(Image.new("1", (20_000, 20_000)), format="PNG"), "more than 25 megapixels", id="huge"
    ),
]


@pytest.mark.parametrize(("data", "reason"), BAD)
def test_a_bad_picture_is_wrong_usage_in_one_sentence(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(data)

    done = CliRunner().invoke(
        app, ["search", "--image", str(path), "--data-dir", str(tmp_path / "library")]
    )

    assert done.exit_code != 0
    assert type(done.exception).__name__ == "ConfigError"  # `main` turns it into exit code 2
    assert reason in str(done.exception)
    assert str(done.exception).startswith("photo.png ")


@pytest.mark.parametrize("command", ["search", "ask"])
def test_neither_words_nor_a_picture_is_wrong_usage(tmp_path: Path, command: str) -> None:
    done = CliRunner().invoke(app, [command, "--data-dir", str(tmp_path)])

    assert type(done.exception).__name__ == "ConfigError"
    assert "--image FILE" in str(done.exception)


def test_an_empty_library_answers_a_picture_with_nothing(tmp_path: Path) -> None:
    opened = build(settings_for(tmp_path / "library"))

    found = opened.search("", picture=noise(1))
    opened.close()

    assert (found.hits, found.has_evidence) == ((), False)
