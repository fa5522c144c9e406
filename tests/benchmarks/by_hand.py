"""The usual notebook code, as a script: what people do today to look at a trained model.

Usage: by_hand.py MODEL HISTORY_CSV TEST_NPZ OUTPUT_FOLDER
"""

import csv
import sys
from pathlib import Path

import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def draw_curves(history: str, out: Path) -> None:
    """Draw train and validation of each metric, one figure each."""
    with Path(history).open() as file:
        rows = list(csv.DictReader(file))
    for name in [key for key in rows[0] if key != "epoch" and not key.startswith("val_")]:
        plt.figure(figsize=(6, 4))
        plt.plot([float(row[name]) for row in rows], label="train")
        if f"val_{name}" in rows[0]:
            plt.plot([float(row[f"val_{name}"]) for row in rows], label="validation")
        plt.title(name)
        plt.legend()
        plt.savefig(out / f"{name}.png")
        plt.close()


def draw_predictions(x: np.ndarray, y: np.ndarray, scores: np.ndarray, out: Path) -> None:
    """Draw a 5 x 5 grid of samples with truth and prediction."""
    _, axes = plt.subplots(5, 5, figsize=(10, 10))
    for index, axis in enumerate(axes.ravel()):
        axis.imshow(np.squeeze(x[index] / max(1e-9, x[index].max())), cmap="gray")
        axis.set_title(f"{y[index]} / {scores[index].argmax()}")
        axis.axis("off")
    plt.savefig(out / "predictions.png")
    plt.close()


def draw_layer(layer: keras.Layer, maps: np.ndarray, out: Path) -> None:
    """Draw up to 64 feature maps of the first sample as a grid of subplots."""
    n = min(64, maps.shape[-1])
    _, axes = plt.subplots(-(-n // 8), 8, figsize=(8, max(1, n // 8)), squeeze=False)
    for index, axis in enumerate(axes.ravel()):
        axis.axis("off")
        if index < n:
            axis.imshow(maps[0, ..., index], cmap="viridis")
    plt.savefig(out / f"{layer.name}.png")
    plt.close()


def main(model_path: str, history: str, batch: str, folder: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    model = keras.models.load_model(model_path)
    try:
        keras.utils.plot_model(model, str(out / "model.png"), show_shapes=True)
    except Exception as error:  # no Graphviz on this machine: the script then skips its graph
        print("plot_model:", str(error).splitlines()[0])
    draw_curves(history, out)
    with np.load(batch) as data:
        x, y = data["x_test"], data["y_test"]
    scores = model.predict(x, verbose=0)
    draw_predictions(x, y, scores, out)
    for layer in model.layers:
        maps = keras.Model(model.inputs, layer.output).predict(x, verbose=0)
        if maps.ndim == 4:
            draw_layer(layer, maps, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
