"""Mistakes in a configuration, in the user's words: unknown keys with the nearest one, and types explained."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from reportgen.config_batch import Batch, Display, Feature, Normalize, Predictions
from reportgen.config_model import BUILD_TAG, FILE_TAG, Build
from reportgen.config_schema import CheckSetting, Gate, Layers, Limits, Settings, Theme
from reportgen.config_yaml import Path_

# Keys that people look for in another place.
ELSEWHERE = {
    "normalize": "batch.normalize",
    "display": "batch.display",
    "vocabulary": "batch.vocabulary",
    "builder": "model.builder",
    "weights": "model.weights",
} | {
    "templates": "theme.templates",
    "logo": "theme.logo",
    "accent": "theme.accent",
    "brand": "theme",
}
# Keys of the design that do nothing yet ("*" stands for any name) and what running them would need to be allowed.
UNSUPPORTED: dict[Path_, str] = {
    ("plugins",): "plugins",
    ("batch", "weights"): "",
    ("predictions", "weights"): "",
    ("isolate",): "",
    ("explain",): "",
}
_SECTIONS: dict[Path_, type[BaseModel]] = {
    (): Settings,
    ("model",): Build,
    ("batch",): Batch,
    ("batch", "normalize"): Normalize,
    ("batch", "normalize", "*"): Normalize,
    ("batch", "display"): Display,
    ("batch", "display", "*"): Display,
    ("batch", "tfrecord", "*"): Feature,
    ("predictions", "display"): Display,
    ("predictions", "display", "*"): Display,
    ("layers",): Layers,
    ("predictions",): Predictions,
    ("limits",): Limits,
    ("theme",): Theme,
    ("gates", "*"): Gate,
    ("checks", "*"): CheckSetting,
}
_BY_INPUT = (("batch", "normalize"), ("batch", "display"), ("batch", "tfrecord"), ("predictions", "display"))
_WORDS = {
    "string_type": "must be a text",
    "dict_type": "must be a mapping (`key: value` lines)",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "path_type": "must be a path",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def pattern_of(path: Path_) -> Path_:
    """Return `path` with the names of metrics, checks, inputs and features as "*" (the only input's left out)."""
    if len(path) > 1 and path[0] in ("gates", "checks"):
        return (path[0], "*", *path[2:])
    if len(path) > 2 and path[:2] in _BY_INPUT:
        return (*path[:2], *(("*",) if path[2] else ()), *path[3:])
    return path


def keys_at(path: Path_) -> tuple[str, ...]:
    """Return the keys that the section at `path` knows (empty where any name may stand)."""
    section = _SECTIONS.get(pattern_of(path))
    return tuple(section.model_fields) if section else ()


def unknown_key(key: str, known: tuple[str, ...]) -> str:
    """Say that `key` is not known, and which one may be meant."""
    if key in ELSEWHERE and key not in known:
        return f"unknown key `{key}` here; it is called `{ELSEWHERE[key]}`"
    near = difflib.get_close_matches(key, known, 1, 0.6) or difflib.get_close_matches(key.lower(), known, 1, 0.6)
    if near:
        return f"unknown key `{key}`; did you mean `{near[0]}`?"
    return f"unknown key `{key}`; known here: {', '.join(known)}"


def explain(error: ErrorDetails) -> tuple[Path_, bool, str]:
    """Return where a pydantic error belongs, whether to its key (instead of its value), and what is wrong in words."""
    path: Path_ = tuple(part for part in error["loc"] if part not in (FILE_TAG, BUILD_TAG))
    name = ".".join(str(part) for part in path if part != "")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return path, True, unknown_key(str(path[-1]), keys_at(path[:-1]))
    if kind == "missing":
        return path[:-1], False, f"`{name}` is required"
    return path, False, f"`{name}` {_wrong(kind, context, error)}"


def _wrong(kind: str, context: dict[str, Any], error: ErrorDetails) -> str:
    """Return what is wrong with a value, as the rest of a sentence that begins with its key."""
    given = error.get("input")
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind == "literal_error":
        near = difflib.get_close_matches(str(given), str(context["expected"]).replace("'", "").split(), 1, 0.6)
        hint = f"; did you mean {near[0].strip(',')}?" if near and isinstance(given, str) else ""
        shown = f", not `{given}`" if isinstance(given, str) else ""
        return f"must be one of {str(context['expected']).replace(chr(39), '')}{shown}{hint}"
    limits = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    if kind in limits:
        words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}[limits[kind]]
        return f"must be {words} {context[limits[kind]]}, not {given}"
    if kind == "model_type":
        return "must be a section (`key: value` lines under it)"
    if kind == "too_long":
        return f"takes {context['max_length']} values, not {context['actual_length']}"
    if kind == "string_too_long":
        return f"may have {context['max_length']} characters"
    return _WORDS.get(kind, error["msg"].lower())
