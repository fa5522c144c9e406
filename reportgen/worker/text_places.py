"""Texts and token numbers on their way into an embedding: where they come from, their words, and how to delete some."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.attribution import changed_output
from reportgen.worker.feed import Feed
from reportgen.worker.score import Scored
from reportgen.worker.walk import Call, Walk
from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
MOST_PARTS = 64
MOST_LETTERS = 40
UNKNOWN = 1  # the token of words outside the vocabulary
_PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")


@dataclass(frozen=True, slots=True)
class Words:
    """One input of tokens: the embedding that takes them, and the layer that makes them of texts, if any."""

    index: int
    embedding: Any
    vectorizer: Any

    def tokens(self, flat: list[Array]) -> Array:
        """Return the token numbers (n, length)."""
        if self.vectorizer is None:
            return flat[self.index]
        import keras

        return np.array(to_numpy(self.vectorizer(keras.ops.convert_to_tensor(flat[self.index]))))

    def texts(self, flat: list[Array]) -> tuple[tuple[str, ...], ...]:
        """Return the word at each position where the model itself holds them, "" for padding; () elsewhere."""
        if self.vectorizer is None or not hasattr(self.vectorizer, "get_vocabulary"):
            return ()
        known = [str(word)[:MOST_LETTERS] for word in self.vectorizer.get_vocabulary()]
        rows = []
        for tokens, text in zip(self.tokens(flat), flat[self.index].reshape(-1).tolist(), strict=True):
            words = [known[token] if 0 <= token < len(known) else "" for token in tokens]
            own = split_words(text)[: len(words)]
            if len(own) == int((tokens != 0).sum()):  # then the words of the text stand where the tokens do
                words[: len(own)] = [
                    mine if token == UNKNOWN else word for mine, word, token in zip(own, words, tokens, strict=False)
                ]
            rows.append(tuple(words))
        return tuple(rows)

    def grid(self, tokens: Array) -> Array:
        """Return the part that each position of one text belongs to, -1 for padding (token 0)."""
        real = np.flatnonzero(tokens != 0)
        grid = np.full(tokens.shape, -1, np.int64)
        grid[real] = np.arange(len(real)) // (-(-len(real) // MOST_PARTS) if len(real) else 1)
        return grid

    def score(self, scored: Scored, flat: list[Array], chosen: Array, rows: Array, tokens: Array) -> Array:
        """Return the scores of samples whose texts are replaced by these tokens, as `Scored.score` does."""
        import keras

        if self.vectorizer is None:
            changed = list(flat)
            changed[self.index] = tokens
            return scored.score(changed, chosen, rows)
        parts = []
        for start in range(0, len(tokens), scored.step):
            part = slice(start, start + scored.step)
            some = keras.ops.convert_to_tensor(tokens[part])
            with changed_output(self.vectorizer, lambda _, some=some: some):  # type: ignore[misc]
                parts.append(scored.score([array[part] for array in flat], chosen, rows[part]))
        return np.concatenate(parts)


def split_words(text: str | bytes) -> list[str]:
    """Split a text as TextVectorization does by default: lower case, no punctuation, at white space."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return [word[:MOST_LETTERS] for word in _PUNCTUATION.sub("", plain.lower()).split()]


def find_words(walk: Walk, feed: Feed, index: int) -> Words | None:
    """Return the way of input `index` into an embedding, directly or through a text vectorization; None without."""
    name, calls = feed.slots[index].name, walk.every_call()
    for call in calls:
        if type(call.layer).__name__ != "Embedding":
            continue
        source = _source_of(call)
        if _is_input(source, index, name, len(feed.slots)):
            return Words(index, call.layer, None)
        if type(source).__name__ == "TextVectorization":
            start = next((_source_of(other) for other in calls if other.layer is source), None)
            if _is_input(start, index, name, len(feed.slots)):
                return Words(index, call.layer, source)
    return None


def _source_of(call: Call) -> Any:
    """Return what gives a call its first input: a layer, the index of a model input, or None where it is not known."""
    if call.node is not None and call.node.input_tensors:
        return call.node.input_tensors[0]._keras_history.operation
    return call.seen.source if call.seen is not None else None


def _is_input(source: Any, index: int, name: str, inputs: int) -> bool:
    """Tell whether a source is input `index`, which is called `name`, or the only one."""
    if isinstance(source, int):
        return source == index
    return type(source).__name__ == "InputLayer" and (source.name == name or inputs == 1)
