"""The faults: at least three ways to cause each, as changes of a healthy recipe. What a way does to a kind is said here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from faults.healthy import BASES
from faults.recipe import HELD_OUT_KINDS, KINDS, Recipe

Changes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """One cause of a fault: changes for every kind, for some kinds, and which data it needs ("", "classes", a name)."""

    name: str
    changes: Changes
    kinds: dict[str, Changes] = field(default_factory=dict)
    needs: str = ""


DEEP: dict[str, Changes] = {
    "mlp": {"depth": 8},
    "cnn": {"depth": 7, "width": 8},
    "recurrent": {"depth": 5, "cell": "SimpleRNN", "width": 16},
    "residual": {"depth": 4, "shortcut": False, "norm": ""},
    "attention": {"depth": 4, "shortcut": False, "width": 16},
    "autoencoder": {"depth": 4},
}
# A sigmoid at the output would saturate, and the gradient would be zero instead of huge.
EXPLODING = DEEP | {"autoencoder": {"depth": 4, "last": "linear"}}
PLAIN: dict[str, Changes] = {"residual": {"norm": ""}}
LONG = {"stop": 0, "epochs": 60, "batch": 32}
COPY_LOSS = {"loss": "binary_crossentropy", "data": "digits-copy"}
NO_STOP = {"stop": 0}
OSCILLATING = {"lr": 0.06, "activation": "elu", "epochs": 20}
HEADS: dict[str, Changes] = {"autoencoder": {"head": 32}}

FAULTS: dict[str, tuple[Way, ...]] = {
    "dead-units": (
        Way("negative bias", {"bias": -3.0, "epochs": 15}, PLAIN),
        Way("first steps too large", {"lr": 0.5, "schedule": "spike", "epochs": 15}, PLAIN),
        Way("inputs not scaled", {"scale": 255.0, "lr": 0.1, "epochs": 15}, PLAIN),
        Way("negative bias before the output", {"bias": -5.0, "bias_layers": "all", "epochs": 10}, PLAIN),
    ),
    "vanishing-gradient": (
        Way("deep with sigmoid", {"activation": "sigmoid", "epochs": 15, "stop": 0}, DEEP),
        Way("deep with tiny weights", {"activation": "tanh", "init": "tiny", "epochs": 12, "stop": 0}, DEEP),
        Way("deep with small weights", {"init": "small", "epochs": 12, "stop": 0}, DEEP),
    ),
    "exploding-gradient": (
        Way("large weights", {"init": "large", "epochs": 12, "stop": 0, "optimizer": "SGD", "lr": 1e-3}, EXPLODING),
        Way("huge weights", {"init": "huge", "epochs": 12, "stop": 0}, EXPLODING),
        Way(
            "inputs not scaled",
            {"scale": 1000.0, "init": "he", "epochs": 12, "stop": 0},
            PLAIN | {"autoencoder": {"last": "linear"}},
        ),
    ),
    "saturated-activations": (
        Way("huge weights", {"activation": "tanh", "init": "huge", "epochs": 15, "lr": 1e-3}, PLAIN),
        Way(
            "inputs not scaled",
            {"activation": "tanh", "init": "uniform", "scale": 20.0, "epochs": 15, "lr": 1e-3},
            PLAIN,
        ),
        Way("first steps too large", {"activation": "sigmoid", "lr": 0.7, "schedule": "spike", "epochs": 15}, PLAIN),
    ),
    "non-finite-weights": (
        Way(
            "learning rate",
            {"optimizer": "SGD", "lr": 1e12, "epochs": 5, "stop": 0},
            {"autoencoder": {"last": "linear"}},
        ),
        Way("NaN in the training data", {"spoil": "nan-input", "epochs": 5, "stop": 0}),
        Way("infinite input", {"spoil": "infinite-input", "epochs": 5, "stop": 0}),
    ),
    "untrained-layer": (
        Way("gradient stopped", {"stop_gradient": True, "epochs": 15}, {"recurrent": {"depth": 2}}),
        Way("frozen while training, first layer", {"frozen": "first", "unfreeze": True, "epochs": 15}),
        Way("frozen while training, all but the last", {"frozen": "body", "unfreeze": True, "epochs": 15}),
    ),
    "frozen-layer-untrained": (
        Way("first layer", {"frozen": "first", "epochs": 15}),
        Way("a layer in the middle", {"frozen": "middle", "epochs": 15}),
        Way("all but the last", {"frozen": "body", "epochs": 15}),
    ),
    "duplicate-filters": (
        Way("constant weights", {"init": "tenth", "epochs": 12}, HEADS),
        Way("weights of one", {"init": "ones", "epochs": 12}, HEADS),
        Way("zero weights, equal biases", {"init": "zeros", "bias": 0.3, "bias_layers": "all", "epochs": 12}, HEADS),
    ),
    "softmax-on-logits-loss": (
        Way(
            "one of many",
            {"last": "softmax", "logits": True, "epochs": 12},
            {"autoencoder": COPY_LOSS | {"last": "sigmoid"}},
            "digits",
        ),
        Way(
            "a layer of its own",
            {"last": "softmax-layer", "logits": True, "epochs": 12, "loss": "categorical_crossentropy"},
            {"autoencoder": COPY_LOSS | {"last": "sigmoid-layer"}},
            "digits",
        ),
        Way(
            "yes or no",
            {"last": "sigmoid", "logits": True, "epochs": 12},
            {"autoencoder": COPY_LOSS | {"data": "patches-copy", "last": "sigmoid"}},
            "even",
        ),
    ),
    "missing-output-activation": (
        Way("one of many", {"last": "linear", "epochs": 12}, {"autoencoder": COPY_LOSS}, "digits"),
        Way(
            "one of many, one-hot",
            {"last": "linear", "epochs": 12, "loss": "categorical_crossentropy"},
            {"autoencoder": COPY_LOSS | {"data": "patches-copy"}},
            "digits",
        ),
        Way("yes or no", {"last": "linear", "epochs": 12}, {"autoencoder": COPY_LOSS | {"width": 32}}, "even"),
    ),
    "wrong-last-layer-for-loss": (
        Way(
            "softmax over one unit",
            {"last": "softmax-1", "epochs": 10},
            {"autoencoder": COPY_LOSS | {"last": "softplus"}},
            "even",
        ),
        Way("tanh", {"last": "tanh", "epochs": 10}, {"autoencoder": COPY_LOSS}, "even"),
        Way("relu", {"last": "relu", "epochs": 10}, {"autoencoder": COPY_LOSS}, "digits"),
    ),
    "stacked-linear-layers": (
        Way(
            "the dense layer before the output",
            {"linear": "head", "epochs": 15},
            {"autoencoder": {"head": 96}, "mlp": {"head": 32}},
        ),
        Way("every layer", {"linear": "all", "epochs": 15}, {"autoencoder": {"head": 96}}),
        Way("with dropout between", {"linear": "head", "dropout": 0.1, "epochs": 15}, {"autoencoder": {"head": 96}}),
    ),
    "overfitting": (
        Way(
            "few samples",
            {**LONG, "samples": 80, "epochs": 150, "width": 48},
            {
                "residual": {"width": 16, "norm": "", "samples": 50},
                "cnn": {"width": 16},
                "autoencoder": {"samples": 20, "width": 128, "epochs": 250},
            },
        ),
        Way(
            "wrong labels",
            {**LONG, "label_noise": 0.3, "samples": 500, "width": 64},
            {
                "residual": {"width": 12, "norm": ""},
                "cnn": {"width": 16},
                "autoencoder": {"label_noise": 0.2, "samples": 150, "width": 256, "epochs": 150},
            },
        ),
        Way(
            "a large model for long",
            {**LONG, "samples": 200, "width": 128, "epochs": 100},
            {
                "residual": {"width": 16, "norm": "", "samples": 80},
                "cnn": {"width": 20, "samples": 80},
                "recurrent": {"width": 48},
                "attention": {"width": 48},
                "autoencoder": {"samples": 25, "width": 256},
            },
            "photo",
        ),
    ),
    "underfitting": (
        Way("weight decay", {"l2": 5.0, "epochs": 12, "stop": 0}, PLAIN | {"attention": {"l2": 300.0}}),
        Way("dropout", {"dropout": 0.99, "epochs": 12, "stop": 0}, PLAIN),
        Way("noise on the inputs", {"noise": 1.0, "scale": 0.01, "epochs": 12, "stop": 0}, PLAIN),
    ),
    "still-improving": (
        Way("few epochs", {**NO_STOP, "epochs": 12, "lr": 4e-4}),
        Way("few epochs with SGD", {**NO_STOP, "epochs": 14, "optimizer": "SGD", "lr": 0.03}),
        Way("few epochs with RMSprop", {**NO_STOP, "epochs": 16, "optimizer": "RMSprop", "lr": 2e-4}),
    ),
    "plateau": (
        Way("learning rate far too low", {**NO_STOP, "lr": 1e-9, "epochs": 10}),
        Way("learning rate far too low with SGD", {**NO_STOP, "optimizer": "SGD", "lr": 1e-8, "epochs": 10}),
        Way("labels shuffled, small steps", {**NO_STOP, "label_noise": 1.0, "lr": 1e-5, "epochs": 10}),
        Way("learning rate that dies at once", {**NO_STOP, "schedule": "dying", "lr": 1e-6, "epochs": 10}),
    ),
    "oscillating-loss": (
        Way(
            "tiny batches",
            {**NO_STOP, "batch": 4, "samples": 120, "lr": 0.04, "activation": "elu", "epochs": 20},
            {"attention": {"lr": 0.015}, "autoencoder": {"lr": 0.015}},
        ),
        Way(
            "tiny batches with momentum",
            {**NO_STOP, "batch": 4, "samples": 120, "optimizer": "SGD", "optimizer_momentum": 0.9, **OSCILLATING},
            {"attention": {"lr": 0.03}, "autoencoder": {"lr": 2.0}},
        ),
        Way(
            "learning rate that jumps",
            {**NO_STOP, "schedule": "cyclic", "lr": 0.08, "activation": "elu", "epochs": 20},
            {"attention": {"lr": 0.03}, "autoencoder": {"lr": 0.05}},
        ),
    ),
    "diverging-loss": (
        Way("learning rate doubles every epoch", {**NO_STOP, "schedule": "growing", "lr": 1e-3, "epochs": 18}),
        Way(
            "SGD doubles every epoch",
            {**NO_STOP, "schedule": "growing", "optimizer": "SGD", "lr": 0.02, "optimizer_momentum": 0.9, "epochs": 18},
        ),
        Way("NaN from the steps", {**NO_STOP, "optimizer": "SGD", "lr": 1e10, "epochs": 8}),
    ),
    "learning-rate-too-high": (
        Way("Adam", {**NO_STOP, "lr": 1.0, "epochs": 16}),
        Way("SGD", {**NO_STOP, "optimizer": "SGD", "lr": 20.0, "epochs": 16}),
        Way("RMSprop", {**NO_STOP, "optimizer": "RMSprop", "lr": 0.7, "epochs": 16}),
    ),
    "learning-rate-too-low": (
        Way("Adam", {**NO_STOP, "lr": 1e-5, "epochs": 20}),
        Way("SGD", {**NO_STOP, "optimizer": "SGD", "lr": 3e-4, "epochs": 20}),
        Way("RMSprop", {**NO_STOP, "optimizer": "RMSprop", "lr": 1e-5, "epochs": 20}),
    ),
    "best-epoch-not-restored": (
        Way(
            "EarlyStopping without restoring",
            {"samples": 150, "stop": 15, "restore": False, "batch": 16, "epochs": 80, "batch_part": "validation"},
            {"autoencoder": {"samples": 50, "width": 128, "epochs": 150, "stop": 30}},
        ),
        Way(
            "a fixed number of epochs",
            {"samples": 120, "stop": 0, "batch": 16, "epochs": 60, "batch_part": "validation"},
            {"autoencoder": {"samples": 40, "width": 128, "epochs": 150}},
        ),
        Way(
            "wrong labels, no stopping",
            {"samples": 400, "stop": 0, "label_noise": 0.2, "epochs": 50, "batch_part": "validation"},
            {"autoencoder": {"samples": 40, "width": 160, "epochs": 150, "label_noise": 0.0}},
        ),
    ),
    "batch-norm-statistics-off": (
        Way("momentum for long runs", {"norm": "batch", "momentum": 0.9995, "epochs": 8, "stop": 0}),
        Way(
            "classes one after the other",
            {"norm": "batch", "momentum": 0.3, "shuffle": False, "spoil": "sorted", "epochs": 8, "stop": 0},
        ),
        Way("batches of two", {"norm": "batch", "batch": 2, "momentum": 0.5, "samples": 300, "epochs": 8, "stop": 0}),
        Way("momentum for very long runs", {"norm": "batch", "momentum": 0.9999, "epochs": 12, "stop": 0}),
    ),
    "collapsed-predictions": (
        Way("learning rate", {**NO_STOP, "lr": 3.0, "epochs": 12, "optimizer": "RMSprop"}, PLAIN, "classes"),
        Way("no unit fires", {**NO_STOP, "bias": -30.0, "bias_layers": "all", "epochs": 10}, PLAIN, "classes"),
        Way("one class weighted up", {"class_weight": 2000.0, "epochs": 10, **NO_STOP}, {}, "classes"),
        Way("weight decay", {**NO_STOP, "l2": 10.0, "epochs": 10}, {}, "classes"),
    ),
}
SEEDS = {False: 3, True: 4}  # a way and kind: to tune on, held out
# More held-out seeds of faults that often do no harm, so that enough cases are left where they did.
MORE_SEEDS = {
    "vanishing-gradient": 1,
    "exploding-gradient": 1,
    "saturated-activations": 1,
    "overfitting": 2,
    "still-improving": 1,
    "oscillating-loss": 2,
    "collapsed-predictions": 3,
}


def fault_recipes() -> list[Recipe]:
    """Return every faulty recipe, so ordered that a part of the list holds something of each fault."""
    found = []
    most = max(map(len, FAULTS.values()))
    for place in range(most):
        for fault, ways in FAULTS.items():
            if place < len(ways):
                found += [recipe for kind in KINDS for recipe in _cases(fault, ways[place], kind, place)]
    return found


def newest_seeds() -> dict[tuple[str, str, str], int]:
    """Return the last seed of each (fault, way, held-out kind): these were judged only after all rules were fixed."""
    held = [recipe for recipe in fault_recipes() if recipe.held_out]
    return {(r.fault, r.way, r.kind): r.seed for r in sorted(held, key=lambda r: r.seed)}


def _cases(fault: str, way: Way, kind: str, place: int) -> list[Recipe]:
    """Return the cases of one way in one kind, a seed each; none where the way does not suit the kind."""
    base = _base(way, kind, place)
    if base is None:
        return []
    changes = way.changes | way.kinds.get(kind, {})
    first = 2 * (place + 1) * 10 + (kind in HELD_OUT_KINDS)
    seeds = SEEDS[base.held_out] + (MORE_SEEDS.get(fault, 0) if base.held_out else 0)
    return [replace(base, fault=fault, way=way.name, seed=first + 2 * n, **changes) for n in range(seeds)]


def _base(way: Way, kind: str, place: int) -> Recipe | None:
    """Return the healthy recipe that a way starts from."""
    bases = BASES[kind]
    if kind == "autoencoder":
        return None if way.needs == "classes" else bases[place % len(bases)]
    if way.needs == "classes":
        bases = tuple(base for base in bases if base.data in ("digits", "even"))
    elif way.needs:
        bases = tuple(base for base in bases if base.data == way.needs) or (replace(bases[0], data=way.needs),)
    return bases[place % len(bases)]
