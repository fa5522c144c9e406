"""A Keras callback that calls a function with the model and its history when training ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def make_callback(at_end: Callable[[Any, dict[str, list[float]]], None]) -> Any:
    """Return a callback; `at_end(model, history)` gets every epoch's logs, as `History.history` would hold them."""
    import keras

    class AtEnd(keras.callbacks.Callback):  # type: ignore[misc]
        """Gathers the logs of each epoch."""

        def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
            """Start with an empty history."""
            self.gathered: dict[str, list[float]] = {}

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            """Note the epoch's numbers."""
            for name, value in (logs or {}).items():
                self.gathered.setdefault(name, []).append(float(value))

        def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
            """Hand over."""
            at_end(self.model, self.gathered)

    return AtEnd()
