"""What the user said about showing an input: names of features, words of tokens, how values become a picture again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from reportgen.analysis.display import Display
from reportgen.analysis.evidence import Array, Artifacts, InputFacts
from reportgen.analysis.images import Scale, as_float, choose_scale
from reportgen.sections.words import number_text, shorten

T = TypeVar("T")
MOST_LETTERS_OF_A_NAME = 40


def hint_for(hints: Mapping[str, T], name: str) -> T | None:
    """Return what was said of one input, or of the only one ("")."""
    return hints.get(name, hints.get(""))


def feature_names(artifacts: Artifacts, name: str) -> tuple[str, ...]:
    """Return the names of an input's columns; () where they are not known."""
    inputs = artifacts.worker.inputs if artifacts.worker else ()
    return next((fact.features for fact in inputs if fact.name == name), ())


def as_displayed(artifacts: Artifacts, name: str, values: Array) -> Array:
    """Return a sample (or several) with its scaling undone and its colours in the order red, green, blue."""
    hint = hint_for(artifacts.display, name)
    if hint is None or values.dtype.kind not in "biuf":
        return values
    if hint.mean or hint.std:
        values = _undone(as_float(values), hint)
    return values[..., ::-1] if hint.bgr and values.ndim > 2 and values.shape[-1] == 3 else values


def _undone(values: Array, hint: Display) -> Array:
    """Return values times std, plus mean; a list by channel that does not fit the last axis is not applied."""
    for part, sign in ((hint.std, "times"), (hint.mean, "plus")):
        if len(part) in (1, values.shape[-1] if values.ndim else 1):
            values = values * np.asarray(part) if sign == "times" else values + np.asarray(part)
    return values


def scale_for(artifacts: Artifacts, fact: InputFacts) -> Scale:
    """Return the grey scale of an input: the user's range, else one from the range of the whole batch."""
    hint = hint_for(artifacts.display, fact.name)
    if hint is None:
        return choose_scale(fact.low, fact.high, fact.dtype)
    if hint.low is not None and hint.high is not None:
        rule = f"{number_text(hint.low)} is black, {number_text(hint.high)} is white (display.range)"
        return Scale(hint.low, hint.high, rule)
    if not (hint.mean or hint.std):
        return choose_scale(fact.low, fact.high, fact.dtype)
    channels = max(len(hint.mean), len(hint.std), 1)
    ends = _undone(np.array([[fact.low] * channels, [fact.high] * channels]), hint)
    return choose_scale(float(ends.min()), float(ends.max()))


def token_words(artifacts: Artifacts, name: str, tokens: Array) -> list[str]:
    """Return tokens as words of the vocabulary, or as numbers where there is none or it ends before."""
    words = hint_for(artifacts.vocabularies, name) or ()
    return [
        shorten(words[token], MOST_LETTERS_OF_A_NAME) if 0 <= token < len(words) and words[token] else str(token)
        for token in (int(token) for token in tokens)
    ]
