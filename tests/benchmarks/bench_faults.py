"""make bench-faults: train healthy and faulty models, let the worker look at them, and count what the checks find.

Training, measuring and judging are kept apart: trained cases and their evidence stay in the cache, so that a change of
a check is judged anew in a minute, and a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from faults.constructed import constructed_recipes, edit_all
from faults.evidence import measure_all
from faults.healthy import healthy_recipes
from faults.injections import fault_recipes
from faults.recipe import Recipe
from faults.score import Judged, judge_all
from faults.table import write_page
from faults.train_all import is_made, train_all

SUBSET = {"healthy": 36, "faulty": 8}  # a fixed part: that many healthy models, every 8th faulty case
PART = 30  # cases that one process trains and measures before the next ones


def main() -> None:
    """Train, measure, judge, print."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("BENCH_FAULTS", ".cache/bench-faults")))
    parser.add_argument("--full", action="store_true", help="all cases, however long it takes")
    parser.add_argument("--minutes", type=float, default=0, help="stop training and measuring after so many minutes")
    parser.add_argument("--judge-only", action="store_true", help="neither train nor measure")
    parser.add_argument("--write", type=Path, help="also write the page to this file")
    parser.add_argument("--jobs", type=int, default=2, help="processes, a core each")
    options = parser.parse_args()
    recipes, edited = choose(full=options.full)
    if not options.judge_only:
        make(options.cache, recipes, edited, 60 * options.minutes or float("inf"), options.jobs)
    found = judge_all(options.cache, recipes)
    trained = sum(is_made(options.cache, recipe) for recipe in recipes)
    page = write_page(found, _edited(options.cache, edited), trained=trained, planned=len(recipes))
    print(page)
    print(f"{len(recipes) - trained:,} cases are not trained yet; {found.not_measured:,} not measured.")
    if options.write:
        options.write.write_text(page)


def choose(*, full: bool) -> tuple[list[Recipe], list[Recipe]]:
    """Return the recipes to train, in an order in which every part is balanced, and those to edit."""
    healthy, faulty, edited = healthy_recipes(), fault_recipes(), constructed_recipes()
    if not full:
        return [*healthy[: SUBSET["healthy"]], *faulty[:: SUBSET["faulty"]]], edited[::3]
    part = len(faulty) // 4
    mixed = [*healthy[:72], *faulty[:part], *healthy[72:156], *faulty[part:], *healthy[156:]]
    return mixed, edited


def make(cache: Path, recipes: list[Recipe], edited: list[Recipe], seconds: float, jobs: int) -> None:
    """Train and measure what is missing, part by part, so that a stopped run has evidence of what it trained."""
    end = time.time() + seconds
    cache.mkdir(parents=True, exist_ok=True)
    parts = [recipes[start : start + PART] for start in range(0, len(recipes), PART)]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_make_part, [cache] * len(parts), parts, [end] * len(parts)))
    edit_all(cache, edited)
    measure_all([cache / recipe.digest() for recipe in edited if is_made(cache, recipe)], end - time.time())


def _make_part(cache: Path, part: list[Recipe], end: float) -> None:
    """Train and measure some cases, unless time is over."""
    warnings.filterwarnings("ignore")
    train_all(cache, part, end - time.time())
    measure_all([cache / recipe.digest() for recipe in part if is_made(cache, recipe)], end - time.time())


def _edited(cache: Path, recipes: list[Recipe]) -> list[Judged]:
    """Judge the edited cases; whether they "took" is not asked, the edit is the fault."""
    return judge_all(cache, recipes, ask=False).faulty


if __name__ == "__main__":
    main()
