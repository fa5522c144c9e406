"""Train a small CNN on scikit-learn's handwritten digits and leave what a training job leaves.

Writes model.keras, history.csv (CSVLogger) and test.npz beside this file. Takes about 20 s on a laptop.
Needs scikit-learn: python -m pip install scikit-learn
"""

from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def main() -> None:
    keras.utils.set_random_seed(7)
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    rows = np.arange(len(x))
    train, test = train_test_split(rows, test_size=450, random_state=7, stratify=digits.target)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            keras.layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1"),
            keras.layers.BatchNormalization(name="norm1"),
            keras.layers.ReLU(name="relu1"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.3, seed=7, name="dropout"),
            keras.layers.Dense(48, activation="relu", name="hidden"),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits_cnn",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x[train],
        digits.target[train],
        validation_split=0.15,
        epochs=16,
        batch_size=32,
        verbose=2,
        callbacks=[keras.callbacks.CSVLogger(HERE / "history.csv")],
    )
    model.save(HERE / "model.keras")
    np.savez_compressed(
        HERE / "test.npz",
        x_test=x[test],
        y_test=digits.target[test].astype("int64"),
        ids=np.array([f"digits-{row:04d}" for row in test]),
    )


if __name__ == "__main__":
    main()
