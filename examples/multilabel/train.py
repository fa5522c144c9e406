"""Train a small CNN that says four things at once about a handwritten digit: odd, prime, above four, multiple of three.

Each label is a fact about the digit that was written (scikit-learn's digits); a digit has none to all of them.
Writes model.keras, history.json and test.npz beside this file. Needs scikit-learn.
"""

import json
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def facts(digit: np.ndarray) -> np.ndarray:
    """Return (n, 4) of 0 and 1: odd, prime, above four, multiple of three (0 is one)."""
    return np.stack([digit % 2 == 1, np.isin(digit, [2, 3, 5, 7]), digit > 4, digit % 3 == 0], axis=1).astype("int64")


def main() -> None:
    keras.utils.set_random_seed(7)
    digits = load_digits()
    x, y = (digits.images / 16.0).astype("float32")[..., None], facts(digits.target)
    train, test = train_test_split(np.arange(len(x)), test_size=450, random_state=7, stratify=digits.target)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool"),
            keras.layers.Conv2D(24, 3, padding="same", activation="relu", name="conv2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.3, seed=7, name="dropout"),
            keras.layers.Dense(4, activation="sigmoid", name="facts"),
        ],
        name="digit_facts",
    )
    model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy"])
    history = model.fit(x[train], y[train], validation_split=0.15, epochs=30, batch_size=32, verbose=2)
    model.save(HERE / "model.keras")
    (HERE / "history.json").write_text(json.dumps(history.history, indent=1) + "\n")
    ids = np.array([f"digits-{row:04d}" for row in test])
    np.savez_compressed(HERE / "test.npz", x_test=x[test], y_test=y[test], ids=ids)


if __name__ == "__main__":
    main()
