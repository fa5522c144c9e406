"""Train one network with two outputs on scikit-learn's digits: which digit it is, and whether it is odd.

Writes model.keras, history.json and test.npz beside this file. Needs scikit-learn.
"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def main() -> None:
    keras.utils.set_random_seed(7)
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    odd = (digits.target % 2).astype("int64")
    train, test = train_test_split(np.arange(len(x)), test_size=300, random_state=7, stratify=digits.target)
    inputs = keras.Input((8, 8, 1), name="image")
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(inputs)
    hidden = layers.Conv2D(24, 3, padding="same", activation="relu", name="conv2")(hidden)
    hidden = layers.MaxPooling2D(name="pool")(hidden)
    hidden = layers.Flatten(name="flatten")(hidden)
    hidden = layers.Dense(32, activation="relu", name="shared")(hidden)
    digit = layers.Dense(10, activation="softmax", name="digit")(hidden)
    parity = layers.Dense(1, activation="sigmoid", name="odd")(hidden)
    model = keras.Model(inputs, {"digit": digit, "odd": parity}, name="digit_and_parity")
    model.compile(
        "adam",
        {"digit": "sparse_categorical_crossentropy", "odd": "binary_crossentropy"},
        metrics={"digit": ["accuracy"], "odd": ["accuracy"]},
    )
    history = model.fit(
        x[train],
        {"digit": digits.target[train], "odd": odd[train]},
        validation_split=0.15,
        epochs=20,
        batch_size=32,
        verbose=2,
    )
    model.save(HERE / "model.keras")
    (HERE / "history.json").write_text(json.dumps(history.history, indent=1) + "\n")
    np.savez_compressed(HERE / "test.npz", x_test=x[test], y_digit=digits.target[test].astype("int64"), y_odd=odd[test])


if __name__ == "__main__":
    main()
