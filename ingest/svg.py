"""SVG drawings to pictures. Knows what must be taken out of one before it is drawn.

Runs in the killable child: MuPDF draws, and it never sees an address or an entity.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from ingest.svg_paint import resolve_paint
from rag.errors import CorruptFileError, DocumentError, FileTooLargeError
from rag.imaging import LONG_SIDE_PX, decode_picture, encode_png

if TYPE_CHECKING:
    from lxml.etree import _Element
    from PIL import Image

NAMESPACE = "http://www.w3.org/2000/svg"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
MAX_BYTES = 2_000_000
MAX_ELEMENTS = 20_000
MAX_USES = 500
SMALLEST_LONG_SIDE_PX = 800  # drawings have no pixels of their own; labels must be legible
_ACTIVE = {
    "script", "foreignobject", "iframe", "animate", "animatetransform", "animatemotion", "set",
    "audio", "video", "handler", "feimage", "object", "embed",
}  # fmt: skip
_WORDLESS = {"script", "style", "title", "desc", "metadata"}
_NAMES_WITH_CAPITALS = (
    "viewBox preserveAspectRatio gradientUnits gradientTransform spreadMethod patternUnits "
    "patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits "
    "markerWidth markerHeight markerUnits refX refY textLength lengthAdjust startOffset "
    "stdDeviation baseFrequency numOctaves filterUnits primitiveUnits pathLength "
    "linearGradient radialGradient clipPath textPath feGaussianBlur feOffset feBlend "
    "feColorMatrix feComposite feFlood feMerge feMergeNode"
)
# HTML parsers fold names to small letters; a drawing needs these back (SVG 2, appendix).
_CASED = {name.lower(): name for name in _NAMES_WITH_CAPITALS.split()}
_OUTSIDE_URL = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)|@import", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def read_svg(data: bytes) -> _Element:
    """The root of an SVG file.

    Raises:
        CorruptFileError: Not well-formed, not SVG, or with entities of its own.
        FileTooLargeError: Over `MAX_BYTES`.
    """
    from lxml import etree

    if len(data) > MAX_BYTES:
        raise FileTooLargeError("This drawing is over 2 MB. Save it as PNG.")
    if _ENTITY.search(data):
        raise CorruptFileError("This drawing defines entities of its own. Save it as PNG.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise CorruptFileError("This drawing is damaged. Save it as PNG.") from error
    if _local(root) != "svg":
        raise CorruptFileError("This file is not an SVG drawing. Save it as PNG.")
    return root


def draw_svg(root: _Element, *, max_megapixels: int) -> Image.Image:
    """A drawing as RGB on white, its longer side 800 to 1,600 px; nothing outside is read.

    Raises:
        FileTooLargeError: Too many elements, or copies of copies.
        CorruptFileError: MuPDF cannot draw it.
    """
    import pymupdf
    from lxml import etree
    from PIL import Image as Pillow

    data = etree.tostring(_cleaned(root, max_megapixels))
    if len(data) > 4 * MAX_BYTES:
        raise FileTooLargeError("This drawing is too large. Save it as PNG.")
    pymupdf.TOOLS.mupdf_display_errors(False)
    try:
        with pymupdf.open(stream=data, filetype="svg") as document:
            page = document[0]
            long_side = max(page.rect.width, page.rect.height, 1.0)
            target = min(max(2 * long_side, SMALLEST_LONG_SIDE_PX), LONG_SIDE_PX)
            zoom = target / long_side
            pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    # MuPDF's errors are RuntimeErrors; ValueError: a size of nothing.
    except (RuntimeError, ValueError) as error:
        raise CorruptFileError("This drawing cannot be drawn. Save it as PNG.") from error
    return Pillow.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def svg_words(root: _Element) -> str:
    """The words written in a drawing, in document order, labels of HTML inside it included."""
    from lxml import etree

    words: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            words.append((element.tail or "") if element is not root else "")
        elif not isinstance(element.tag, str) or _local(element) in _WORDLESS:
            walk.skip_subtree()
        else:
            words.append(element.text or "")
    return " ".join(" ".join(words).split())


def svg_name(root: _Element) -> str:
    """Its title or aria-label: what alt text is to an img."""
    for child in root:
        if _local(child) in ("title", "desc"):
            return " ".join("".join(child.itertext()).split())
    return " ".join((root.get("aria-label") or "").split())


def svg_size(root: _Element) -> tuple[float, float] | None:
    """Width and height in px as written, or those of the view box; None when neither is known."""
    sizes = [_pixels(root.get(name)) for name in ("width", "height")]
    if sizes[0] and sizes[1]:
        return sizes[0], sizes[1]
    box = re.findall(r"-?[\d.]{1,12}", (root.get("viewBox") or root.get("viewbox") or "")[:100])
    try:
        return (float(box[2]), float(box[3])) if len(box) == 4 else None
    except ValueError:
        return None


def _pixels(value: str | None) -> float | None:
    match = re.match(r"\s*([\d.]{1,12})\s*(px|pt|)\s*$", value or "")
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


def _cleaned(root: _Element, max_megapixels: int) -> _Element:
    """A copy with SVG's own names and without anything that points outside or runs."""
    from lxml import etree

    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    uses = [element for element in elements if _local(element) == "use"]
    if len(elements) > MAX_ELEMENTS or len(uses) > MAX_USES or _copies_of_copies(root):
        raise FileTooLargeError("This drawing has too many elements. Save it as PNG.")
    clean = _copy(root, etree.Element(f"{{{NAMESPACE}}}svg", nsmap={None: NAMESPACE}))
    stack = [(root, clean)]
    while stack:
        source, target = stack.pop()
        for child in source:
            if not isinstance(child.tag, str) or _local(child) in _ACTIVE:
                continue
            if _local(child) == "style" and _OUTSIDE_URL.search(child.text or ""):
                continue
            name = _CASED.get(_local(child), _local(child))
            if not re.fullmatch(r"[\w-]{1,40}", name):
                continue
            made = _copy(child, etree.SubElement(target, f"{{{NAMESPACE}}}{name}"))
            made.tail = child.tail
            if name == "image" and not _embed_safely(made, max_megapixels):
                target.remove(made)
                continue
            stack.append((child, made))
    resolve_paint(clean)
    # Widths such as "100%" mean nothing without a page.
    width, height = svg_size(root) or (800.0, 600.0)
    clean.set("width", f"{width:g}")
    clean.set("height", f"{height:g}")
    return clean


def _copy(source: _Element, target: _Element) -> _Element:
    target.text = source.text
    for name, value in source.attrib.items():
        local = str(name).rpartition("}")[2].rpartition(":")[2]
        if local == "href":
            if str(value).startswith(("#", "data:image/")):
                target.set("href", value)
                target.set(XLINK_HREF, value)
        elif (
            re.fullmatch(r"[A-Za-z][\w-]{0,60}", local)
            and not local.lower().startswith("on")
            and not _OUTSIDE_URL.search(str(value))
        ):
            target.set(_CASED.get(local.lower(), local), value)
    return target


def _embed_safely(image: _Element, max_megapixels: int) -> bool:
    """Decode an embedded picture ourselves: MuPDF would decode a bomb."""
    head, _, payload = (image.get("href") or "").partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        return False
    try:
        picture = decode_picture(base64.b64decode(payload), max_megapixels=max_megapixels)
    except (DocumentError, ValueError):
        return False
    safe = "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()
    image.set("href", safe)
    image.set(XLINK_HREF, safe)
    return True


def _copies_of_copies(root: _Element) -> bool:
    """Whether a `use` stands in what another `use` copies: ten levels are ten billion shapes."""
    used = {
        (element.get("href") or element.get(XLINK_HREF) or element.get("xlink:href") or "")[1:]
        for element in root.iter()
        if isinstance(element.tag, str) and _local(element) == "use"
    }
    for element in root.iter():
        if isinstance(element.tag, str) and _local(element) == "use":
            above = [element, *element.iterancestors()]
            if any(ancestor.get("id") in used for ancestor in above if ancestor.get("id")):
                return True
    return False


def _local(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()
