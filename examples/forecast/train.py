"""Train a small network to forecast the sea surface temperature of El Nino (Nino 3.4 region) for the next 12 months.

732 monthly means, 1950 to 2010 (NOAA, public domain), come with the wheel of statsmodels 0.14.5. Fetch it, then train:

    python -m pip download --no-deps --only-binary :all: statsmodels==0.14.5
    python train.py statsmodels-0.14.5-*.whl

A window holds 36 months, in degrees Celsius; the normalisation is inside the model. It is trained on months up to 1994
and judged on the forecasts made from 1995 on. Writes model.keras, history.csv and test.npz beside this file.
"""

import io
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).resolve().parent
MEMBER = "statsmodels/datasets/elnino/elnino.csv"
WINDOW, HORIZON, CUT = 36, 12, 1995


def load_months(wheel: str) -> tuple[np.ndarray, np.ndarray]:
    """Return monthly means in degrees Celsius and the month of each, as in 1950-01."""
    with zipfile.ZipFile(wheel) as archive:
        table = np.genfromtxt(io.BytesIO(archive.read(MEMBER)), delimiter=",", skip_header=1)
    names = [f"{int(year)}-{month:02d}" for year in table[:, 0] for month in range(1, 13)]
    return table[:, 1:].reshape(-1).astype("float32"), np.array(names)


def cut_windows(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every window (n, 36, 1) and the 12 months that follow it (n, 12)."""
    whole = np.lib.stride_tricks.sliding_window_view(series, WINDOW + HORIZON)
    return whole[:, :WINDOW, None].copy(), whole[:, WINDOW:].copy()


def main(wheel: str) -> None:
    keras.utils.set_random_seed(7)
    series, names = load_months(wheel)
    x, y = cut_windows(series)
    first = int(np.flatnonzero(names == f"{CUT}-01")[0])
    starts = np.arange(len(x)) + WINDOW  # the first month that is forecast
    train, test = starts + HORIZON <= first, starts >= first
    mean, spread = float(series[:first].mean()), float(series[:first].std())
    model = keras.Sequential(
        [
            keras.Input((WINDOW, 1), name="months"),
            keras.layers.Normalization(mean=mean, variance=spread**2, name="normalise"),
            keras.layers.Conv1D(16, 5, activation="relu", padding="causal", name="conv"),
            keras.layers.GRU(24, name="gru"),
            keras.layers.Dropout(0.2, seed=7, name="dropout"),
            keras.layers.Dense(HORIZON, name="steps"),
            keras.layers.Rescaling(spread, offset=mean, name="degrees"),
        ],
        name="el_nino",
    )
    model.compile(keras.optimizers.Adam(3e-3), "mean_absolute_error", metrics=["mse"])
    log = keras.callbacks.CSVLogger(HERE / "history.csv")
    stop = keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    model.fit(x[train], y[train], validation_split=0.15, epochs=120, batch_size=32, verbose=2, callbacks=[log, stop])
    model.save(HERE / "model.keras")
    ids = np.array([f"from {names[start]}" for start in starts[test]])
    np.savez_compressed(HERE / "test.npz", x_test=x[test], y_test=y[test], ids=ids)


if __name__ == "__main__":
    main(sys.argv[1])
