"""A whole report made by hand: a digits CNN with every block type, for the tests of reading, rendering and the page.

Nothing here is measured by reportgen: the numbers are seeded and consistent with one another, so that a page made from
it looks like a real one. `make_report()` always returns the same report.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from reportgen.analysis.graph import Edge, Graph, Group, Node
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.svg import sanitise
from reportgen.report.values import Column, Missing, Number

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
N = 360
FIRST_KEY = 2**63 + 5


def make_png(pixels: np.ndarray) -> bytes:
    """Return an 8-bit grey (h, w) or RGB (h, w, 3) array as a PNG."""
    height, width = pixels.shape[:2]
    color = 0 if pixels.ndim == 2 else 2
    rows = b"".join(b"\x00" + np.ascontiguousarray(row, dtype=np.uint8).tobytes() for row in pixels)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


@dataclass
class Shelf:
    """Collects assets and hands out references."""

    assets: dict[str, t.Asset] = field(default_factory=dict)

    def png(self, pixels: np.ndarray, alt: str) -> b.AssetRef:
        """Store a picture."""
        return self._keep(t.Asset("image/png", make_png(pixels)), pixels.shape[1], pixels.shape[0], alt)

    def svg(self, text: str, width: int, height: int, alt: str) -> b.AssetRef:
        """Store a drawing, cleaned as the pipeline does it."""
        return self._keep(t.Asset("image/svg+xml", sanitise(text.encode("utf-8"))), width, height, alt)

    def _keep(self, asset: t.Asset, width: int, height: int, alt: str) -> b.AssetRef:
        digest = hashlib.sha256(asset.data).hexdigest()
        self.assets[digest] = asset
        return b.AssetRef(digest, width, height, alt)


def _digit(rng: np.random.Generator, label: int) -> np.ndarray:
    """Return an 8x8 picture that is different for each class."""
    rows, columns = np.mgrid[0:8, 0:8]
    ring = np.abs(np.hypot(rows - 3.5, columns - 3.5) - 1 - label * 0.3)
    return np.clip(255 - 90 * ring + rng.normal(0, 20, (8, 8)), 0, 255).astype(np.uint8)


def _line_chart_svg(curves: list[np.ndarray], low: float, high: float, title: str) -> str:
    """Return curves over epochs as the SVG that the figure room would draw."""
    paths = []
    for index, curve in enumerate(curves):
        x = np.linspace(60, 620, curve.size)
        y = 260 - (np.nan_to_num(curve, nan=low) - low) / (high - low) * 230
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in zip(x, y, strict=True))
        dash = "" if index == 0 else ' stroke-dasharray="6 3"'
        paths.append(
            f'<polyline id="series-{index}" points="{points}" fill="none" stroke="var(--series-{index + 1}, #1b6ca8)" '
            f'stroke-width="1.6"{dash}/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 300" role="img"><title>{title}</title>'
        '<g fill="none" stroke="var(--axis, #888)"><path d="M60 30V260H620"/></g>'
        f'{"".join(paths)}<text x="340" y="290" text-anchor="middle" fill="var(--ink, #222)">epoch</text></svg>'
    )


def _history(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the curves of 20 epochs, with one gap in a validation curve."""
    epochs = np.arange(1, 21)
    loss = 2.1 * np.exp(-epochs / 4.0) + 0.04 + rng.normal(0, 0.01, 20)
    val_loss = 2.0 * np.exp(-epochs / 4.0) + 0.09 + np.clip(epochs - 14, 0, None) * 0.012 + rng.normal(0, 0.012, 20)
    val_loss[6] = np.nan
    return {
        "loss": loss,
        "val_loss": val_loss,
        "accuracy": 1 - 0.8 * np.exp(-epochs / 3.0),
        "val_accuracy": 0.975 - 0.8 * np.exp(-epochs / 3.1),
        "learning_rate": np.where(epochs < 13, 1e-3, 5e-4),
    }


def _predictions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, prediction, confidence and loss of 360 samples, 14 of them wrong."""
    truth = np.arange(N) % 10
    predicted = truth.copy()
    wrong = rng.choice(N, 14, replace=False)
    predicted[wrong] = (truth[wrong] + rng.integers(1, 10, 14)) % 10
    confidence = np.clip(rng.beta(14, 1, N), 0.11, 0.9999).astype(np.float32)
    confidence[wrong] = np.clip(rng.beta(5, 4, 14), 0.2, 0.95).astype(np.float32)
    loss = np.where(truth == predicted, -np.log(confidence), -np.log(np.maximum((1 - confidence) / 9, 1e-7)))
    return truth, predicted, confidence, loss.astype(np.float32)


def _graph() -> Graph:
    """Return the neutral graph: a small CNN with a nested block."""
    nodes = (
        Node("n0", "image", "InputLayer", "(None, 8, 8, 1)", 0),
        Node("n1", "conv_1", "Conv2D", "(None, 8, 8, 16)", 160, "relu", None, (("filters", "16"), ("kernel", "3x3"))),
        Node("n2", "features/conv_2", "Conv2D", "(None, 8, 8, 32)", 4640, "relu", "g0", (("filters", "32"),)),
        Node("n3", "features/pool", "MaxPooling2D", "(None, 4, 4, 32)", 0, "", "g0"),
        Node("n4", "flatten", "Flatten", "(None, 512)", 0),
        Node("n5", "digit", "Dense", "(None, 10)", 5130, "softmax"),
    )
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(5))
    return Graph(nodes, edges, (Group("g0", "features", "Sequential"),), ("n0",), ("n5",))


def _graph_view(shelf: Shelf, graph: Graph) -> b.GraphView:
    """Return the drawn graph, one card a layer."""
    cards = tuple(
        b.GraphCard(
            f"c{index}",
            node.layer,
            node.type,
            (node.shape, f"{node.parameters:,} parameters"),
            members=(node.layer,),
            group="g0" if node.group else None,
            target=f"layer-{index}",
            mark="warn" if node.layer == "conv_1" else None,
            mark_text="2 of 16 units never fire" if node.layer == "conv_1" else "",
        )
        for index, node in enumerate(graph.nodes)
    )
    boxes = "".join(
        f'<a href="#layer-{i}"><g id="card-{i}"><rect x="40" y="{20 + i * 70}" width="220" height="50" rx="6" '
        f'fill="var(--card, #f4f4f4)" stroke="var(--edge, #888)"/><text x="150" y="{42 + i * 70}" text-anchor="middle">'
        f'{card.title}</text><text x="150" y="{60 + i * 70}" text-anchor="middle" font-size="11">{card.lines[0]}</text>'
        "</g></a>"
        for i, card in enumerate(cards)
    )
    lines = "".join(f'<path d="M150 {70 + i * 70}v20" stroke="var(--edge, #888)"/>' for i in range(5))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 440">{lines}{boxes}</svg>'
    return b.GraphView(
        "graph",
        "Architecture",
        cards,
        tuple((f"c{i}", f"c{i + 1}") for i in range(5)),
        (b.GraphGroup("g0", "features (Sequential)"),),
        "A plain chain of 6 layers; half of the 9,930 parameters lie in the last one.",
        figure=shelf.svg(svg, 300, 440, "Graph of six layers from image to digit"),
    )


def _architecture(shelf: Shelf, graph: Graph) -> t.Section:
    """Return the architecture section: graph, layer table with a total, facts, and the folded full graph."""
    rows = tuple(
        (n.layer, n.type, n.shape, n.parameters, n.parameters / 9930, None if n.parameters == 0 else n.parameters * 64)
        for n in graph.nodes
    )
    table = b.Table(
        "layer-table",
        "Layers",
        (
            b.TableColumn("Name"),
            b.TableColumn("Type"),
            b.TableColumn("Output shape", "code"),
            b.TableColumn("Parameters", "int", help="numbers that training may change, and those it may not"),
            b.TableColumn("Share", "percent", help="of all parameters"),
            b.TableColumn("MACs", "int", "per sample", "multiply-accumulate operations"),
        ),
        rows,
        "The last layer holds 52% of the parameters.",
        row_ids=tuple(f"layer-{i}" for i in range(len(rows))),
        marks=(b.CellMark(1, 0, "warn", "2 of 16 units never fire"),),
        total=("6 layers", None, None, 9930, 1.0, 635_520),
    )
    compiled = b.Facts(
        "As compiled",
        (
            b.Fact("Optimizer", "Adam"),
            b.Fact("Learning rate", 0.001, "number"),
            b.Fact("Loss", "sparse_categorical_crossentropy", "code"),
            b.Fact("File size", 158_720, "bytes"),
            b.Fact("Seed", Missing("not recorded"), help="the seed that training was started with"),
        ),
    )
    dot = 'digraph G {\n  "image" -> "conv_1";\n  "conv_1" -> "features";\n}'
    full = b.GraphView("full-graph", "Full graph (Keras plot_model)", (), (), (), "Each layer by itself.", dot=dot)
    fold = b.Fold("full", "Full graph", (full, b.Text("The same layers as above, none folded.")))
    return t.Section(
        "architecture",
        "Architecture",
        "shown",
        "A CNN of 6 layers with 9,930 parameters, all of them trainable.",
        (_graph_view(shelf, graph), table, compiled, fold),
    )


def _training(shelf: Shelf, history: dict[str, np.ndarray]) -> t.Section:
    """Return the training section: two charts and the table of extremes."""
    epochs = Column.pack(np.arange(1, 21), "<i4")
    charts: list[b.Block] = []
    for name, title, low, high in (("loss", "Loss", 0.0, 2.0), ("accuracy", "Accuracy", 0.3, 1.0)):
        pair = [history[name], history[f"val_{name}"]]
        drawn = _line_chart_svg(pair, low, high, title)
        charts.append(
            b.Chart(
                f"curve-{name}",
                title,
                b.Axis("epoch", low=1.0, high=20.0, integer=True),
                b.Axis(name, low=low, high=high),
                (
                    b.Series(name, "training", epochs, Column.pack(pair[0]), role="train"),
                    b.Series(f"val_{name}", "validation", epochs, Column.pack(pair[1]), role="validation"),
                ),
                f"Validation {name} was best at epoch 15 and has got slightly worse since.",
                marks=(b.ChartMark("best epoch", x=15.0), b.ChartMark("last epoch", x=20.0)),
                note="Epoch 7 has no validation value (NaN in the history).",
                frame=b.Frame(60.0, 30.0, 620.0, 260.0, 1.0, 20.0, low, high),
                figure=shelf.svg(drawn, 640, 300, f"{title} of training and validation over 20 epochs"),
            )
        )
    headings = ("Metric", "Lowest", "Highest", "Last")
    table = b.Table(
        "history-table",
        "Metrics over the epochs",
        tuple(b.TableColumn(x, "number" if i else "code") for i, x in enumerate(headings)),
        tuple((k, float(np.nanmin(v)), float(np.nanmax(v)), float(v[-1])) for k, v in history.items()),
        "Each metric from its lowest to its highest value.",
        note="Gaps are left out.",
    )
    gap = b.Card(
        "warn", "Validation loss rises from epoch 15", "Training loss still falls.", "Stop earlier or regularise."
    )
    return t.Section("training", "Training", "shown", "20 epochs; best at epoch 15.", (*charts, gap, table))


def _matrix(truth: np.ndarray, predicted: np.ndarray) -> b.Matrix:
    """Return the confusion matrix."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    reading = "346 of 360 samples lie on the diagonal; no pair of classes is confused more than 3 times."
    return b.Matrix(
        "confusion", "Confusion matrix", "truth", "prediction", CLASSES, CLASSES, Column.pack(counts, "<i8"), reading
    )


def _calibration(confidence: np.ndarray, right: np.ndarray) -> b.Chart:
    """Return the reliability chart, without a figure: its numbers alone."""
    edges = np.linspace(0, 1, 6)
    index = np.clip(np.digitize(confidence, edges) - 1, 0, 4)
    n = np.bincount(index, minlength=5)
    share = np.array([right[index == i].mean() if n[i] else np.nan for i in range(5)])
    spread = 1.96 * np.sqrt(np.nan_to_num(share * (1 - share)) / np.maximum(n, 1))
    series = b.Series(
        "reliability",
        "share right",
        Column.pack((edges[:-1] + edges[1:]) / 2),
        Column.pack(share),
        shape="points",
        low=Column.pack(share - spread),
        high=Column.pack(share + spread),
    )
    bars = b.Series("count", "samples", Column.pack(edges[:-1] + 0.1), Column.pack(n / N), "bars", "muted", width=0.2)
    axes = (b.Axis("confidence", low=0.0, high=1.0), b.Axis("share right", low=0.0, high=1.0))
    return b.Chart(
        "calibration", "Calibration", *axes, (bars, series), "Confidence matches the share right.", diagonal=True
    )


def _predictions_section(shelf: Shelf, rng: np.random.Generator, table: tuple[np.ndarray, ...]) -> t.Section:
    """Return the predictions section: galleries with pictures and without, matrix, classes, calibration."""
    truth, predicted, confidence, loss = table
    order = np.argsort(-loss)[:6]
    cards = [
        b.SampleCard(
            f"{FIRST_KEY + int(i):016x}",
            f"test-{i:04d}.png",
            CLASSES[truth[i]],
            CLASSES[predicted[i]],
            "right" if truth[i] == predicted[i] else "wrong",
            float(confidence[i]),
            float(loss[i]),
            shelf.png(_digit(rng, int(truth[i])), f"sample test-{i:04d}.png"),
            details=(("second choice", CLASSES[(predicted[i] + 1) % 10]), ("position", str(i))),
        )
        for i in order
    ]
    worst = b.Gallery(
        "worst-digit", "Worst mistakes", "digit", "the 6 with the highest loss", tuple(cards), "All 6 are wrong."
    )
    other = b.Gallery(
        "seeded-digit",
        "A seeded sample",
        "digit",
        "2 of 360, seed 0",
        (
            b.SampleCard("8000000000000005", "0", "zero", "zero", "right", 0.99, 0.01, text="shown as text <b>"),
            b.SampleCard("8000000000000006", "1", "", "one", "unknown", Missing("scores are not probabilities")),
        ),
        "Chosen by seed, not by outcome.",
    )
    per_class = b.Table(
        "classes-digit",
        "Classes",
        tuple(
            b.TableColumn(title, form)  # type: ignore[arg-type]
            for title, form in (("Class", "text"), ("Precision", "percent"), ("Recall", "percent"), ("Support", "int"))
        ),
        tuple(
            (
                name,
                float(np.mean(truth[predicted == c] == c)) if np.any(predicted == c) else Missing("never predicted"),
                float(np.mean(predicted[truth == c] == c)),
                int(np.sum(truth == c)),
            )
            for c, name in enumerate(CLASSES)
        ),
        "The lowest recall is 86.1% (four).",
        collapsed_after=4,
    )
    blocks = (worst, other, _matrix(truth, predicted), per_class, _calibration(confidence, truth == predicted))
    return t.Section("predictions", "Predictions", "shown", "346 of 360 right (96.1%).", blocks)


def _layers_section(shelf: Shelf, rng: np.random.Generator) -> t.Section:
    """Return the layers section: a montage with its picture, one without, and an unknown block."""
    tiles = np.full((4 * 9 - 1, 4 * 9 - 1), 128, np.uint8)
    for i in range(16):
        top, left = divmod(i, 4)
        tiles[top * 9 : top * 9 + 8, left * 9 : left * 9 + 8] = _digit(rng, i % 10)
    shown = b.Montage(
        "maps-conv_1-0",
        "conv_1, sample test-0003.png",
        "conv_1",
        "8000000000000008",
        16,
        16,
        4,
        8,
        8,
        "each map from its own lowest to highest value",
        "14 of 16 maps respond to this sample.",
        0.0,
        3.25,
        shelf.png(tiles, "16 feature maps of conv_1"),
    )
    hidden = b.Montage(
        "maps-conv_2-0",
        "conv_2",
        "features/conv_2",
        "",
        32,
        0,
        8,
        8,
        8,
        "not drawn",
        "Nothing is shown: samples are set to none.",
        Missing("not drawn"),
        Missing("not drawn"),
    )
    newer = b.Unknown("saliency-map", "Saliency of sample 3")
    return t.Section("layers", "Layers", "shown", "2 of 48 units never fire on 360 samples.", (shown, hidden, newer))


def _findings() -> tuple[t.Finding, ...]:
    """Return findings with every outcome."""
    dead = t.Finding(
        "dead-units",
        "Some units never fire",
        "warned",
        "warn",
        "2 of 16 units of conv_1 are zero on all 360 samples.",
        (t.Evidence("dead units in conv_1", 2, N, "layer-1"), t.Evidence("share", 0.125, N)),
        ("a learning rate that is too high", "a bias pushed far below zero"),
        "Lower the learning rate, or use LeakyReLU in conv_1.",
        "checks.html#dead-units",
        "layers",
        layers=("conv_1",),
    )
    over = t.Finding(
        "overfitting",
        "Validation gets worse while training improves",
        "failed",
        "error",
        "Validation loss rose by 24% from epoch 15 to 20 while training loss fell.",
        (t.Evidence("validation loss at epoch 15", 0.135), t.Evidence("at epoch 20", Missing("not recorded"))),
        ("more epochs than the data supports",),
        "Restore the weights of epoch 15 (EarlyStopping with restore_best_weights=True).",
        section="training",
        epochs=(15, 20),
        samples=("8000000000000005",),
    )
    plain = (
        ("worse-than-baseline", "Better than the baseline", "passed", "error", "96.1% against 10.0%."),
        ("non-finite-weights", "Weights could not be read", "error", "error", "The check itself failed: no weights."),
        ("collapsed-predictions", "Predictions use every class", "not_applicable", "warn", "Needs labels."),
        ("plateau", "Plateau", "off", "off", "Switched off in the configuration."),
    )
    return (over, dead, *(t.Finding(c, title, out, level, text) for c, title, out, level, text in plain))  # type: ignore[arg-type]


def _metrics() -> tuple[t.Metric, ...]:
    """Return metrics with and without a value, an interval and a baseline."""
    wilson = "95% Wilson interval"
    none = Missing("the class never occurs")
    unknown = Missing("not computed")
    return (
        t.Metric(
            "accuracy",
            "Accuracy",
            "digit",
            346 / 360,
            0.9359,
            0.9766,
            N,
            wilson,
            "higher",
            "share",
            0.1,
            "always the most frequent class",
            True,
            "share of samples whose most probable class is the true one",
        ),
        t.Metric(
            "log_loss", "Log loss", "digit", 0.1432, 0.1014, 0.1893, N, "95% bootstrap interval", "lower", headline=True
        ),
        t.Metric("auc.ten", "AUC of ten", "digit", none, none, none, 0, "none", "higher"),
        t.Metric(
            "predictions.entropy",
            "Entropy",
            "digit",
            3.31,
            unknown,
            unknown,
            N,
            "",
            "neither",
        ),
    )


def _provenance() -> t.Provenance:
    """Return the stable facts."""
    return t.Provenance(
        {"reportgen": "0.1.0", "keras": "3.15.1", "tensorflow": "2.21.0", "numpy": "2.4.1", "python": "3.11.2"},
        "model.keras",
        hashlib.sha256(b"model").hexdigest(),
        "test.npz",
        hashlib.sha256(b"batch").hexdigest(),
        "history.csv",
        hashlib.sha256(b"history").hexdigest(),
        "config.yaml",
        hashlib.sha256(b"config").hexdigest(),
        Missing("not a git repository"),
        {"numpy": 0},
        (),
        8,
    )


def _provenance_section() -> t.Section:
    """Return the section on where the numbers come from."""
    facts = b.Facts("Made from", (b.Fact("Model", "model.keras", "code"), b.Fact("Total time", 6.5, "seconds")))
    note = b.Card("info", "Nothing was trusted", "No code from an input has run.")
    return t.Section("provenance", "Provenance", "shown", "Four files, each with its hash.", (facts, note))


def _layer_numbers(parameters: int) -> dict[str, Number]:
    """Return a few numbers of one layer, one of them missing."""
    return {"parameters": parameters, "activation.mean": 0.21, "weights.norm": Missing("no weights")}


def make_report(title: str = "Digits CNN") -> t.Report:
    """Return the sample report; the same one at every call."""
    rng = np.random.default_rng(7)
    shelf = Shelf()
    history, table, graph = _history(rng), _predictions(rng), _graph()
    truth, predicted, confidence, loss = table
    epochs = Column.pack(np.arange(1, 21), "<i4")
    summary = t.Section(
        "summary",
        "Summary",
        "shown",
        "A CNN for 10 digits, judged on 360 samples.",
        (
            b.Text("Trained for 20 epochs on 1,437 samples."),
            b.Card("good", "Better than chance", "By far."),
        ),
    )
    empty = t.Section(
        "embeddings", "Embeddings", "empty", "No output is an embedding.", (b.Text("The only output is a class."),)
    )
    failed = t.Section(
        "slices",
        "Slices",
        "failed",
        "This section failed.",
        (b.Card("error", "Slices could not be built", "The column 'age' is missing.", "Name it under batch.columns."),),
    )
    sections = (
        summary,
        _architecture(shelf, graph),
        _training(shelf, history),
        _predictions_section(shelf, rng, table),
        _layers_section(shelf, rng),
        empty,
        failed,
        _provenance_section(),
    )
    samples = t.SampleTable(
        "digit",
        "multiclass",
        N,
        "all samples",
        Column.pack(np.arange(N, dtype=np.uint64) + np.uint64(FIRST_KEY), "<u8"),
        Column.pack(np.zeros(N), "<u4"),
        tuple(f"test-{i:04d}.png" for i in range(N)),
        Column.pack(truth, "<i4"),
        Column.pack(predicted, "<i4"),
        Column.pack(confidence, "<f4"),
        Column.pack(loss, "<f4"),
        CLASSES,
    )
    return t.Report(
        title,
        t.Verdict("good-but-overfitting", "caution", "Far better than the baseline, but trained five epochs too long."),
        _findings(),
        (
            t.Gate("accuracy", "at least 0.95", 346 / 360, True, "accuracy 0.961 is at least 0.95"),
            t.Gate("log_loss", "at most 0.1", 0.1432, False, "log_loss 0.143 is above 0.1"),
            t.Gate("auc.ten", "at least 0.9", Missing("the class never occurs"), None, "auc.ten was not computed"),
        ),
        _metrics(),
        sections,
        tuple(t.HistorySeries(k, epochs, Column.pack(v), False, 20) for k, v in history.items()),
        (samples,),
        tuple(
            t.LayerRecord(
                n.layer,
                n.type,
                {"parameters": n.parameters, "activation.mean": 0.21, "weights.norm": Missing("no weights")},
            )
            for n in graph.nodes
        ),
        graph,
        (t.LedgerEntry("pictures of samples", "6", "360", "the byte budget of 600 KB"),),
        _provenance(),
        t.RunFacts(
            "2025-11-22T12:00:00Z",
            6.5,
            "Linux, x86-64, 2 cores",
            "reportgen build config.yaml",
            "examples/digits",
            (t.Timing("import Keras", 3.1), t.Timing("predict", 0.4), t.Timing("draw", 1.2)),
            "main",
            912_261_120,
        ),
        shelf.assets,
        t.SCHEMA_VERSION,
        "reportgen 0.1.0",
    )
