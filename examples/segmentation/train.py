"""Train a small U-Net that finds handwritten digits on a noisy canvas and tells low ones (0-4) from high ones (5-9).

Real digits (scikit-learn) are placed on a 32 x 32 canvas; the mask is where their ink is.
Writes model.keras, history.json and test.npz beside this file. Needs scikit-learn.
"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent


def place(images: np.ndarray, labels: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return canvases (n, 32, 32, 1) in 0..1 and masks (n, 32, 32) with 0 background, 1 low digit, 2 high digit."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.12, 0.08, (n, 32, 32)).clip(0, 1).astype("float32")
    y = np.zeros((n, 32, 32), "int64")
    for row in range(n):
        for quadrant in rng.choice(4, rng.integers(1, 4), replace=False):
            pick = rng.integers(len(images))
            digit = images[pick].repeat(2, 0).repeat(2, 1) / 16.0
            top, left = 16 * (quadrant // 2), 16 * (quadrant % 2)
            area = np.s_[row, top : top + 16, left : left + 16]
            x[area] = np.maximum(x[area], digit)
            y[area] = np.where(digit > 0.35, 1 + int(labels[pick] > 4), 0)
    return x[..., None], y


def block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_a")(x)
    return layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_b")(x)


def unet() -> keras.Model:
    inputs = keras.Input((32, 32, 1), name="canvas")
    first = block(inputs, 12, "down1")
    second = block(layers.MaxPooling2D(name="pool1")(first), 24, "down2")
    bottom = block(layers.MaxPooling2D(name="pool2")(second), 48, "bottom")
    up = layers.UpSampling2D(name="up2")(bottom)
    up = block(layers.Concatenate(name="skip2")([up, second]), 24, "up2")
    up = layers.UpSampling2D(name="up1")(up)
    up = block(layers.Concatenate(name="skip1")([up, first]), 12, "up1")
    outputs = layers.Conv2D(3, 1, activation="softmax", name="mask")(up)
    return keras.Model(inputs, outputs, name="digits_unet")


def main() -> None:
    keras.utils.set_random_seed(7)
    digits = load_digits()
    x_train, y_train = place(digits.images[:1300], digits.target[:1300], 1600, 1)
    x_test, y_test = place(digits.images[1300:], digits.target[1300:], 120, 2)
    model = unet()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, validation_split=0.1, epochs=14, batch_size=32, verbose=2)
    model.save(HERE / "model.keras")
    (HERE / "history.json").write_text(json.dumps(history.history, indent=1) + "\n")
    np.savez_compressed(HERE / "test.npz", x_test=x_test.astype("float16"), y_test=y_test.astype("uint8"))


if __name__ == "__main__":
    main()
