"""Keras's own graph as Graphviz drew it, with the page's colours and font in place of Graphviz's."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reportgen.figures import ink
from reportgen.figures.drawing import Drawing
from reportgen.figures.lettering import FONT, measure, pixel

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
STROKES = {"black": "ink-soft", "#000000": "ink-soft"}
FILLS = {"black": "ink", "#000000": "ink", "white": "surface", "#ffffff": "surface", "lightgrey": "raised"}
KEPT = frozenset({"svg", "g", "a", "text", "path", "polygon", "polyline", "ellipse", "rect", "title"})
LONGEST = 16 * 1024 * 1024
ROOMY = 1.1  # `measure` is that much generous
SMALLER = 0.86  # system fonts take up to a sixth more than the one Graphviz measured with


def theme_full_graph(data: bytes) -> Drawing | None:
    """Return Graphviz's SVG with CSS variables for colours, or None when it is not a plain SVG."""
    if len(data) > LONGEST or b"<!ENTITY" in data:
        return None
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - our own engine's output, no entity in it
    except ElementTree.ParseError:
        return None
    box = root.get("viewBox", "").split()
    if root.tag != f"{SVG}svg" or len(box) != 4:
        return None
    width, height = round(float(box[2])), round(float(box[3]))
    ElementTree.register_namespace("", SVG[1:-1])
    _clean(root)
    for element in list(root.iter()):
        _join_lines(element)
    root.attrib.clear()
    root.attrib.update(viewBox=" ".join(box), width=str(width), height=str(height))
    root.set("font-family", FONT)
    if len(root) == 1:
        root[0].set("id", "all")  # so that paper can show it in pieces
    return Drawing("image/svg+xml", ElementTree.tostring(root, encoding="utf-8"), width, height)


def _clean(element: ElementTree.Element) -> None:
    """Rewrite one element and all in it: colours as variables, links as plain href, tooltips and ids left out."""
    for child in list(element):
        local = child.tag.removeprefix(SVG) if isinstance(child.tag, str) else ""
        if local not in KEPT or (local == "title" and element.tag != f"{SVG}a"):
            element.remove(child)
            continue
        _clean(child)
    link = element.attrib.pop(f"{XLINK}href", "")
    for name in [name for name in element.attrib if name.startswith("{") or name in ("id", "class", "font-family")]:
        del element.attrib[name]
    if link.startswith("#"):
        element.set("href", link)
    local = element.tag.removeprefix(SVG)
    _paint(element, local)
    if element.tail:
        element.tail = element.tail if local in ("text",) and element.tail.strip() else None
    if element.text and local not in ("text", "title"):
        element.text = None


def _join_lines(group: ElementTree.Element) -> None:
    """Write the pieces of a line as one text around its middle, a little smaller.

    Graphviz places each piece by the widths of its own font; in the page's font, often wider, they would overlap.
    """
    lines: dict[str, list[ElementTree.Element]] = {}
    runs: list[list[ElementTree.Element]] = []
    for child in group:
        if child.tag != f"{SVG}text":
            lines.clear()
        elif child.get("text-anchor") == "start" and (y := child.get("y", "")) in lines:
            lines[y].append(child)
        elif child.get("text-anchor") == "start":
            runs.append([child])
            lines[y] = runs[-1]
    for run in runs:
        _join(group, run)


def _join(group: ElementTree.Element, run: list[ElementTree.Element]) -> None:
    """Make one centred text of the pieces of one line."""
    first, last = run[0], run[-1]
    size = float(last.get("font-size", "14"))
    end = float(last.get("x", "0")) + measure(last.text or "", size, last.get("font-weight") == "bold") / ROOMY
    first.set("x", pixel((float(first.get("x", "0")) + end) / 2))
    first.set("text-anchor", "middle")
    first.set("font-size", pixel(size * SMALLER))
    for piece in run[1:]:
        weight = {"font-weight": piece.get("font-weight", "normal")}
        ElementTree.SubElement(first, f"{SVG}tspan", weight).text = piece.text
        group.remove(piece)


def _paint(element: ElementTree.Element, local: str) -> None:
    """Replace the colours of one element."""
    if local == "text":
        element.set("fill", ink.css(FILLS.get(element.get("fill", "black"), "ink")))
        return
    stroke, fill = element.get("stroke"), element.get("fill")
    if stroke and stroke != "none":
        element.set("stroke", ink.css(STROKES.get(stroke, "ink-soft")) if stroke != "transparent" else "none")
    if fill and fill != "none":
        solid = stroke == fill == "black"  # an arrow head
        named = "ink-soft" if solid else FILLS.get(fill, "surface")
        element.set("fill", "none" if fill == "transparent" else ink.css(named))
    if element.get("stroke-dasharray"):
        element.set("stroke-dasharray", re.sub(r"[^0-9., ]", "", element.get("stroke-dasharray", "")))
