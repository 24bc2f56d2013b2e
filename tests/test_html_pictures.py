"""Pictures of a page: which, whose caption, and never from outside its own files."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from ingest.html import parse_html
from rag.settings import IngestSettings
from tests.html_builders import data_uri, page_of, parts_of, png, read_page, stored

if TYPE_CHECKING:
    from pathlib import Path

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
RED = (255, 0, 0)


def figure(inside: str, caption: str = "A pump") -> str:
    return f"<figure>{inside}<figcaption>{caption}</figcaption></figure>"


def test_a_picture_inside_the_page_becomes_a_figure_with_alt_and_caption() -> None:
    (part,) = parts_of("figure", read_page(figure(f'<img alt="red" src="{data_uri(png())}">')))
    assert (part.alt, part.caption, stored(part).size) == ("red", "A pump", (120, 90))


@pytest.mark.parametrize(
    "body",
    [
        '<div class="thumb"><a><img src="{0}"></a><div class="thumbcaption">A pump</div></div>',
        '<div class="wp-caption"><img src="{0}"><p class="wp-caption-text">A pump</p></div>',
        '<div><img src="{0}"><span class="imageCaption">A pump</span></div>',
        '<li><div><img src="{0}"></div><div class="gallerytext"><p>A pump</p></div></li>',
    ],
    ids=["thumb", "wordpress", "medium", "gallery"],
)
def test_captions_are_told_by_class_and_not_read_twice(body: str) -> None:
    page = read_page("<p>Text.</p>" + body.format(data_uri(png())))
    assert [(part.kind, part.caption) for part in page.parts] == [
        ("text", ""),
        ("figure", "A pump"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        '<figure><figcaption>A pump</figcaption><img src="{0}"></figure>',
        '<div class="card"><img src="{0}"><p class="card__caption">A pump</p></div>',
        '<dl><dt><img src="{0}"></dt><dd class="gallery-caption">A pump</dd></dl>',
        '<img src="{0}" aria-describedby="c"><p id="c">A pump</p>',
        '<figure><amp-img src="{0}"></amp-img><figcaption>A pump</figcaption></figure>',
    ],
    ids=["above", "block class", "definition", "described", "amp"],
)
def test_captions_are_found_however_they_are_tied_to_the_picture(body: str) -> None:
    page = read_page("<p>Text.</p>" + body.format(data_uri(png())))
    assert [(part.kind, part.caption) for part in page.parts] == [
        ("text", ""),
        ("figure", "A pump"),
    ]


def test_a_paragraph_with_a_label_beside_a_picture_or_table_is_its_caption() -> None:
    page = read_page(
        f'<p><img src="{data_uri(png())}"></p><p><em>Figure 3: A pump.</em></p>'
        "<p>Figure 3 shows a pump.</p>"
        "<p><b>Table 6.</b> Sizes</p><table><tr><th>a<th>b<tr><td>1<td>2</table>"
    )
    assert [(part.kind, part.number, part.caption or part.text) for part in page.parts] == [
        ("figure", "Figure 3", "Figure 3: A pump."),
        ("text", "", "Figure 3 shows a pump."),
        ("table", "Table 6", "Table 6. Sizes"),
    ]


def test_a_marked_caption_above_a_table_is_the_table_s() -> None:
    page = read_page(
        '<p class="table-caption">Sizes</p><table><tr><th>a<th>b<tr><td>1<td>2</table>'
    )
    assert [(part.kind, part.caption) for part in page.parts] == [("table", "Sizes")]


def test_parts_of_a_figure_have_its_caption_and_their_own() -> None:
    inner = "".join(
        f'<figure><img src="{data_uri(png(width, 90))}"><figcaption>{words}</figcaption></figure>'
        for width, words in ((120, "(a) left"), (130, "(b) right"))
    )
    page = read_page(f"<figure>{inner}<figcaption>Figure 2. Both</figcaption></figure>")
    assert [part.caption for part in page.parts] == [
        "Figure 2. Both (a) left",
        "Figure 2. Both (b) right",
    ]


def test_a_picture_inside_a_paragraph_comes_after_it() -> None:
    page = read_page(f'<p>Before <img src="{data_uri(png())}"> after.</p>')
    assert [part.text for part in page.parts] == ["Before after.", ""]


def test_an_absent_picture_stays_as_words() -> None:
    page = read_page('<p>x</p><img src="https://example.org/a.png" alt="A red pump">')
    (part,) = parts_of("figure", page)
    assert (part.alt, part.image_png) == ("A red pump", None)
    assert page.skipped[0].reason == "the picture is not in the file or beside it"


def test_an_absent_picture_without_words_is_only_reported() -> None:
    page = read_page('<p>x</p><img src="https://example.org/a.png" alt="DSC 0001.jpg">')
    assert not parts_of("figure", page)
    assert len(page.skipped) == 1


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (png(40, 40), "smaller than 64"),
        (png(1600, 100), "a line or a strip"),
        (b"GIF89a rubbish", "damaged|not a PNG"),
    ],
    ids=["icon", "banner", "damaged"],
)
def test_pictures_not_worth_showing_are_left_out_with_the_reason(
    picture: bytes, reason: str
) -> None:
    page = read_page(f'<p>x</p><img src="{data_uri(picture)}">')
    assert not parts_of("figure", page)
    assert re.search(reason, page.skipped[0].reason)


def test_the_same_picture_is_kept_once() -> None:
    page = read_page(f'<p>x</p><img src="{data_uri(png())}"><img src="{data_uri(png())}">')
    assert len(parts_of("figure", page)) == 1
    assert "further up" in page.skipped[0].reason


def test_pictures_over_the_limit_are_left_out() -> None:
    body = "".join(f'<img src="{data_uri(png(100 + n, 90))}">' for n in range(4))
    limits = IngestSettings(max_images=2)
    _, page = parse_html(page_of(body), name="p.html", asset_dir=None, limits=limits)
    assert len(parts_of("figure", page)) == 2
    assert page.skipped[-1].reason == "the page has more than 2 pictures"


def test_thousands_of_tracking_pixels_are_reported_in_short() -> None:
    page = read_page("<p>x</p>" + f'<img src="{PIXEL}">' * 500)
    assert len(page.skipped) == 201
    assert page.skipped[-1].reason == "300 more pictures were left out"


def test_a_large_data_picture_with_line_breaks_is_read() -> None:
    address = data_uri(png(900, 700, "blue"))
    broken = address[:60] + "\r\n   ".join(
        address[at : at + 76] for at in range(60, len(address), 76)
    )
    (part,) = parts_of("figure", read_page(f'<img src="{broken}">'))
    assert stored(part).size == (900, 700)


def test_the_large_entry_of_a_srcset_wins(tmp_path: Path) -> None:
    for width in (100, 400, 3000):
        (tmp_path / f"w{width}.png").write_bytes(png(width, 90 if width < 3000 else 900))
    body = '<img src="w100.png" srcset="w100.png 100w, w400.png 400w,w3000.png 3000w">'
    (part,) = parts_of("figure", read_page(body, asset_dir=tmp_path))
    assert stored(part).width == 400


def test_sources_of_a_picture_element_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(200, 90))
    (tmp_path / "b.png").write_bytes(png(100, 90))
    body = '<picture><source srcset="a.png"><img src="b.png"></picture>'
    (part,) = parts_of("figure", read_page(body, asset_dir=tmp_path))
    assert stored(part).width == 200


@pytest.mark.parametrize("name", ["data-src", "data-original", "data-srcset"])
def test_a_lazy_picture_is_found_behind_its_placeholder(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    body = f'<img src="{PIXEL}" {name}="a.png">'
    assert len(parts_of("figure", read_page(body, asset_dir=tmp_path))) == 1


def test_the_picture_in_noscript_replaces_its_placeholder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    body = figure(
        '<div><img src="https://cdn.example/60/a.png?q=20"></div><img alt="pump">'
        '<noscript><img src="a.png"></noscript>'
    )
    page = read_page(body, asset_dir=tmp_path)
    (part,) = page.parts
    assert (part.caption, part.alt, page.skipped) == ("A pump", "pump", ())
    assert stored(part).size == (120, 90)


def test_a_lazy_picture_and_its_twin_of_another_name_are_one(tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(png())
    (tmp_path / "large.png").write_bytes(png(240, 180))
    page = read_page(
        f'<p>x</p><img src="{PIXEL}" data-src="large.png">'
        '<noscript><img src="small.png"></noscript>',
        asset_dir=tmp_path,
    )
    assert [stored(part).width for part in parts_of("figure", page)] == [240]


def test_formula_pictures_are_read_as_their_words() -> None:
    page = read_page(
        '<p>Let <img class="mwe-math-fallback-image-inline" alt="x^2" src="u"> be.</p>'
    )
    assert [part.text for part in page.parts] == ["Let x^2 be."]


@pytest.mark.parametrize(
    ("address", "head"),
    [
        ("img/a%20b.png", ""),
        ("./img/../img/a%20b.png?v=2#x", ""),
        ("img\\a b.png", ""),
        ("/img/a b.png", ""),
        ("a b.png", '<base href="img/">'),
        ("img/a b.png", '<base href="https://example.org/x/">'),
        ("https/odd/a b.png", ""),
    ],
    ids=["encoded", "dots", "backslash", "root", "base", "remote base", "saved folder"],
)
def test_files_beside_the_page_are_found(address: str, head: str, tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "page_files").mkdir()
    folder = "page_files" if "odd" in address else "img"
    (tmp_path / folder / "a b.png").write_bytes(png())
    page = read_page(f'<img src="{address}">', asset_dir=tmp_path, head=head)
    assert len(parts_of("figure", page)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "../secret.png",
        "..%2fsecret.png",
        "%2e%2e/secret.png",
        "..\\secret.png",
        "....//secret.png",
        "link.png",
        "folder/secret.png",
        "file:///{0}/secret.png",
        "{0}/secret.png",
        "a\0.png",
        "x" * 5000,
        "//[bad",
    ],
)
def test_nothing_outside_the_folder_is_read(address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    site = tmp_path / "site"
    site.mkdir()
    (site / "link.png").symlink_to(tmp_path / "secret.png")
    (site / "folder").symlink_to(tmp_path)
    page = read_page(f'<p>x</p><img src="{address.format(tmp_path)}">', asset_dir=site)
    assert not parts_of("figure", page)


def test_no_address_of_a_page_is_ever_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        svg = f'<svg width=200 height=200><image href="{here}/s"/><rect width=90 height=90 /></svg>'
        read_page(
            f'<link rel=stylesheet href="{here}/a.css"><img src="{here}/b" srcset="{here}/c 2x">'
            f'<picture><source srcset="{here}/d"></picture><p>x</p>{svg}<iframe src="{here}/e">',
            head=f'<base href="{here}/">',
        )
        with pytest.raises(TimeoutError):
            server.accept()
