"""Text of a web page to a tree without what a reader cannot see. Knows lxml, no blocks."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.characters import strip_unseen
from rag.errors import EmptyFileError, FileTooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

MAX_TEXT_BYTES = 10_000_000  # without pictures inside the page
MAX_TAGS = 200_000
# libxml2 compares each attribute of a tag with all before it: 200,000 take over 15 s.
MAX_TAG_CHARACTERS = 16_384  # names and unquoted values; quoted ones may be long
MIN_LIFTED_CHARACTERS = 2_000

_TAG = re.compile(r"""<[a-zA-Z](?:"[^"]*+"|'[^']*+'|[^'">]++)*+""")
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+')""")
_PICTURE_DATA = re.compile(
    r"data:image/[\w.+-]{1,40}(?:;[\w=.-]{1,40}){0,3};base64,[A-Za-z0-9+/=%\-_]{1,200}"
    r"(?:[A-Za-z0-9+/=%\-_]|\r?\n[ \t]*+)*+"
)
_SCRIPT = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_SCRIPT_END = {
    "": re.compile("-->"),
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}
# At the start only: searched for, it would try each run of blanks from each of its places.
_DECLARATION = re.compile(r"\A\s*+<\?xml[^>]*+>", re.IGNORECASE)
_WRAPPERS = re.compile(
    r"</?(?:div|section|article|main|center|table|tbody|tr|td|blockquote)\b[^>]*>", re.IGNORECASE
)
_INLINE = re.compile(
    r"</?(?:a|b|i|u|em|strong|span|font|small|big|s|code|sub|sup|q|cite|label)\b[^>]*>",
    re.IGNORECASE,
)
_UNSEEN_TAGS = (
    "script", "style", "template", "textarea", "select", "option", "button", "input", "iframe",
    "object", "embed", "applet", "canvas", "audio", "video", "dialog", "datalist", "head", "link",
    "meta", "noframes", "frameset", "map", "progress", "meter", "rp", "rt",
)  # fmt: skip
_UNSEEN_CLASSES = {"mw-editsection", "sr-only", "visually-hidden", "screen-reader-text"}
_WHITE = r"(?:white|\#f{3}(?:f{3})?|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\))"
_ZERO = r"(?:0+(?:\.0*)?|\.0+)"
_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    rf"|font-size\s*:\s*{_ZERO}(?:[a-z%]+)?\s*(?:!|;|$)|opacity\s*:\s*{_ZERO}%?\s*(?:!|;|$)"
    r"|text-indent\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01])",
    re.IGNORECASE,
)
_OFF_PAGE = re.compile(r"(?:^|;)\s*(?:left|top|right|margin-left)\s*:\s*-\d{3,}", re.IGNORECASE)
_POSITIONED = re.compile(r"position\s*:\s*(?:absolute|fixed)", re.IGNORECASE)
_WHITE_TEXT = re.compile(rf"(?:^|;)\s*color\s*:\s*{_WHITE}", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-color|-image)?\s*:\s*([^;]+)", re.IGNORECASE)
_WHITE_ONLY = re.compile(rf"\s*(?:{_WHITE}|transparent|none|inherit)\s*(?:!important)?\s*$", re.I)


@dataclass(frozen=True, slots=True)
class PageTree:
    """A parsed page.

    root: the tree with hidden parts taken out.
    title: of its head, or "".
    base_href: of its base element, or "".
    lifted: the long data: addresses, by the short name that stands for each in the tree.
    warnings: sentences for the reader.
    """

    root: _Element
    title: str
    base_href: str
    lifted: Mapping[str, str]
    warnings: tuple[str, ...]
    is_deep: bool


def parse_tree(text: str, *, name: str) -> PageTree:
    """Parse a page once, within limits that are checked before.

    Raises:
        EmptyFileError: Nothing but white space.
        FileTooLargeError: Too much text, too many tags, or a tag too large to be honest.
    """
    warnings: tuple[str, ...] = ()
    text, lifted = _lift_pictures(_DECLARATION.sub("", text, count=1))
    _check_limits(text, name)
    root, is_complete = _parse(text)
    if not is_complete:
        # libxml2 stops reading at a depth of 2,048 and drops the rest of the page.
        root, is_complete = _parse(_INLINE.sub("", _WRAPPERS.sub("<p>", text)))
        if not is_complete:
            raise FileTooLargeError(f"{name} is nested too deep. Save it as a simpler page.")
        warnings = (f"{name} is nested very deep; its layout was made simpler.",)
    if root is None:
        raise EmptyFileError(f"{name} holds no text and no pictures. Add a page that does.")
    title, base = _first_text(root, "title"), root.find(".//base[@href]")
    is_deep = _remove_unseen(root)
    base_href = "" if base is None else base.get("href", "")
    return PageTree(root, title, base_href, lifted, warnings, is_deep)


def _lift_pictures(text: str) -> tuple[str, dict[str, str]]:
    """Long data: pictures swapped for short names, so that they weigh nothing while parsing."""
    lifted: dict[str, str] = {}
    token = secrets.token_hex(8)

    def swap(match: re.Match[str]) -> str:
        if len(match[0]) < MIN_LIFTED_CHARACTERS:
            return match[0]
        short = f"lifted:{token}-{len(lifted)}"
        lifted[short] = match[0]
        return short

    return _PICTURE_DATA.sub(swap, text), lifted


def _check_limits(text: str, name: str) -> None:
    if not text.strip():
        raise EmptyFileError(f"{name} holds no text and no pictures. Add a page that does.")
    if len(text) > MAX_TEXT_BYTES:
        raise FileTooLargeError(f"{name} holds more than 10 MB of text. Split it into parts.")
    for tag_count, tag in enumerate(_TAG.finditer(_without_scripts(text)), start=1):
        is_long = tag.end() - tag.start() > MAX_TAG_CHARACTERS
        if is_long and len(_QUOTED.sub("", tag[0])) > MAX_TAG_CHARACTERS:
            raise FileTooLargeError(f"{name} has a tag with thousands of attributes. Clean it up.")
        if tag_count > MAX_TAGS:
            raise FileTooLargeError(f"{name} has more than {MAX_TAGS:,} tags. Split it into parts.")


def _without_scripts(text: str) -> str:
    """The text without scripts, styles and comments, where "a<b" would look like a tag."""
    kept, at = [], 0
    while (start := _SCRIPT.search(text, at)) is not None:
        kept.append(text[at : start.start()])
        end = _SCRIPT_END[(start[1] or "").lower()].search(text, start.end())
        if end is None:
            return "".join(kept)
        at = end.end()
    return "".join([*kept, text[at:]])


def _parse(text: str) -> tuple[_Element | None, bool]:
    """The root, and whether the parser read to the end."""
    from lxml import etree

    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:
        return None, True
    return root, not any("Excessive depth" in entry.message for entry in parser.error_log)


def _first_text(root: _Element, tag: str) -> str:
    element = root.find(f".//{tag}")
    return (
        strip_unseen(" ".join("".join(element.itertext()).split())) if element is not None else ""
    )


def _remove_unseen(root: _Element) -> bool:
    """Take out what a browser does not show; whether the tree is deeper than 256."""
    from lxml import etree

    doomed: list[_Element] = []
    depth = deepest = 0
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
        if event == "start" and element is not root and _is_unseen(element):
            doomed.append(element)
            walk.skip_subtree()
    for element in doomed:
        remove_keeping_tail(element)
    return deepest > 256


def remove_keeping_tail(element: _Element) -> None:
    """Take an element out of the tree; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


def _is_unseen(element: _Element) -> bool:
    if not isinstance(element.tag, str):
        return True
    if element.tag in _UNSEEN_TAGS or element.get("hidden", "until-found") != "until-found":
        return True
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    if _UNSEEN_CLASSES & set((element.get("class") or "").split()):
        return True
    style = element.get("style")
    return bool(style) and _is_hidden_by(style[:2_000], element)


def _is_hidden_by(style: str, element: _Element) -> bool:
    if _HIDING.search(style):
        return True
    if _OFF_PAGE.search(style) and _POSITIONED.search(style):
        return True
    return _WHITE_TEXT.search(style) is not None and _is_on_white(style, element)


def _is_on_white(style: str, element: _Element) -> bool:
    """Whether white text stands on white; a class may set a background, so it counts as dark."""
    own = _BACKGROUND.search(style)
    if own is not None:
        return _WHITE_ONLY.match(own[1]) is not None
    for ancestor in (element, *element.iterancestors()):
        background = _BACKGROUND.search(ancestor.get("style") or "")
        if background is not None and not _WHITE_ONLY.match(background[1]):
            return False
        if ancestor.get("class") or ancestor.get("bgcolor") or ancestor.get("background"):
            return False
    return True
