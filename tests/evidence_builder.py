"""Builds synthetic evidence for tests of sections and checks: small, seeded, and without Keras.

`make_artifacts()` is a healthy image classifier. Knobs change one thing each; `dataclasses.replace` does the rest.
Scores and sample records come from the real accumulators, so a test that passes here reads what the worker writes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.analysis.evidence import (
    ActivationFacts,
    Artifacts,
    Curve,
    History,
    InputFacts,
    KeptSamples,
    Kernels,
    LayerFacts,
    LayerMaps,
    ModelFacts,
    OutputEvidence,
    Problem,
    RecordArrays,
    WeightFacts,
    WorkerEvidence,
)
from reportgen.analysis.graph import Edge, Graph, Node
from reportgen.report.blocks import AssetRef
from reportgen.sections.context import Context

SIDE = 8
LAYERS = (  # name, type, output shape, parameters, activation, MACs, units
    ("input", "InputLayer", "None, 8, 8, 1", 0, "", 0, 1),
    ("conv1", "Conv2D", "None, 8, 8, 8", 80, "relu", 4608, 8),
    ("pool1", "MaxPooling2D", "None, 4, 4, 8", 0, "", 0, 8),
    ("conv2", "Conv2D", "None, 4, 4, 16", 1168, "relu", 18432, 16),
    ("flatten", "Flatten", "None, 256", 0, "", 0, 256),
    ("dense", "Dense", "None, 10", 2570, "softmax", 2560, 10),
)
LOSSES = {
    "multiclass": "sparse_categorical_crossentropy",
    "binary": "binary_crossentropy",
    "multilabel": "binary_crossentropy",
    "regression": "mse",
    "reconstruction": "mse",
}


def make_history(kind: str = "healthy", epochs: int = 20) -> History:
    """Return a history: healthy, overfitting, improving, diverging (ends in NaN), flat, train_only."""
    x = np.arange(1, epochs + 1, dtype=np.float64)
    fall = 0.2 + 2.0 * np.exp(-x / 3)
    curves = {"loss": fall, "val_loss": fall + 0.08, "learning_rate": np.full(epochs, 1e-3)}
    if kind == "overfitting":
        curves |= {"loss": 2.2 * np.exp(-x / 5), "val_loss": 0.5 + 1.5 * np.exp(-x / 2) + 0.06 * np.maximum(x - 7, 0)}
    elif kind == "improving":
        curves |= {"loss": 3.0 - 0.1 * x, "val_loss": 3.1 - 0.1 * x}
    elif kind == "diverging":
        curves["loss"] = np.where(x > epochs // 2, np.nan, 0.5 * 1.6**x)
        curves["val_loss"] = curves["loss"] * 1.1
    elif kind == "flat":
        curves |= {"loss": np.full(epochs, 2.3), "val_loss": np.full(epochs, 2.3)}
    if "train_only" in kind:
        curves.pop("val_loss")
    else:
        curves["val_accuracy"] = 1 / (1 + curves["val_loss"])
    curves["accuracy"] = 1 / (1 + curves["loss"])
    return History("history.csv", tuple(Curve(name, x.astype(np.int64), y) for name, y in curves.items()))


def make_graph() -> Graph:
    """Return the graph of the little CNN that `LAYERS` describes."""
    nodes = tuple(
        Node(f"n{i}", name, type_, f"({shape})", parameters, activation)
        for i, (name, type_, shape, parameters, activation, _, _) in enumerate(LAYERS)
    )
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(len(nodes) - 1))
    return Graph(nodes, edges, (), ("n0",), (f"n{len(nodes) - 1}",))


def make_model(task: str = "multiclass", kind: str = "Functional", compiled: bool = True) -> ModelFacts:
    """Return what the saved file says about the little CNN."""
    parameters = sum(row[3] for row in LAYERS)
    return ModelFacts(
        name="little_cnn",
        class_name="Functional" if kind == "Functional" else "MyModel",
        kind=kind,
        parameters=parameters,
        trainable_parameters=parameters,
        compiled=compiled,
        optimizer="Adam" if compiled else "",
        optimizer_settings={"learning_rate": "0.001"} if compiled else {},
        loss={"": LOSSES.get(task, "mse")} if compiled else {},
        metrics={"": ("accuracy",)} if compiled else {},
        from_logits={},
        keras_version="3.15.1",
        backend="tensorflow",
        backend_version="2.21.0",
        saved_with="3.15.1",
        saved_on="",
        input_names=("input",),
        output_names=("output",),
        input_shapes=("(None, 8, 8, 1)",),
        output_shapes=("(None, 10)",),
    )


def make_layers() -> tuple[LayerFacts, ...]:
    """Return the layer table of the little CNN."""
    return tuple(
        LayerFacts(
            path=name,
            name=name,
            type=type_,
            output_shape=f"({shape})",
            parameters=parameters,
            trainable_parameters=parameters,
            trainable=True,
            dtype="float32",
            activation=activation,
            macs=macs,
            activation_bytes=4 * int(np.prod([int(size) for size in shape.split(", ")[1:]])),
        )
        for name, type_, shape, parameters, activation, macs, _ in LAYERS
    )


def make_weights(nan_in: str = "") -> tuple[WeightFacts, ...]:
    """Return the weights of the little CNN; the kernel of layer `nan_in` holds three NaN."""
    rows = []
    for name, _, _, parameters, _, _, units in LAYERS:
        if not parameters:
            continue
        for part, size, initializer in (("kernel", parameters - units, "GlorotUniform"), ("bias", units, "Zeros")):
            bad = 3 if name == nan_in and part == "kernel" else 0
            rows.append(
                WeightFacts(
                    name,
                    part,
                    (size // units, units) if part == "kernel" else (units,),
                    "float32",
                    size,
                    0.1 * size**0.5,
                    0.001,
                    0.1,
                    -0.4,
                    0.4,
                    0,
                    bad,
                    0,
                    True,
                    initializer,
                )
            )
    return tuple(rows)


def make_activations(dead: dict[str, int] | None = None, nan_in: str = "", n: int = 200) -> tuple[ActivationFacts, ...]:
    """Return activation statistics; `dead` maps layer names to how many of their units never fire."""
    facts = []
    for name, _, shape, _, activation, _, units in LAYERS[1:]:
        gone = (dead or {}).get(name, 0)
        active = np.linspace(0.2, 1.0, units)
        active[:gone] = 0.0
        values = n * int(np.prod([int(size) for size in shape.split(", ")[1:]]))
        share = gone / units
        facts.append(
            ActivationFacts(
                layer=name,
                tier="full" if activation else "strided",
                stride=1 if activation else 16,
                samples=n,
                values=values,
                mean=0.4 * (1 - share),
                std=0.5,
                low=0.0,
                high=4.0,
                zeros=0.3 + 0.7 * share,
                nan=5 if name == nan_in else 0,
                inf=0,
                saturated=float("nan"),
                units=units,
                dead=gone,
                near_dead=0,
                dead_below=1e-7,
                histogram=make_histogram(values),
                unit_active=active,
            )
        )
    return tuple(facts)


def make_histogram(values: int) -> np.ndarray:
    """Return a signed log histogram of the right length with `values` counts in its zero and positive bins."""
    from reportgen.analysis.layers import HISTOGRAM_EDGES

    bins = 2 * (len(HISTOGRAM_EDGES) - 1) + 1
    counts = np.zeros(bins, dtype=np.int64)
    counts[bins // 2] = values // 3
    counts[-bins // 4] = values - values // 3
    return counts


def make_predictions(task: str, n: int, classes: int, quality: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (y_true, y_pred) of a task; `quality` in 0..1 is how often or how closely the model is right."""
    rng = np.random.default_rng(seed)
    if task == "multiclass":
        truth = rng.integers(0, classes, n)
        said = np.where(rng.random(n) < quality, truth, rng.integers(0, classes, n))
        logits = rng.normal(0, 1, (n, classes))
        logits[np.arange(n), said] += 4
        return truth, softmax(logits)
    if task in {"binary", "multilabel"}:
        truth = (rng.random((n, 1 if task == "binary" else classes)) < 0.4).astype(np.int64)
        side = np.where(rng.random(truth.shape) < quality, truth, 1 - truth)
        return truth, (1 / (1 + np.exp(-(2 * side - 1) * rng.gamma(2, 1, truth.shape)))).astype(np.float32)
    if task == "regression":
        truth = rng.normal(150, 70, (n, max(classes, 1)))
        return truth, truth + rng.normal(0, 70 * (1 - quality), truth.shape)
    if task == "segmentation":
        truth = np.zeros((n, SIDE, SIDE), dtype=np.int64)
        truth[:, 2:6, 2:6] = rng.integers(1, classes, (n, 4, 4))
        said = np.where(rng.random(truth.shape) < quality, truth, rng.integers(0, classes, truth.shape))
        return truth, softmax(4 * np.eye(classes)[said] + rng.normal(0, 0.3, (*said.shape, classes)))
    if task == "reconstruction":
        truth = rng.random((n, SIDE, SIDE, 1))
        return truth, truth + rng.normal(0, 1 - quality, truth.shape)
    if task == "sequence":
        truth = rng.integers(0, classes, (n, 12))
        said = np.where(rng.random(truth.shape) < quality, truth, rng.integers(0, classes, truth.shape))
        return truth, softmax(4 * np.eye(classes)[said] + rng.normal(0, 0.3, (*said.shape, classes)))
    return rng.normal(0, 1, (n, 5, 7)), rng.normal(0, 1, (n, 5, 7))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities over the last axis."""
    power = np.exp(logits - logits.max(-1, keepdims=True))
    return (power / power.sum(-1, keepdims=True)).astype(np.float32)


def make_inputs(kind: str, n: int, seed: int) -> np.ndarray:
    """Return inputs: image (n, 8, 8, 1), rgb, table (n, 5), signal (n, 40, 2), tokens (n, 12), text (n,)."""
    rng = np.random.default_rng(seed + 1)
    return {
        "image": lambda: rng.random((n, SIDE, SIDE, 1), dtype=np.float32),
        "rgb": lambda: rng.integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8),
        "table": lambda: rng.normal(0, 1, (n, 5)).astype(np.float32),
        "signal": lambda: rng.normal(0, 1, (n, 40, 2)).astype(np.float32),
        "tokens": lambda: rng.integers(0, 50, (n, 12)).astype(np.int32),
        "text": lambda: np.array([f"a review number {i} of a film" for i in range(n)]),
    }[kind]()


def make_output(
    task: str = "multiclass",
    *,
    n: int = 200,
    classes: int = 10,
    quality: float = 0.9,
    labels: bool = True,
    scores: str = "",
    seed: int = 0,
    name: str = "output",
    arrays: tuple[np.ndarray, np.ndarray] | None = None,
    class_names: tuple[str, ...] | None = None,
) -> tuple[OutputEvidence, np.ndarray | None, np.ndarray]:
    """Return the evidence of one output with its (y_true, y_pred); `arrays` gives them outright."""
    from reportgen.analysis.metrics import make_accumulator, score_samples

    y_true, y_pred = arrays or make_predictions(task, n, classes, quality, seed)
    n = len(y_pred)
    scores = scores or ("values" if task in {"regression", "reconstruction", "other"} else "probabilities")
    given = y_true if labels else None
    accumulator = make_accumulator(task, shape=y_pred.shape[1:], classes=classes, scores=scores)
    accumulator.update(given, y_pred)
    sample = score_samples(task, given, y_pred, scores)
    named = task in {"multiclass", "binary", "multilabel", "segmentation"}
    names = tuple(f"class {i}" for i in range(2 if task == "binary" else classes)) if named else ()
    keys = np.random.default_rng(seed + 7).integers(1, 2**63, n).astype(np.uint64)
    records = RecordArrays(
        keys=keys,
        occurrences=np.zeros(n, np.uint32),
        positions=np.arange(n, dtype=np.int64),
        truth=sample.truth,
        prediction=sample.prediction,
        confidence=np.asarray(sample.confidence, np.float32),
        loss=np.asarray(sample.loss, np.float32),
        ids=(),
        rule=f"all {n:,} samples",
    )
    evidence = OutputEvidence(
        name=name,
        task=task,
        task_reason="chosen in the test",
        scores=scores,
        shape=y_pred.shape[1:],
        class_names=names if class_names is None else class_names,
        n=n,
        n_labelled=n if labels else 0,
        state=accumulator.state(),
        records=records,
        loss_name=LOSSES.get(task, ""),
    )
    return evidence, given, y_pred


def make_kept(
    outputs: list[tuple[OutputEvidence, np.ndarray | None, np.ndarray]],
    inputs: np.ndarray,
    worst: int = 12,
    seeded: int = 12,
) -> KeptSamples:
    """Return the content of the worst samples of the first output and of a seeded choice."""
    records = outputs[0][0].records
    n = len(records.positions)
    bad = list(np.argsort(-np.nan_to_num(records.loss), kind="stable")[:worst]) if outputs[0][0].n_labelled else []
    chosen = list(np.random.default_rng(3).permutation(n)[:seeded])
    rows = sorted({int(i) for i in bad} | {int(i) for i in chosen})
    reasons = tuple(",".join(w for w, group in (("worst", bad), ("seeded", chosen)) if i in group) for i in rows)
    return KeptSamples(
        positions=np.array(rows, np.int64),
        keys=records.keys[rows],
        ids=tuple(records.ids[i] for i in rows) if records.ids else (),
        reasons=reasons,
        inputs={"input": inputs[rows]},
        targets={evidence.name: truth[rows] for evidence, truth, _ in outputs if truth is not None},
        predictions={evidence.name: predicted[rows] for evidence, _, predicted in outputs},
    )


def make_maps(kept: KeptSamples, seed: int = 0) -> tuple[LayerMaps, ...]:
    """Return feature maps of both convolutions and the dense layer on the first two kept samples."""
    rng = np.random.default_rng(seed)
    positions = tuple(int(p) for p in kept.positions[:2])
    shapes = (("conv1", "Conv2D", (8, 8, 8)), ("conv2", "Conv2D", (4, 4, 16)), ("dense", "Dense", (10,)))
    return tuple(
        LayerMaps(name, type_, positions, np.maximum(rng.normal(0, 1, (2, *shape)), 0).astype(np.float32), shape[-1])
        for name, type_, shape in shapes
    )


def make_worker(
    task: str = "multiclass",
    *,
    n: int = 200,
    classes: int = 10,
    quality: float = 0.9,
    labels: bool = True,
    scores: str = "",
    inputs: str = "",
    kind: str = "Functional",
    compiled: bool = True,
    dead: dict[str, int] | None = None,
    nan_weights: str = "",
    nan_activations: str = "",
    seed: int = 0,
    arrays: tuple[np.ndarray, np.ndarray] | None = None,
    extra_outputs: tuple[tuple[str, str], ...] = (),
    problems: tuple[Problem, ...] = (),
    **changes: Any,
) -> WorkerEvidence:
    """Return the worker's evidence; `extra_outputs` are (name, task) pairs, `changes` replace whole fields."""
    outputs = [
        make_output(task, n=n, classes=classes, quality=quality, labels=labels, scores=scores, seed=seed, arrays=arrays)
    ]
    n = outputs[0][0].n
    for i, (name, other) in enumerate(extra_outputs):
        outputs.append(make_output(other, n=n, classes=4, quality=quality, labels=labels, seed=seed + i + 1, name=name))
    default = {"regression": "table", "binary": "table", "multilabel": "table", "sequence": "tokens"}.get(task, "image")
    x = make_inputs(inputs or default, n, seed)
    kept = make_kept(outputs, x)
    numeric = x.dtype.kind in "iuf"
    facts = InputFacts(
        "input",
        x.shape[1:],
        str(x.dtype),
        float(x.min()) if numeric else float("nan"),
        float(x.max()) if numeric else float("nan"),
        float(x.mean()) if numeric else float("nan"),
        float(x.std()) if numeric else float("nan"),
        0,
        0,
        0,
    )
    worker = WorkerEvidence(
        model=make_model(task, kind, compiled),
        graph=make_graph(),
        dot="digraph { a -> b }",
        layers=make_layers(),
        weights=make_weights(nan_weights),
        activations=make_activations(dead, nan_activations, n),
        inputs=(facts,),
        outputs=tuple(evidence for evidence, _, _ in outputs),
        kept=kept,
        maps=make_maps(kept, seed),
        kernels=Kernels("conv1", np.random.default_rng(seed).normal(0, 0.3, (3, 3, 1, 8)).astype(np.float32)),
        n_samples=n,
        versions={"keras": "3.15.1", "tensorflow": "2.21.0", "numpy": "2.4.0", "python": "3.11.2"},
        problems=problems,
    )
    return replace(worker, **changes)


def make_artifacts(
    task: str = "multiclass",
    *,
    history: str | History | None = "healthy",
    privacy: str = "show",
    worker: bool = True,
    **knobs: Any,
) -> Artifacts:
    """Return artifacts of one report. `history` is a kind, a History or None; `worker=False`: it was lost."""
    read = make_history(history) if isinstance(history, str) else history
    found = make_worker(task, **knobs) if worker else None
    problems = () if worker else (Problem("worker", "The worker ran out of memory", "Raise limits.memory"),)
    return Artifacts(title="Little CNN", history=read, worker=found, privacy=privacy, problems=problems)


class Drawn:
    """Keeps every picture that a section has drawn: (pixels, kind, alt)."""

    def __init__(self) -> None:
        self.pictures: list[tuple[np.ndarray, str, str]] = []

    def __call__(self, pixels: np.ndarray, kind: str, alt: str) -> AssetRef:
        """Note the picture and return a reference with the hash of its pixels."""
        assert pixels.dtype == np.uint8 and pixels.ndim in (2, 3) and pixels.size
        self.pictures.append((pixels, kind, alt))
        return AssetRef(hashlib.sha256(pixels.tobytes()).hexdigest(), pixels.shape[1], pixels.shape[0], alt)


def make_context() -> tuple[Context, Drawn]:
    """Return a context whose pictures are kept in memory, and those pictures."""
    drawn = Drawn()
    return Context(drawn), drawn
