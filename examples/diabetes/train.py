"""Train a small regression network on the diabetes data (442 patients, 10 measurements; scikit-learn ships it).

The target is a measure of how the disease has progressed after one year (25 to 346).
Writes model.keras, history.csv (CSVLogger) and test.npz beside this file. Needs scikit-learn.
"""

from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def main() -> None:
    keras.utils.set_random_seed(7)
    data = load_diabetes(scaled=False)
    x, y = data.data.astype("float32"), data.target.astype("float32")
    train, test = train_test_split(np.arange(len(x)), test_size=132, random_state=7)
    normalise = keras.layers.Normalization(name="normalise")
    normalise.adapt(x[train])
    model = keras.Sequential(
        [
            keras.Input((10,), name="measurements"),
            normalise,
            keras.layers.Dense(32, activation="relu", name="hidden1"),
            keras.layers.Dense(16, activation="relu", name="hidden2"),
            keras.layers.Dense(1, name="progression", bias_initializer=keras.initializers.Constant(150.0)),
        ],
        name="diabetes",
    )
    model.compile(keras.optimizers.Adam(3e-3), "mean_squared_error", metrics=["mae"])
    model.fit(
        x[train],
        y[train],
        validation_split=0.2,
        epochs=60,
        batch_size=32,
        verbose=2,
        callbacks=[keras.callbacks.CSVLogger(HERE / "history.csv")],
    )
    model.save(HERE / "model.keras")
    np.savez_compressed(
        HERE / "test.npz",
        x_test=x[test],
        y_test=y[test],
        ids=np.array([f"patient-{row:03d}" for row in test]),
        feature_names=np.array(data.feature_names),
    )


if __name__ == "__main__":
    main()
