"""What may stand in an SVG that enters the page: elements, attributes, style properties and their values."""

# ruff: noqa: SIM905 (word lists read better as text)
from __future__ import annotations

import re
from functools import lru_cache

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

TEXT_ELEMENTS = frozenset({"text", "tspan", "title", "desc"})
PLAIN_TEXT = frozenset({"title", "desc"})  # HTML parses their children as HTML: no element may stand in them
ELEMENTS = TEXT_ELEMENTS | frozenset(
    "svg g a path rect circle ellipse line polyline polygon defs symbol use image clipPath mask marker pattern "
    "linearGradient radialGradient stop switch".split()
)

# A reference inside one of these could be followed again and again while it is drawn.
NO_REFERENCES_INSIDE = frozenset({"pattern", "marker", "clipPath", "mask"})

GEOMETRY = frozenset(
    "d points x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy width height viewBox preserveAspectRatio transform "
    "gradientTransform gradientUnits patternTransform patternUnits patternContentUnits clipPathUnits maskUnits "
    "maskContentUnits markerWidth markerHeight markerUnits refX refY orient offset spreadMethod rotate textLength "
    "lengthAdjust pathLength version".split()
)

STYLE = frozenset(
    "color fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset "
    "stroke-linecap stroke-linejoin stroke-miterlimit opacity font font-family font-size font-style font-weight "
    "font-variant font-stretch font-variant-numeric text-anchor text-decoration dominant-baseline alignment-baseline "
    "baseline-shift letter-spacing word-spacing white-space writing-mode direction unicode-bidi visibility clip-path "
    "clip-rule mask marker marker-start marker-mid marker-end stop-color stop-opacity paint-order shape-rendering "
    "text-rendering image-rendering color-interpolation vector-effect mix-blend-mode isolation".split()
)
STYLE_ONLY = STYLE | {"transform", "transform-origin", "transform-box"}

WORDS = frozenset(
    {"class", "role", "lang", "tabindex", "aria-label", "aria-hidden", "aria-roledescription", "focusable"}
)
ID_LISTS = frozenset({"aria-labelledby", "aria-describedby"})
DATA = re.compile(r"data-(?!asset\b)[a-z][a-z0-9-]{0,39}")

FUNCTIONS = frozenset(
    "var rgb rgba hsl hsla oklch oklab color-mix light-dark calc min max clamp "
    "matrix translate translatex translatey scale scalex scaley rotate skewx skewy".split()
)

_GEOMETRY_VALUE = re.compile(r"[-+0-9A-Za-z.,%()\s]*")
_CSS_VALUE = re.compile(r"""[-+0-9A-Za-z_.,#%()'"/\s\u00a0-\ud7ff\ue000-\uffef]*""")
_CALL = re.compile(r"([A-Za-z-]*)\(")
_LOCAL_URL = re.compile(r"""url\(\s*(['"]?)#([^'"()\s\\]+)\1\s*\)""")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}")


def clean_geometry(value: str) -> str | None:
    """Return a number list, path or transform, or None when it holds anything else."""
    return value if _GEOMETRY_VALUE.fullmatch(value) and _calls_allowed(value) else None


def clean_css(value: str, ids: dict[str, str], *, references: bool) -> str | None:
    """Return a CSS value with local references renamed by `ids`, or None when any part of it is not allowed."""
    value = value.strip()
    rest = _LOCAL_URL.sub("", value) if "url" in value else value
    if not value or not _allowed(rest):
        return None
    if rest == value:
        return value
    targets = [match.group(2) for match in _LOCAL_URL.finditer(value)]
    if not references or any(target not in ids for target in targets):
        return None
    return _LOCAL_URL.sub(lambda match: f"url(#{ids[match.group(2)]})", value)


@lru_cache(maxsize=4096)
def _allowed(value: str) -> bool:
    """Tell whether a CSS value without references is harmless: known characters and functions, closed quotes."""
    closed = not value.count("'") % 2 and not value.count('"') % 2 and value.count("(") == value.count(")")
    return closed and _CSS_VALUE.fullmatch(value) is not None and _calls_allowed(value)


def clean_style(value: str, ids: dict[str, str], *, references: bool) -> str:
    """Return the declarations of a style attribute that are allowed, one by one."""
    kept = []
    for declaration in value.split(";"):
        name, _, text = declaration.partition(":")
        name = name.strip().lower()
        cleaned = clean_css(text, ids, references=references) if name in STYLE_ONLY else None
        if cleaned is not None:
            kept.append(f"{name}:{cleaned}")
    return ";".join(kept)


def clean_picture(value: str) -> str | None:
    """Return an embedded PNG, JPEG or WebP as a data URI without white space, or None."""
    value = "".join(value.split())
    return value if _PICTURE.fullmatch(value) else None


def _calls_allowed(value: str) -> bool:
    """Tell whether every function called in a value is on the list; a bare bracket is a group in calc()."""
    return "(" not in value or all(not name or name.lower() in FUNCTIONS for name in _CALL.findall(value))
