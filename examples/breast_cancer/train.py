"""Train a small network on the Wisconsin breast cancer data (569 patients, 30 measurements; scikit-learn ships it).

The normalisation is inside the model, so that the batch holds the measurements as they were taken.
Writes model.keras, history.json and test.npz beside this file. Needs scikit-learn.
"""

import json
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def main() -> None:
    keras.utils.set_random_seed(7)
    data = load_breast_cancer()
    x, y = data.data.astype("float32"), 1 - data.target
    rows = np.arange(len(x))
    train, test = train_test_split(rows, test_size=171, random_state=7, stratify=y)
    normalise = keras.layers.Normalization(name="normalise")
    normalise.adapt(x[train])
    model = keras.Sequential(
        [
            keras.Input((30,), name="measurements"),
            normalise,
            keras.layers.Dense(16, activation="relu", name="hidden1"),
            keras.layers.Dense(16, activation="relu", name="hidden2"),
            keras.layers.Dense(1, activation="sigmoid", name="malignant"),
        ],
        name="breast_cancer",
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
    stop = keras.callbacks.EarlyStopping(patience=12, restore_best_weights=True)
    history = model.fit(x[train], y[train], validation_split=0.2, epochs=80, batch_size=32, verbose=2, callbacks=[stop])
    model.save(HERE / "model.keras")
    (HERE / "history.json").write_text(json.dumps(history.history, indent=1) + "\n")
    np.savez_compressed(
        HERE / "test.npz",
        x_test=x[test],
        y_test=y[test].astype("int64"),
        ids=np.array([f"patient-{row:03d}" for row in test]),
        feature_names=np.array(data.feature_names),
    )


if __name__ == "__main__":
    main()
