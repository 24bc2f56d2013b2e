"""Colours of a drawing in the few words that MuPDF knows. Knows SVG attributes, draws nothing.

MuPDF 2.0 ignores style sheets, currentColor, gradients, rgba() and hsl() and fills with
black instead (measured), so a chart comes out as a black box unless they are resolved.
"""

from __future__ import annotations

import colorsys
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

    Rules = Mapping[str, Mapping[str, str]]

MAX_RULES = 2_000
PATTERN_COLOUR = "#cccccc"
_PROPERTIES = {
    "fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity",
    "stroke-opacity", "color", "stop-color", "display", "visibility", "font-size", "font-family",
    "font-weight", "text-anchor",
}  # fmt: skip
_PAINTS = ("fill", "stroke", "stop-color", "color")
_GROUPS = {"a", "switch"}  # MuPDF skips what stands in them
_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]{0,4000})\}")
_SELECTOR = re.compile(r"[.#]?[A-Za-z_][\w-]{0,80}|\*")
_URL = re.compile(r"url\(\s*['\"]?#([^)'\"\s]{1,200})['\"]?\s*\)")
_COLOUR_CALL = re.compile(r"(rgb|hsl)a?\(([^()]{1,80})\)", re.IGNORECASE)
_COLOUR_WORD = re.compile(r"#[0-9a-f]{3}(?:[0-9a-f]{3})?|[a-z]{3,25}", re.IGNORECASE)


def resolve_paint(root: _Element) -> None:
    """Write every colour as a plain attribute, in place; style sheets are gone afterwards."""
    rules = _read_rules(root)
    stops = dict(_gradient_colours(root, rules))
    colours: dict[_Element, str] = {}
    for element in list(root.iter()):
        tag = _local(element)
        if tag == "style":
            _remove(element)
            continue
        if tag in _GROUPS:
            element.tag = str(element.tag).replace("}" + tag, "}g")
        values = _values(element, rules)
        parent = element.getparent()
        above = colours.get(parent, "black") if parent is not None else "black"
        colours[element] = _plain_colour(values.get("color", above), above, stops)
        _write(element, values, colours[element], stops)
        if values.get("display") == "none" and element is not root:
            _remove(element)


def _read_rules(root: _Element) -> dict[str, dict[str, str]]:
    """Rules for one class, id or tag; longer selectors are rare in drawings and left out."""
    rules: dict[str, dict[str, str]] = {}
    for style in root.iter("{*}style"):
        for match in _RULE.finditer((style.text or "")[:200_000]):
            for selector in match[1].split(","):
                name = selector.strip()
                if _SELECTOR.fullmatch(name) and len(rules) < MAX_RULES:
                    rules.setdefault(name, {}).update(_declarations(match[2]))
    return rules


def _declarations(text: str) -> dict[str, str]:
    found = {}
    for declaration in text.split(";"):
        name, _, value = declaration.partition(":")
        if name.strip().lower() in _PROPERTIES and value.strip():
            found[name.strip().lower()] = value.replace("!important", "").strip()
    return found


def _values(element: _Element, rules: Rules) -> dict[str, str]:
    """What applies to an element: attributes, then tag, class and id rules, then its own style."""
    values = {name: element.get(name, "") for name in _PROPERTIES if element.get(name)}
    names = ["*", _local(element)]
    names += [f".{name}" for name in (element.get("class") or "").split()[:20]]
    names.append(f"#{element.get('id')}")
    for name in names:
        values.update(rules.get(name, {}))
    values.update(_declarations((element.get("style") or "")[:4_000]))
    return values


def _write(
    element: _Element, values: Mapping[str, str], colour: str, stops: Mapping[str, str]
) -> None:
    for name, value in values.items():
        if name in _PAINTS:
            element.set(name, _plain_colour(value, colour, stops))
        else:
            element.set(name, value)
    element.attrib.pop("style", None)


def _plain_colour(value: str, current: str, stops: Mapping[str, str]) -> str:
    value = value.strip()
    if value.lower() in ("currentcolor", "context-fill", "context-stroke"):
        return current
    url = _URL.match(value)
    if url is not None:
        return stops.get(url[1], PATTERN_COLOUR)
    call = _COLOUR_CALL.match(value)
    if call is not None:
        return _from_call(call[1].lower(), call[2])
    return value if _COLOUR_WORD.fullmatch(value) else "none"


def _from_call(kind: str, arguments: str) -> str:
    """#rrggbb of rgb() or hsl(), laid on white where it is see-through."""
    words = [word for word in re.split(r"[\s,/]+", arguments.strip()) if word]
    numbers = [_number(word) for word in words]
    if len(numbers) < 3:
        return "none"
    if kind == "hsl":
        hue, saturation, light = numbers[0] / 360.0 % 1.0, numbers[1], numbers[2]
        rgb = colorsys.hls_to_rgb(hue, min(light, 1.0), min(saturation, 1.0))
    else:
        scaled = [n if w.endswith("%") else n / 255 for n, w in zip(numbers, words, strict=True)]
        rgb = (scaled[0], scaled[1], scaled[2])
    alpha = min(numbers[3], 1.0) if len(numbers) > 3 else 1.0
    if alpha == 0:
        return "none"
    mixed = (1 - alpha * (1 - min(max(part, 0.0), 1.0)) for part in rgb)
    return "#" + "".join(f"{round(part * 255):02x}" for part in mixed)


def _number(word: str) -> float:
    try:
        value = float(word.rstrip("%deg"))
    except ValueError:
        return 0.0
    return value / 100 if word.endswith("%") else value


def _gradient_colours(root: _Element, rules: Rules) -> Iterator[tuple[str, str]]:
    """Id and middle colour of each gradient; MuPDF fills one tone or none."""
    for element in root.iter("{*}linearGradient", "{*}radialGradient"):
        colours = [
            _plain_colour(_values(stop, rules).get("stop-color", "black"), "black", {})
            for stop in element.iter("{*}stop")
        ]
        plain = [colour for colour in colours if colour != "none"]
        yield element.get("id", ""), plain[len(plain) // 2] if plain else PATTERN_COLOUR


def _local(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _remove(element: _Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
