"""Write the ResNet50 case of the benchmark: random weights, 64 images of 224 x 224, a short history.

Usage: cases.py FOLDER. Run in a process of its own, so that the benchmark itself never imports Keras.
"""

import sys
from pathlib import Path

import keras
import numpy as np


def main(folder: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(1)
    model = keras.applications.ResNet50(weights=None)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.save(out / "model.keras")
    rng = np.random.default_rng(1)
    np.savez(out / "test.npz", x_test=rng.random((64, 224, 224, 3), "float32"), y_test=rng.integers(0, 1000, 64))
    rows = [f"{e},{0.1 + e / 20},{2 / (e + 1)},{0.1 + e / 25},{2.2 / (e + 1)}" for e in range(12)]
    (out / "history.csv").write_text("epoch,accuracy,loss,val_accuracy,val_loss\n" + "\n".join(rows) + "\n")
    (out / "config.yaml").write_text(
        "title: ResNet50\nmodel: model.keras\nhistory: history.csv\n"
        "batch: {path: test.npz, x: x_test, y: y_test}\noutput: report\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
