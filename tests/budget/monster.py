"""A report as large as anyone's: what the sections make of 1,000 layers, 1,000 classes, 100,000 epochs, 40 outputs."""

from __future__ import annotations

import dataclasses
import hashlib
import io

import numpy as np

from reportgen.analysis.graph import Edge, Graph, Node
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.svg import sanitise
from reportgen.report.values import Column
from tests.sample_report import make_report

Assets = dict[str, t.Asset]


def keep(assets: Assets, media_type: str, data: bytes, width: int, height: int, alt: str) -> b.AssetRef:
    """Store a picture as the pipeline does."""
    sha256 = hashlib.sha256(data).hexdigest()
    assets[sha256] = t.Asset(media_type, data)
    return b.AssetRef(sha256, width, height, alt)


def photo(rng: np.random.Generator, assets: Assets, side: int = 160) -> b.AssetRef:
    """Store a photograph of noise, which no codec makes small."""
    from PIL import Image

    coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((side, side)).save(file, format="WEBP", quality=85)
    return keep(assets, "image/webp", file.getvalue(), side, side, "a photograph")


def drawing(rng: np.random.Generator, assets: Assets, points: int) -> b.AssetRef:
    """Store a drawing with a line of so many points."""
    path = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in rng.random((points, 2)) * 400)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400"><path d="{path}"/></svg>'
    return keep(assets, "image/svg+xml", sanitise(svg.encode()), 600, 400, "a drawing")


def monster(
    layers: int = 1_000, classes: int = 1_000, epochs: int = 5_000, records: int = 20_000, outputs: int = 40
) -> t.Report:
    """Return the report; `epochs` and `records` are what is left of 100,000 epochs and 1,000,000 samples."""
    rng = np.random.default_rng(3)
    assets: Assets = {}
    names = tuple(f"class {i:04d} of many" for i in range(classes))
    folds = tuple(
        b.Fold(f"predictions-{i}", f"Output head_{i} (multiclass)", _output(rng, assets, f"head_{i}", names))
        for i in range(outputs)
    )
    sections = (
        t.Section("summary", "Summary", "shown", "Very much of everything.", (b.Text("A summary."),)),
        t.Section("architecture", "Architecture", "shown", "Many layers.", _architecture(rng, assets, layers)),
        t.Section("training", "Training", "shown", "Many epochs.", _training(rng, assets, epochs)),
        t.Section("predictions", "Predictions", "shown", " ".join(["head: good."] * outputs), folds),
        t.Section("layers", "Layers", "shown", "Many maps.", _maps(rng, assets, layers)),
    )
    sample = make_report()
    x = Column.pack(np.arange(epochs), "<i8")
    return dataclasses.replace(
        sample,
        sections=sections,
        assets=assets,
        metrics=tuple(
            dataclasses.replace(metric, output=f"head_{i}", headline=j == 0)
            for i in range(outputs)
            for j, metric in enumerate(sample.metrics)
        ),
        history=tuple(
            t.HistorySeries(f"{kind}head_{i}_loss", x, Column.pack(rng.random(epochs)), True, 100_000)
            for i in range(outputs)
            for kind in ("", "val_")
        ),
        samples=tuple(_records(rng, f"head_{i}", records, names) for i in range(outputs)),
        layers=tuple(
            t.LayerRecord(f"block_{i}/conv", "Conv2D", {f"number.{k}": float(rng.random()) for k in range(20)})
            for i in range(layers)
        ),
        graph=_graph(layers),
    )


def _graph(layers: int) -> Graph:
    nodes = tuple(
        Node(f"n{i}", f"block_{i}/conv", "Conv2D", "(None, 56, 56, 64)", 36_928, "relu", None, (("filters", "64"),))
        for i in range(layers)
    )
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(layers - 1))
    return Graph(nodes, edges, (), ("n0",), (f"n{layers - 1}",))


def _architecture(rng: np.random.Generator, assets: Assets, layers: int) -> tuple[b.Block, ...]:
    cards = tuple(
        b.GraphCard(f"c{i}", f"conv {i}", "Conv2D", ("56 x 56 x 64", "36,928"), target=f"layer-{i}") for i in range(60)
    )
    edges = tuple((f"c{i}", f"c{i + 1}") for i in range(59))
    graph = b.GraphView("graph", "Graph", cards, edges, (), "A chain.", figure=drawing(rng, assets, 4_000))
    full = b.GraphView("full", "All layers", (), (), (), "All.", dot="digraph {}", figure=drawing(rng, assets, 30_000))
    columns = (b.TableColumn("Layer", "code"), *(b.TableColumn(f"Column {k}", "number") for k in range(9)))
    rows = tuple((f"block_{i}/conv", *rng.random(9).tolist()) for i in range(layers))
    marks = (b.CellMark(layers - 1, 3, "warn", "the one that matters"),)
    ids = tuple(f"layer-{i}" for i in range(layers))
    table = b.Table("layer-table", "Layers", columns, rows, row_ids=ids, marks=marks)
    return (graph, b.Fold("more", "Full graph", (full,)), table)


def _line(rng: np.random.Generator, points: int, role: str) -> b.Series:
    y = np.where(np.arange(points) == points // 2, 9.0, rng.random(points))
    return b.Series(role, role, Column.pack(np.arange(points), "<i4"), Column.pack(y), role=role)  # type: ignore[arg-type]


def _training(rng: np.random.Generator, assets: Assets, epochs: int) -> tuple[b.Block, ...]:
    points = min(epochs, 1_000)
    return tuple(
        b.Chart(
            f"curve-{i}",
            f"Loss {i}",
            b.Axis("epoch", integer=True),
            b.Axis("loss"),
            (_line(rng, points, "train"), _line(rng, points, "validation")),
            "It falls.",
            figure=drawing(rng, assets, 2 * points),
        )
        for i in range(14)
    )


def _output(rng: np.random.Generator, assets: Assets, name: str, classes: tuple[str, ...]) -> tuple[b.FlatBlock, ...]:
    cards = tuple(
        b.SampleCard(
            f"{i:016x}",
            f"test-{i}.png",
            classes[1],
            classes[0],
            "wrong",
            0.9,
            2.3,
            photo(rng, assets),
            "",
            (("a", "b"),),
        )
        for i in range(24)
    )
    gallery = b.Gallery(f"{name}-samples", "Samples, worst first", name, "First the 16 worst.", cards, "Bad ones.")
    side = min(30, len(classes))
    counts = Column.pack(rng.integers(0, 99, (side, side)), "<i8")
    matrix = b.Matrix(
        f"{name}-confusion", "Confusion", "Label", "Predicted", classes[:side], classes[:side], counts, "Mixed.",
        figure=drawing(rng, assets, 3_000),
    )  # fmt: skip
    columns = (b.TableColumn("Class"), *(b.TableColumn(f"Share {k}", "percent") for k in range(6)))
    rows = tuple((label, *rng.random(6).tolist()) for label in classes)
    table = b.Table(f"{name}-classes", "Classes", columns, rows)
    axis = b.Axis("confidence")
    chart = b.Chart(
        f"{name}-calibration", "Calibration", axis, axis, (_line(rng, 10, "first"),), "Fine.",
        figure=drawing(rng, assets, 60),
    )  # fmt: skip
    return (b.Text("An output."), gallery, matrix, table, chart)


def _maps(rng: np.random.Generator, assets: Assets, layers: int) -> tuple[b.Block, ...]:
    from PIL import Image

    def montage(i: int) -> b.Montage:
        file = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (160, 200), dtype=np.uint8)).save(file, format="PNG")
        image = keep(assets, "image/png", file.getvalue(), 200, 160, "maps")
        return b.Montage(
            f"maps-{i}", f"conv {i}", f"block_{i}", "row 1", 64, 20, 5, 39, 39, "grey", "Edges.", 0.0, 1.0, image
        )

    folds = (b.Fold(f"maps-of-{k}", f"Sample {k}", tuple(montage(k * 100 + i) for i in range(12))) for k in range(2))
    return tuple(folds)


def _records(rng: np.random.Generator, name: str, n: int, classes: tuple[str, ...]) -> t.SampleTable:
    keys = np.sort(rng.integers(0, 2**63, n, dtype=np.uint64))
    truth = rng.integers(0, len(classes), n)
    return t.SampleTable(
        name, "multiclass", 1_000_000, "the 20,000 samples with the smallest keys", Column.pack(keys, "<u8"),
        Column.pack(np.zeros(n), "|u1"), tuple(f"images/validation/{i:06d}.jpg" for i in range(n)),
        Column.pack(truth, "<u2"), Column.pack(truth, "<u2"), Column.pack(rng.random(n), "<f4"),
        Column.pack(rng.random(n), "<f4"), classes,
    )  # fmt: skip
