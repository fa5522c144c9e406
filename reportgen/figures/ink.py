"""Colours and line styles of drawings, by meaning: every colour is a CSS variable, so drawings follow light and dark.

The page defines --surface, --raised, --ink, --ink-soft, --grid, --link, --train, --validation, --first, --second,
--third, --muted, --right, --wrong, --warn and --tint. Where it does not (the drawing opened by itself), the value
beside each name is used. matplotlib knows no CSS variables, so it draws with a stand-in
colour for each, which is replaced afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FALLBACKS = {
    "surface": "#fdfdfc",
    "raised": "#f5f5f2",
    "ink": "#1b1c1f",
    "ink-soft": "#5a5e66",
    "grid": "#dededa",
    "link": "#1d4f91",
    "train": "#b3520a",
    "validation": "#1d5fae",
    "first": "#1d5fae",
    "second": "#b3520a",
    "third": "#0f766a",
    "muted": "#7d828b",
    "right": "#1b7a4b",
    "wrong": "#b42318",
    "warn": "#8a5a00",
    "tint": "#1d5fae",
}
_STAND_INS = {name: f"#fe{index:02x}fd" for index, name in enumerate(FALLBACKS)}
_NAMES = {stand_in: name for name, stand_in in _STAND_INS.items()}
_STAND_IN = re.compile("|".join(_NAMES))


def css(name: str) -> str:
    """Return the colour called `name` as CSS: a variable with its fallback."""
    return f"var(--{name}, {FALLBACKS[name]})"


def stand_in(name: str) -> str:
    """Return the colour that matplotlib draws in place of `name`."""
    return _STAND_INS[name]


def replace_stand_ins(svg: str) -> str:
    """Return matplotlib's SVG with every stand-in as a CSS variable. To be done before any text of a user is added."""
    return _STAND_IN.sub(lambda match: css(_NAMES[match.group()]), svg)


@dataclass(frozen=True, slots=True)
class Style:
    """How a role is told apart by more than colour: dash (px on, off, ...), shape of points, filling of bars.

    `point` is "round", "square" or "cross"; `bar` is "solid", "hollow", "dashed" or "pale".
    """

    colour: str
    dash: tuple[float, ...] = ()
    point: str = "round"
    bar: str = "solid"
    width: float = 1.9


STYLES = {
    "train": Style("train", (6, 3.2), "square", "hollow", 1.7),
    "validation": Style("validation"),
    "first": Style("first"),
    "second": Style("second", (6, 3.2), "square", "hollow"),
    "third": Style("third", (9, 3, 2, 3), "cross", "dashed"),
    "muted": Style("muted", (1.6, 2.6), "round", "pale", 1.5),
    "right": Style("right"),
    "wrong": Style("wrong", (4, 2.6), "cross", "hollow"),
}
