"""Train a small convolutional autoencoder that takes the noise off handwritten digits: image in, image out.

The targets are real digits (scikit-learn, 8 x 8, values 0 to 1); the inputs are the same with Gaussian noise of
standard deviation 0.25 added. Writes model.keras, history.csv and test.npz beside this file. Needs scikit-learn.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
NOISE = 0.25


def denoiser() -> keras.Model:
    inputs = keras.Input((8, 8, 1), name="noisy")
    x = layers.Conv2D(24, 3, padding="same", activation="relu", name="encode_1")(inputs)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="encode_2")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="code")(x)
    x = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu", name="decode_1")(x)
    x = layers.Conv2D(24, 3, padding="same", activation="relu", name="decode_2")(x)
    outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="clean")(x)
    return keras.Model(inputs, outputs, name="digits_denoiser")


def main() -> None:
    keras.utils.set_random_seed(7)
    digits = load_digits()
    clean = (digits.images / 16.0).astype("float32")[..., None]
    noise = np.random.default_rng(7).normal(0.0, NOISE, clean.shape).astype("float32")
    noisy = clean + noise
    train, test = train_test_split(np.arange(len(clean)), test_size=360, random_state=7, stratify=digits.target)
    model = denoiser()
    model.compile(keras.optimizers.Adam(2e-3), "mean_squared_error", metrics=["mae"])
    log = keras.callbacks.CSVLogger(HERE / "history.csv")
    stop = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    model.fit(
        noisy[train], clean[train], validation_split=0.15, epochs=80, batch_size=32, verbose=2, callbacks=[log, stop]
    )
    model.save(HERE / "model.keras")
    ids = np.array([f"digits-{row:04d}" for row in test])
    np.savez_compressed(HERE / "test.npz", x_test=noisy[test].astype("float32"), y_test=clean[test], ids=ids)


if __name__ == "__main__":
    main()
