"""Healthy recipes: for each kind several data sets and settings that people use, each with several seeds."""

from __future__ import annotations

from dataclasses import replace

from faults.recipe import HELD_OUT_KINDS, KINDS, Recipe

# Each kind's usual settings by data set; faults are injected into these, healthy models also vary them.
BASES: dict[str, tuple[Recipe, ...]] = {
    "mlp": (
        Recipe("mlp", "digits", 0, samples=700, width=48),
        Recipe("mlp", "even", 0, samples=700, width=64),
        Recipe("mlp", "middle", 0, samples=700, width=48),
        Recipe("mlp", "cancer", 0, width=16, depth=1, head=16, batch=32, l2=1e-3),
    ),
    "cnn": (
        Recipe("cnn", "digits", 0, samples=700, width=12, epochs=30),
        Recipe("cnn", "even", 0, samples=700, width=12, epochs=30),
        Recipe("cnn", "photo", 0, samples=700, width=10, epochs=25),
    ),
    "recurrent": (
        Recipe("recurrent", "digits", 0, samples=700, width=32, depth=1, lr=6e-3, epochs=30),
        Recipe("recurrent", "even", 0, samples=700, width=32, depth=1, lr=6e-3, epochs=30),
        Recipe("recurrent", "middle", 0, samples=700, width=24, depth=1, lr=6e-3, epochs=25),
    ),
    "residual": (
        Recipe("residual", "digits", 1, samples=700, width=8, norm="batch", head=16, epochs=20, lr=6e-3),
        Recipe("residual", "even", 1, samples=700, width=8, norm="batch", head=16, epochs=20, lr=6e-3),
        Recipe("residual", "photo", 1, samples=700, width=8, depth=1, norm="batch", head=16, epochs=20),
    ),
    "attention": (
        Recipe("attention", "digits", 1, samples=700, width=24, depth=1, epochs=30, lr=4e-3),
        Recipe("attention", "even", 1, samples=700, width=24, depth=1, epochs=30, lr=4e-3),
        Recipe("attention", "middle", 1, samples=700, width=16, depth=1, epochs=20, lr=4e-3),
    ),
    "autoencoder": (
        Recipe("autoencoder", "digits-copy", 1, samples=700, head=0, width=64, epochs=50, lr=5e-3),
        Recipe("autoencoder", "patches-copy", 1, samples=700, head=0, width=64, epochs=40, lr=5e-3),
        Recipe("autoencoder", "cancer-copy", 1, head=0, width=48, epochs=60, code=10, lr=5e-3, batch=32),
    ),
}
# What healthy models vary beside data and seed: settings that are all in good practice.
VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {"dropout": 0.1},
    {"stop": 0, "schedule": "decay"},
    {"l2": 1e-4, "activation": "elu"},
    {"activation": "tanh", "lr": 2e-3},
    {"activation": "gelu", "front": "rescaling"},
)
# A model that does not reach this on training or test data is not called healthy, and is counted apart.
BARS = {"digits": 0.93, "even": 0.93, "cancer": 0.93, "photo": 0.85, "middle": 0.8}
BAR_OF_COPIES = 0.55


def healthy_recipes(repeats: int = 5) -> list[Recipe]:
    """Return the healthy recipes, every kind and variant `repeats` times: 6 kinds x 6 variants x 5 = 180."""
    found = []
    for repeat in range(repeats):
        for place, variant in enumerate(VARIANTS):
            for kind in KINDS:
                base = BASES[kind][(place + repeat) % len(BASES[kind])]
                seed = 100 + 2 * (repeat * len(VARIANTS) + place) + (kind in HELD_OUT_KINDS)
                found.append(replace(base, seed=seed, **variant))  # type: ignore[arg-type]
    return found


def reaches_bar(recipe: Recipe, truth: dict[str, float]) -> bool:
    """Tell whether a model meant to be healthy is really good."""
    bar = BARS.get(recipe.data, BAR_OF_COPIES)
    return truth["test_score"] >= bar
