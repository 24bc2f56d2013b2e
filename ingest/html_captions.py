"""Which words of a page are the caption of which picture, and which pictures are one.

Knows elements and their order, nothing of bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.html_sources import is_placeholder, picture_names, waits
from ingest.html_tree import remove_keeping_tail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

PICTURE_TAGS = ("img", "svg")
MAX_LEVELS = 4  # between a caption and what holds its picture as well
_CAPTION_CLASS = re.compile(
    r"(?:^|[\s_-]|[a-z]-?)caption(?:[_-]?(?:text|body|inner))?(?:$|\s)|gallerytext", re.I
)
_MAX_CAPTION_CHARACTERS = 1_500
_LOOSE_CHARACTERS = 60  # of other text beside a picture and its caption


def settle_twins(root: _Element) -> None:
    """Leave one img of each lazily loaded picture, the one that names the picture itself.

    Lazy loaders write a small or empty img for the eye and the real one inside
    noscript, or two sizes in one figure. Elements noscript are gone afterwards.
    """
    for image in list(root.iter("amp-img")):
        image.tag = "img"
    for noscript in list(root.iter("noscript")):
        images = list(noscript.iter("img"))
        if images:
            _adopt(noscript, images)
        else:
            remove_keeping_tail(noscript)
    for figure in root.iter("figure"):
        _drop_repeats(list(figure.iter("img")))


def find_captions(root: _Element) -> Mapping[_Element, _Element]:
    """Picture or table element to its caption element, where the page is not a figure element.

    Told by class (thumbcaption, wp-caption-text, imageCaption, …): the caption belongs to
    the nearest picture before it, else after it, inside the smallest element that holds
    both and little else. One that stands under a figure of figures belongs to all in it.
    """
    found = _described(root)
    for element in root.iter("div", "p", "span", "dd", "small", "em", "td", "figcaption"):
        if _is_caption(element):
            for target in _targets_of(element):
                found.setdefault(target, element)
    return found


def pictures_in(element: _Element) -> list[_Element]:
    """The img and svg elements inside an element, itself included; none inside an svg."""
    return [
        picture
        for picture in element.iter(*PICTURE_TAGS)
        if next(picture.iterancestors("svg"), None) is None
    ]


def plain_text(element: _Element) -> str:
    """All text of an element on one line."""
    return " ".join("".join(element.itertext()).split())


def _adopt(noscript: _Element, images: list[_Element]) -> None:
    twins = [
        image
        for image in _images_before(noscript)
        if is_placeholder(image) or picture_names(image) & picture_names(images[0])
    ]
    before = noscript.getprevious()
    if before is not None and before.tag == "img" and waits(before) and before not in twins:
        twins.append(before)  # whatever size it names: a script fills it, noscript stands for it
    for twin in twins:
        if not images[0].get("alt") and twin.get("alt"):
            images[0].set("alt", twin.get("alt", ""))
        for name in ("data-src", "data-original", "data-srcset", "srcset"):
            if twin.get(name) and not images[0].get(name):
                images[0].set(name, twin.get(name, ""))
        _remove_with_picture(twin)
    for image in images:
        image.tail = None
        noscript.addprevious(image)
    remove_keeping_tail(noscript)


def _images_before(noscript: _Element) -> list[_Element]:
    """Images in the same figure, or the nearest element above that has some."""
    figure = next(noscript.iterancestors("figure"), None)
    for level, ancestor in enumerate(noscript.iterancestors(), start=1):
        if level > 3 and figure is None:
            break
        images = []
        for element in ancestor.iter("img", "noscript"):
            if element is noscript:
                break
            if element.tag == "img" and next(element.iterancestors("noscript"), None) is None:
                images.append(element)
        if figure is None and images:
            return images[-2:]
        if ancestor is figure:
            return images
    return []


def _drop_repeats(images: list[_Element]) -> None:
    """The same file name twice in one figure is one picture in two sizes."""
    seen: set[str] = set()
    for image in reversed(images):  # the later one is the larger one (lazy loaders, measured)
        names = picture_names(image)
        is_nothing = is_placeholder(image) and not image.get("alt") and len(images) > 1
        if names & seen or is_nothing:
            _remove_with_picture(image)
        seen |= names


def _remove_with_picture(image: _Element) -> None:
    parent = image.getparent()
    is_alone = parent is not None and parent.tag == "picture" and len(list(parent.iter("img"))) == 1
    remove_keeping_tail(parent if is_alone else image)


def is_picture_figure(figure: _Element) -> bool:
    """Whether a figure element holds pictures and nothing that needs a walk of its own."""
    others = figure.iter("table", "pre", "blockquote", "ul", "ol", "figure")
    return bool(pictures_in(figure)) and all(element is figure for element in others)


def _is_caption(element: _Element) -> bool:
    if element.tag == "figcaption":
        figure = next(element.iterancestors("figure"), None)
        return figure is None or not is_picture_figure(figure)
    if _CAPTION_CLASS.search(element.get("class") or "") is None:
        return False
    if next(element.iter(*PICTURE_TAGS, "table"), None) is not None:
        return False
    inside = next(element.iterancestors("figure", "caption", "pre", "figcaption"), None)
    return inside is None and 0 < len(plain_text(element)) <= _MAX_CAPTION_CHARACTERS


def _described(root: _Element) -> dict[_Element, _Element]:
    """Pictures that name the element that describes them."""
    pictures = [image for image in root.iter("img") if image.get("aria-describedby")]
    if not pictures:
        return {}
    by_id = {element.get("id"): element for element in root.iter("p", "div", "span", "small")}
    named = {image: by_id.get(image.get("aria-describedby")) for image in pictures}
    return {
        image: element
        for image, element in named.items()
        if element is not None
        and 0 < len(plain_text(element)) <= _MAX_CAPTION_CHARACTERS
        and next(element.iter(*PICTURE_TAGS, "table"), None) is None
    }


def _targets_of(caption: _Element) -> list[_Element]:
    figure = caption.getparent() if caption.tag == "figcaption" else None
    if figure is not None and figure.tag == "figure" and figure.find(".//figure") is not None:
        return pictures_in(figure)
    target = _neighbour_of(caption)
    target = _target_of(caption) if target is None else target
    return [] if target is None else [target]


def _neighbour_of(caption: _Element) -> _Element | None:
    """The picture or table right before the caption, or the table right after it."""
    before, after = caption.getprevious(), caption.getnext()
    if before is not None and not (before.tail or "").strip():
        if before.tag == "table":
            return before
        if pictures := pictures_in(before):
            return pictures[-1] if not plain_text(before) else None
    has_table = after is not None and after.tag == "table" and not (caption.tail or "").strip()
    return after if has_table else None


def _target_of(caption: _Element) -> _Element | None:
    own = len(plain_text(caption))
    for level, ancestor in enumerate(caption.iterancestors(), start=1):
        if level > MAX_LEVELS or ancestor.tag in ("body", "html", "article", "main"):
            return None
        tables = list(ancestor.iter("table"))
        targets = pictures_in(ancestor) + tables
        if not targets and ancestor.tag != "figure":
            continue
        other = len(plain_text(ancestor)) - own - sum(len(plain_text(table)) for table in tables)
        if not targets or other > _LOOSE_CHARACTERS:
            return None
        order = {element: place for place, element in enumerate(ancestor.iter())}
        before = [target for target in targets if order[target] < order[caption]]
        # The nearest one before; of a table's own parts the table itself stands first.
        return max(before, key=order.__getitem__) if before else targets[0]
    return None
