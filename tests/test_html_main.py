"""What of a page is kept: the article whole, menus, banners and comments out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from trafilatura import extract

from ingest.decode import decode_html
from ingest.html import parse_html
from rag.settings import IngestSettings
from tests.html_builders import data_uri, parts_of, png, read_page, texts_of

if TYPE_CHECKING:
    from pathlib import Path

PUMPS = "The pump lifts water from the lower basin to the upper one and keeps it there. " * 5
VALVES = "Operators watch the level of both basins and write it down twice a day. " * 5
IMAGE = f'<img src="{data_uri(png())}">'
ARTICLES = [
    "gregoryszorc.com.python3",
    "readability-base-url-base-element-relative",
    "readability-data-url-image",
    "readability-keep-images",
    "readability-lazy-image-1",
    "readability-qq",
    "readability-v8-blog",
    "readability-wikipedia",
]


def letters(text: str) -> int:
    return len(re.sub(r"\s", "", text))


@pytest.mark.parametrize("name", ARTICLES)
def test_main_text_is_as_long_as_trafilatura_s_within_5_percent(name: str, shared: Path) -> None:
    data = (shared / "corpus" / "html" / f"{name}.html").read_bytes()
    _, page = parse_html(data, name=name, asset_dir=None, limits=IngestSettings())
    ours = letters("".join(part.text for part in page.parts if part.kind != "figure"))
    text = decode_html(data, name=name)[0]
    # Its two readings differ on one page of these, and what lies between is right.
    theirs = [
        letters(extract(text, include_comments=False, favor_recall=is_wide) or "")
        for is_wide in (False, True)
    ]
    assert 0.95 * min(theirs) <= ours <= 1.05 * max(theirs)


@pytest.mark.parametrize(
    ("name", "menu"),
    [
        ("gregoryszorc.com.python3", ["- Blog", "- Work", "Categories"]),
        ("readability-qq", ["- 视频", "- 腾讯微博", "科技 > 要闻 > THE NEXT WEB > 正文"]),
        (
            "readability-wikipedia",
            ["Navigation menu", "Jump to: navigation, search", "Categories:"],
        ),
        ("readability-lazy-image-1", ["About", "Help", "Legal"]),
        ("readability-v8-blog", ["Home", "Docs", "Tools", "Research"]),
        ("example-steelJIS-datasheet-utf-16", ["Home Japanese steel grading Steel standards"]),
    ],
)
def test_menus_of_real_pages_are_left_out(name: str, menu: list[str], shared: Path) -> None:
    data = (shared / "corpus" / "html" / f"{name}.html").read_bytes()
    _, page = parse_html(data, name=name, asset_dir=None, limits=IngestSettings())
    assert not [text for text in texts_of(page) if any(text.startswith(m) for m in menu)]


def test_banners_comments_and_related_links_are_left_out() -> None:
    page = read_page(
        f"""<div class="cookie-banner"><p>We use cookies to make this site better for you.</p></div>
        <header><a href=/>Site</a><ul><li><a href=/a>News</a><li><a href=/b>Sport</a></ul></header>
        <main><article><h1>Pumps at night</h1><p>{PUMPS}</p>
        <aside><h2>Related</h2><ul><li><a href=#>Another story</a></ul></aside>
        <h2>How they work</h2><p>{VALVES}</p>
        <figure>{IMAGE}<figcaption>A pump</figcaption></figure><p>Last. {PUMPS}</p></article>
        <section class=comments><h2>Comments</h2><p>Great article about the pumps!</p></section>
        <div class=more><h3>More stories</h3><a href=#>Story one</a>
        <a href=#><img src="{data_uri(png(130, 90))}" alt="Dam"></a></div></main>
        <footer>Imprint</footer>"""
    )
    assert [part.text[:15] or part.caption for part in page.parts] == [
        "Pumps at night",
        PUMPS[:15],
        "How they work",
        VALVES[:15],
        "A pump",
        "Last. The pump ",
    ]


@pytest.mark.parametrize("wrapper", ["section", "div class=section", "details"])
def test_a_section_of_definitions_inside_an_article_is_kept(wrapper: str) -> None:
    page = read_page(
        f"<main><h1>Glossary</h1><p>{PUMPS}</p><{wrapper}><h2>Terms</h2><dl><dt>Pump</dt>"
        f"<dd>Lifts water.</dd><dt>Valve</dt><dd>Holds it.</dd></dl></{wrapper.split()[0]}>"
        f"<p>{VALVES}</p></main>"
    )
    assert texts_of(page)[2:-1] == ["Terms", "Pump", "Lifts water.", "Valve", "Holds it."]


def test_a_quotation_and_a_listing_in_figures_are_kept_with_their_captions() -> None:
    page = read_page(
        f"<article><h1>Pumps</h1><p>{PUMPS}</p>"
        "<figure><blockquote><p>Water is heavy.</p></blockquote><figcaption>A pilot</figcaption>"
        "</figure><figure><pre>open(valve)</pre><figcaption>Listing 1: opening</figcaption>"
        f"</figure><p>{VALVES}</p></article>"
    )
    assert texts_of(page)[2:-1] == [
        "Water is heavy.",
        "A pilot",
        "open(valve)",
        "Listing 1: opening",
    ]


def test_updates_inside_an_article_are_kept_in_order() -> None:
    page = read_page(
        f"<main><article><h1>Live</h1><p>{PUMPS}</p>"
        f"<article><h2>10:05</h2><p>First. {VALVES}</p></article>"
        f"<article><h2>10:30</h2><p>Second. {PUMPS}</p><figure>{IMAGE}<figcaption>Now</figcaption>"
        "</figure></article></article></main>"
    )
    assert [text[:6] for text in texts_of(page)] == [
        "Live",
        "The pu",
        "10:05",
        "First.",
        "10:30",
        "Second",
    ]
    assert [part.caption for part in parts_of("figure", page)] == ["Now"]
