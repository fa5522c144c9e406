"""Train every case that is not in the cache yet, in one process on one core; can be stopped and started at any time."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from faults.recipe import Recipe


def is_made(cache: Path, recipe: Recipe) -> bool:
    """Tell whether a case is complete in the cache."""
    return (cache / recipe.digest() / "case.json").is_file()


def train_all(cache: Path, recipes: list[Recipe], seconds: float = float("inf")) -> int:
    """Train what is missing, for at most `seconds`; return how many cases are still missing."""
    missing = [recipe for recipe in recipes if not is_made(cache, recipe)]
    if not missing:
        return 0
    prepare_tensorflow()
    from faults.training import Trainer

    trainer, started = Trainer(), time.monotonic()
    for place, recipe in enumerate(missing):
        if time.monotonic() - started > seconds:
            return len(missing) - place
        folder = cache / recipe.digest()
        try:
            trainer.train(recipe, folder)
        except Exception as error:  # one recipe that cannot be trained must not end a run of hours; it is named
            shutil.rmtree(folder, ignore_errors=True)
            print(f"not trained: {recipe.to_json()}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
            trainer = Trainer()
        if place % 25 == 24:
            spent = time.monotonic() - started
            print(f"{place + 1:,} of {len(missing):,} cases trained, {spent / (place + 1):.1f} s each", flush=True)
    return sum(not is_made(cache, recipe) for recipe in recipes)


def prepare_tensorflow() -> None:
    """Keep TensorFlow to one thread and the CPU, and quiet: cases must repeat, and the machine has other work."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
