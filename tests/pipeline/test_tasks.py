"""Every task end to end on a real model: the report's numbers beside scikit-learn's and SciPy's on the same arrays.

Models are trained here within seconds on data that scikit-learn ships, or are those of the examples. `agree` keeps the
largest relative difference; the last test prints it (pytest -s) and holds it below 1e-6: Keras predicts in float32, and
its function gives the last bit differently in another batch size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.blocks import Card, Chart, Fold, Gallery, Matrix, Table, Text
from reportgen.report.types import Report
from reportgen.report.values import Missing
from tests.worker.models import keras

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6
WORST: dict[str, tuple[float, str]] = {}

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def k() -> Any:
    found = keras()
    found.utils.set_random_seed(3)
    return found


def report_of(model: Any, x: Any, y: Any = None, **settings: Any) -> Report:
    import reportgen

    return reportgen.build_report(model, x, y, **settings)


def values(report: Report, output: str = "") -> dict[str, float]:
    """Return the metrics that could be computed by name."""
    return {
        m.name: float(m.value) for m in report.metrics if not isinstance(m.value, Missing) and output in ("", m.output)
    }


def agree(task: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> None:
    """Compare by name to 1e-6, and remember the largest relative difference."""
    for name, wanted in theirs.items():
        gap = abs(ours[name] - wanted) / max(1.0, abs(wanted))
        WORST[task] = max(WORST.get(task, (0.0, "")), (gap, name))
        assert gap <= TOLERANCE, f"{task} {name}: {ours[name]!r} instead of {wanted!r}"


def blocks(report: Report) -> list[Any]:
    """Return the blocks of the predictions, those in folds in their places."""
    section = next(section for section in report.sections if section.id == "predictions")
    assert section.state == "shown", section.summary
    found: list[Any] = []
    for block in section.blocks:
        found += block.blocks if isinstance(block, Fold) else (block,)
    return found


def titles(report: Report) -> set[str]:
    return {block.title for block in blocks(report) if hasattr(block, "title")}


def words(report: Report) -> str:
    return " ".join(block.text for block in blocks(report) if isinstance(block, (Text, Card)))


def headlines_are_whole(report: Report) -> None:
    """Every headline metric has a value, a 95% interval around it, its n and a simple baseline."""
    heads = [m for m in report.metrics if m.headline]
    assert heads
    for metric in heads:
        ends = [float(metric.low), float(metric.high)]  # type: ignore[arg-type]
        assert ends[0] <= float(metric.value) <= ends[1], metric  # type: ignore[arg-type]
        assert np.isfinite(ends).all() and metric.n > 0 and metric.interval != "none", metric
        assert metric.baseline is not None and metric.baseline_name, metric


def train(k: Any, layers: list[Any], x: Any, y: Any, loss: Any, epochs: int = 6, **fit: Any) -> Any:
    """Return a small sequential model, trained."""
    model = k.Sequential([k.Input(x.shape[1:], dtype=str(x.dtype)), *layers])
    model.compile(k.optimizers.Adam(5e-3), loss)
    model.fit(x, y, epochs=epochs, batch_size=32, verbose=0, **fit)
    return model


def softmax(scores: Any) -> Any:
    power = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16).astype("float32"), data.target


@pytest.fixture(scope="module")
def cancer() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    return ((data.data - data.data.mean(0)) / data.data.std(0)).astype("float32"), data.target


def test_binary(k: Any, cancer: tuple[Any, Any]) -> None:
    from sklearn import metrics as m

    x, y = cancer
    model = train(k, [k.layers.Dense(8, "relu"), k.layers.Dense(1, "sigmoid")], x, y, "binary_crossentropy", 2)
    p = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    said = p > 0.5
    report = report_of(model, x, y)
    agree("binary", values(report), {
        "accuracy": m.accuracy_score(y, said), "roc_auc": m.roc_auc_score(y, p),
        "average_precision": m.average_precision_score(y, p), "log_loss": m.log_loss(y, np.clip(p, 1e-7, 1 - 1e-7)),
        "precision": m.precision_score(y, said), "recall": m.recall_score(y, said), "f1": m.f1_score(y, said),
        "balanced_accuracy": m.balanced_accuracy_score(y, said), "mcc": m.matthews_corrcoef(y, said),
        "brier": m.brier_score_loss(y, p),
    })  # fmt: skip
    headlines_are_whole(report)
    wanted = {"ROC curve", "Precision and recall", "Rates by threshold", "Thresholds", "Confusion matrix"}
    assert wanted | {"Weakest slices", "Permutation importance"} <= titles(report)
    slices = next(b for b in blocks(report) if isinstance(b, Table) and b.title == "Weakest slices")
    assert "180 slices" in slices.note and "Bonferroni" in slices.note
    ledger = next(row for row in report.ledger if row.what == "permutation importance")
    assert "shuffles a feature" in ledger.kept


def test_multiclass(k: Any, digits: tuple[Any, Any]) -> None:
    from sklearn import metrics as m

    x, y = digits
    layers = [k.layers.Flatten(), k.layers.Dense(16, "relu"), k.layers.Dense(10, "softmax")]
    model = train(k, layers, x, y, "sparse_categorical_crossentropy", 3)
    p = model.predict(x, verbose=0).astype(np.float64)
    said = p.argmax(1)
    report = report_of(model, x, y)
    agree("multiclass", values(report), {
        "accuracy": m.accuracy_score(y, said), "balanced_accuracy": m.balanced_accuracy_score(y, said),
        "f1_macro": m.f1_score(y, said, average="macro"), "f1_weighted": m.f1_score(y, said, average="weighted"),
        "precision_macro": m.precision_score(y, said, average="macro"), "mcc": m.matthews_corrcoef(y, said),
        "log_loss": m.log_loss(y, p / p.sum(1, keepdims=True)),
        "top_3_accuracy": m.top_k_accuracy_score(y, p, k=3), "top_5_accuracy": m.top_k_accuracy_score(y, p, k=5),
        "brier": float(((p - np.eye(10)[y]) ** 2).sum(1).mean()),
        "roc_auc_ovr": float(np.mean([m.roc_auc_score(y == c, p[:, c]) for c in range(10)])),
    })  # fmt: skip
    headlines_are_whole(report)
    matrix = next(b for b in blocks(report) if isinstance(b, Matrix))
    order = [int(name.split()[-1]) for name in matrix.rows]
    theirs = m.confusion_matrix(y, said)[np.ix_(order, order)]
    np.testing.assert_array_equal(matrix.counts.to_numpy().reshape(10, 10), theirs)
    assert {"Classes", "Most confused pairs", "Mistakes: model or label?"} <= titles(report)


def test_multilabel(k: Any, digits: tuple[Any, Any]) -> None:
    from sklearn import metrics as m

    x, target = digits
    y = np.stack([target % 2 == 1, np.isin(target, [2, 3, 5, 7]), target > 4], axis=1).astype("int64")
    model = train(k, [k.layers.Flatten(), k.layers.Dense(3, "sigmoid")], x, y, "binary_crossentropy", 3)
    p = model.predict(x, verbose=0).astype(np.float64)
    said = p > 0.5
    report = report_of(model, x, y, classes=["odd", "prime", "above four"])
    agree("multilabel", values(report), {
        "f1_micro": m.f1_score(y, said, average="micro"), "f1_macro": m.f1_score(y, said, average="macro"),
        "map": m.average_precision_score(y, p, average="macro"), "subset_accuracy": m.accuracy_score(y, said),
        "hamming_loss": m.hamming_loss(y, said),
        "log_loss": float(np.mean([m.log_loss(y[:, i], p[:, i]) for i in range(3)])),
        "brier": float(((p - y) ** 2).mean()),
    })  # fmt: skip
    headlines_are_whole(report)
    together = next(b for b in blocks(report) if isinstance(b, Matrix))
    wrong = (said != y).astype(int)
    np.testing.assert_array_equal(together.counts.to_numpy().reshape(3, 3), wrong.T @ wrong)


def test_regression(k: Any) -> None:
    from sklearn import metrics as m
    from sklearn.datasets import load_diabetes

    data = load_diabetes()
    x, y = (20 * data.data).astype("float32"), data.target.astype("float32")
    model = train(k, [k.layers.Dense(16, "relu"), k.layers.Dense(1)], x, y, "mse", 30)
    p = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    report = report_of(model, x, y)
    agree("regression", values(report), {
        "r2": m.r2_score(y, p), "mae": m.mean_absolute_error(y, p), "rmse": m.root_mean_squared_error(y, p),
        "mape": m.mean_absolute_percentage_error(y, p), "median_ae": m.median_absolute_error(y, p),
        "bias": float((p - y).mean()), "error_std": float((p - y).std()),
    })  # fmt: skip
    headlines_are_whole(report)
    assert {"Predicted against true", "Errors against prediction", "Weakest slices"} <= titles(report)


def test_segmentation(k: Any) -> None:
    from sklearn import metrics as m

    data = np.load(ROOT / "examples/segmentation/test.npz")
    x, y = data["x_test"].astype("float32"), data["y_test"].astype("int64")
    model = k.models.load_model(ROOT / "examples/segmentation/model.keras")
    said = model.predict(x, verbose=0).argmax(-1)
    report = report_of(model, x, y)
    flat, answer = y.reshape(-1), said.reshape(-1)
    agree("segmentation", values(report), {
        "pixel_accuracy": m.accuracy_score(flat, answer), "mean_iou": m.jaccard_score(flat, answer, average="macro"),
        "iou_foreground": m.jaccard_score(flat, answer, labels=[1, 2], average="macro"),
        "dice": m.f1_score(flat, answer, labels=[1, 2], average="macro"),
    })  # fmt: skip
    headlines_are_whole(report)
    assert next(metric for metric in report.metrics if metric.headline).name == "mean_iou"
    assert "true boundary" in words(report), "mistakes at boundaries should be told apart"
    table = next(b for b in blocks(report) if isinstance(b, Table) and b.title == "All metrics")
    assert table.rows[0][0] == "Mean IoU" and "always class 0" in str(table.rows[0][5])


def test_reconstruction(k: Any, digits: tuple[Any, Any]) -> None:
    from sklearn import metrics as m

    x = digits[0][..., None]
    layers = [
        k.layers.Flatten(),
        k.layers.Dense(12, "relu"),
        k.layers.Dense(64, "sigmoid"),
        k.layers.Reshape((8, 8, 1)),
    ]
    model = train(k, layers, x, x, "mse", 3)
    p = model.predict(x, verbose=0).astype(np.float64)
    report = report_of(model, x, x)
    assert report.samples[0].task == "reconstruction"
    squared = ((p - x) ** 2).mean(axis=(1, 2, 3))
    agree("reconstruction", values(report), {
        "mse": m.mean_squared_error(x.reshape(-1), p.reshape(-1)),
        "mae": m.mean_absolute_error(x.reshape(-1), p.reshape(-1)),
        "psnr": float((10 * np.log10((x.max() - x.min()) ** 2 / squared)).mean()),
    })  # fmt: skip
    headlines_are_whole(report)


def test_image_to_image(k: Any) -> None:
    from sklearn import metrics as m

    data = np.load(ROOT / "examples/denoising/test.npz")
    x, y = data["x_test"].astype(np.float64), data["y_test"].astype(np.float64)
    model = k.models.load_model(ROOT / "examples/denoising/model.keras")
    p = model.predict(data["x_test"], verbose=0).astype(np.float64)
    report = report_of(model, data["x_test"], data["y_test"], ids=data["ids"])
    assert report.samples[0].task == "reconstruction"
    agree("image to image", values(report), {
        "mse": m.mean_squared_error(y.reshape(-1), p.reshape(-1)), "bias": float((p - y).mean()),
        "psnr": float((-10 * np.log10(((p - y) ** 2).mean(axis=(1, 2, 3)))).mean()),
    })  # fmt: skip
    headlines_are_whole(report)
    base = {metric.name: (metric.baseline, metric.baseline_name) for metric in report.metrics}
    assert base["mse"] == (pytest.approx(((x - y) ** 2).mean()), "the input unchanged")
    shown = next(b for b in blocks(report) if isinstance(b, Gallery))
    losses = [float(card.loss) for card in shown.samples]  # type: ignore[arg-type]
    error = ((p - y) ** 2).mean(axis=(1, 2, 3))
    assert losses[0] == pytest.approx(error.max(), rel=1e-5) and min(losses) == pytest.approx(error.min(), rel=1e-5)


def test_next_token(k: Any) -> None:
    from sklearn import metrics as m

    text = (ROOT / "LICENSE").read_text()[:9000]
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    cut = np.lib.stride_tricks.sliding_window_view(codes, 33)[::16].astype("int32")
    x, y = cut[:, :-1], cut[:, 1:]
    layers = [
        k.layers.Embedding(len(letters), 8),
        k.layers.GRU(24, return_sequences=True),
        k.layers.Dense(len(letters), "softmax"),
    ]
    model = train(k, layers, x, y, "sparse_categorical_crossentropy", 2)
    p = model.predict(x, verbose=0).astype(np.float64)
    flat, shares = y.reshape(-1), p.reshape(-1, len(letters))
    every = list(range(len(letters)))
    loss = m.log_loss(flat, shares / shares.sum(1, keepdims=True), labels=every)
    report = report_of(model, x, y)
    assert report.samples[0].task == "sequence"
    agree("sequence", values(report), {
        "token_accuracy": m.accuracy_score(flat, shares.argmax(1)), "log_loss": loss, "perplexity": float(np.exp(loss)),
        "top_5_accuracy": m.top_k_accuracy_score(flat, shares, k=5, labels=every),
    })  # fmt: skip
    headlines_are_whole(report)
    assert {"Accuracy along the sequence", "Accuracy by length"} <= titles(report)


def test_forecast(k: Any) -> None:
    from sklearn import metrics as m

    data = np.load(ROOT / "examples/forecast/test.npz")
    x, y = data["x_test"], data["y_test"]
    model = k.models.load_model(ROOT / "examples/forecast/model.keras")
    p = model.predict(x, verbose=0).astype(np.float64)
    report = report_of(model, x, y)
    assert report.samples[0].task == "timeseries" and "where windows overlap" in words(report)
    season = x[:, 24:36, 0]
    naive = m.mean_absolute_error(y, season)
    assert naive < m.mean_absolute_error(y, np.repeat(x[:, -1], 12, axis=1))
    agree("timeseries", values(report), {
        "mae": m.mean_absolute_error(y, p), "rmse": m.root_mean_squared_error(y.reshape(-1), p.reshape(-1)),
        "r2": m.r2_score(y, p), "skill": 1 - m.mean_absolute_error(y, p) / naive,
        "mase": m.mean_absolute_error(y, p) / np.abs(x[:, 12:].astype(np.float64) - x[:, :-12]).mean(),
    })  # fmt: skip
    head = next(metric for metric in report.metrics if metric.headline)
    assert head.name == "mae" and head.baseline == pytest.approx(naive, rel=1e-6)
    headlines_are_whole(report)
    horizon = next(b for b in blocks(report) if isinstance(b, Chart) and b.title == "Error by steps ahead")
    np.testing.assert_allclose(horizon.series[0].y.to_numpy(), np.abs(p - y).mean(0), rtol=1e-6)
    np.testing.assert_allclose(horizon.series[1].y.to_numpy(), np.abs(x[:, -1] - y).mean(0), rtol=1e-6)


def test_text_is_shown_with_errors_by_length(k: Any) -> None:
    from sklearn.metrics import accuracy_score

    data = np.load(ROOT / "examples/sentiment/test.npz")
    x, y = data["x_test"], data["y_test"]
    model = k.models.load_model(ROOT / "examples/sentiment/model.keras")
    p = np.concatenate([np.asarray(model(k.ops.convert_to_tensor(x[i : i + 100])))[:, 0] for i in range(0, 600, 100)])
    report = report_of(model, x, y)
    agree("text", values(report), {"accuracy": accuracy_score(y, p > 0.5)})
    chart = next(b for b in blocks(report) if isinstance(b, Chart) and b.title == "Error by words of text")
    lengths = np.array([len(text.split()) for text in x])
    ends = np.quantile(lengths, [0.25, 0.5, 0.75, 1.0], method="inverted_cdf")
    bins = np.searchsorted(ends, lengths)
    wanted = [((p > 0.5) != y)[bins == i].mean() for i in range(4)]
    np.testing.assert_allclose(chart.series[0].y.to_numpy(), wanted, rtol=1e-12)


# Scores that are not probabilities


def logits_model(k: Any, digits: tuple[Any, Any], loss: Any, last: str) -> tuple[Any, Any]:
    x, y = digits
    layers = [k.layers.Flatten(), k.layers.Dense(24, "relu"), k.layers.Dense(10, last)]
    model = train(k, layers, x, y, loss, 3)
    return model, model.predict(x, verbose=0).astype(np.float64)


def confidences(report: Report) -> list[Any]:
    return [card.confidence for b in blocks(report) if isinstance(b, Gallery) for card in b.samples]


def test_logits_become_probabilities_where_the_loss_says_so(k: Any, digits: tuple[Any, Any]) -> None:
    from sklearn.metrics import log_loss

    model, scores = logits_model(k, digits, k.losses.SparseCategoricalCrossentropy(from_logits=True), "linear")
    report = report_of(model, *digits)
    agree("logits", values(report), {"log_loss": log_loss(digits[1], softmax(scores))})
    assert "from_logits" in words(report) and all(c is not None for c in confidences(report))


@pytest.mark.parametrize(
    ("last", "loss"),
    [("linear", "sparse_categorical_crossentropy"), ("linear", "categorical_hinge"), ("relu", None)],
    ids=["logits without from_logits", "hinge", "relu without a loss"],
)
def test_scores_are_never_called_a_percentage(k: Any, digits: tuple[Any, Any], last: str, loss: str | None) -> None:
    model, scores = logits_model(k, digits, k.losses.SparseCategoricalCrossentropy(from_logits=True), last)
    model.compile("adam", loss)  # what the saved file will say; without a loss only labels and names tell the task
    labels = np.eye(10, dtype="float32")[digits[1]] if loss == "categorical_hinge" else digits[1]
    report = report_of(model, digits[0], labels, classes=[f"digit {i}" for i in range(10)])
    assert report.samples[0].task == "multiclass"
    found = {metric.name: metric for metric in report.metrics}
    assert isinstance(found["log_loss"].value, Missing) and "not probabilities" in found["log_loss"].value.missing
    assert found["accuracy"].value == pytest.approx((scores.argmax(1) == digits[1]).mean(), abs=1e-12)
    assert not any(c is not None for c in confidences(report))
    assert "scores that are no probabilities" in words(report)
    assert not any(b.title == "Reliability" for b in blocks(report) if isinstance(b, Chart))


# Outputs without a task


def test_embeddings_and_detection_grids_are_described_with_the_reason(k: Any, digits: tuple[Any, Any]) -> None:
    x = digits[0][:200]
    embed = k.Sequential([k.Input((8, 8)), k.layers.Flatten(), k.layers.Dense(32)])
    for model, labels in ((embed, None), (detector(k), np.zeros((200, 7, 5), "float32"))):
        report = report_of(model, x, labels)
        assert report.samples[0].task == "other"
        assert {"No evaluation for this output", "Values of the output", "Distribution of values"} <= titles(report)
        p = model.predict(x, verbose=0).astype(np.float64)
        agree("other", values(report), {
            "output_mean": p.mean(), "output_std": p.std(),
            "output_norm": float(np.linalg.norm(p.reshape(200, -1), axis=1).mean()),
        })  # fmt: skip


def detector(k: Any) -> Any:
    """Boxes on a grid: the labels are lists of boxes, of another shape than the output."""
    x = k.Input((8, 8))
    grid = k.layers.Reshape((8, 8, 1))(x)
    model = k.Model(x, k.layers.Conv2D(9, 3, strides=2, padding="same", name="boxes")(grid), name="detector")
    model.compile("adam", "mse")
    return model


# Many classes


@pytest.mark.parametrize("classes", [1_000, 10_000])
def test_many_classes_end_to_end(k: Any, classes: int, tmp_path: Path) -> None:
    from sklearn import metrics as m

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, 12)).astype("float32")
    model = k.Sequential([k.Input((12,)), k.layers.Dense(classes, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    p = model.predict(x, verbose=0)
    y = np.where(rng.random(2_000) < 0.6, p.argmax(1), rng.integers(0, classes, 2_000))
    report = report_of(model, x, y, output=tmp_path)
    agree(f"{classes} classes", values(report), {
        "accuracy": m.accuracy_score(y, p.argmax(1)),
        "top_5_accuracy": m.top_k_accuracy_score(y, p, k=5, labels=np.arange(classes)),
    })  # fmt: skip
    headlines_are_whole(report)
    matrix = next(b for b in blocks(report) if isinstance(b, Matrix))
    assert len(matrix.rows) == 30 and "worst part" in matrix.title
    assert "Most confused pairs" in titles(report)
    assert (tmp_path / "report.html").stat().st_size < 1.5 * 2**20


def test_a_changed_label_is_named_as_suspicious(k: Any, digits: tuple[Any, Any]) -> None:
    x, y = digits
    layers = [k.layers.Flatten(), k.layers.Dense(64, "relu"), k.layers.Dense(10, "softmax")]
    model = train(k, layers, x, y, "sparse_categorical_crossentropy", 25)
    wrong = y.copy()
    sure = np.argsort(-model.predict(x, verbose=0).max(axis=1), kind="stable")
    changed = sure[sure > 0][[0, 100]]
    wrong[changed] = (wrong[changed] + 5) % 10
    doubled, labels = np.concatenate([x, x[:1]]), np.append(wrong, (y[0] + 1) % 10)
    report = report_of(model, doubled, labels)
    table = next(b for b in blocks(report) if isinstance(b, Table) and b.title == "Mistakes: model or label?")
    suspects = {row[0] for row in table.rows if row[5] == "label suspicious"}
    names = {f"row {row}" for row in changed}
    assert names <= suspects <= names | {"row 0", f"row {len(x)}"}
    twins = next(b for b in blocks(report) if isinstance(b, Table) and b.title == "Identical samples")
    assert "conflicting labels" in str(twins.rows[0][4])
    finding = next(f for f in report.findings if f.code == "label-suspects")
    assert finding.outcome == "warned" and len(finding.samples) >= 2


def test_the_largest_difference_seen_is_small() -> None:
    assert WORST, "the comparisons above should have run in this process"
    for task, (gap, name) in sorted(WORST.items(), key=lambda item: -item[1][0]):
        print(f"{task:16} largest relative difference {gap:.1e} ({name})")
    assert max(gap for gap, _ in WORST.values()) <= TOLERANCE
