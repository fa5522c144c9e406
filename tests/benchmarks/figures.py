"""Time the figures on the real code path, in one process: evidence -> block -> drawn and stored asset.

Usage: figures.py [--runs N]. Prints medians beside what the project aims at; never a verdict.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from reportgen.analysis.evidence import Artifacts  # noqa: E402
from reportgen.figures.easel import Easel  # noqa: E402
from reportgen.report.blocks import Gallery, Matrix  # noqa: E402
from reportgen.report.types import Section  # noqa: E402
from reportgen.report.values import Column  # noqa: E402
from reportgen.sections.context import Context  # noqa: E402
from reportgen.sections.output_view import make_view  # noqa: E402
from reportgen.sections.predictions_classes import confusion_blocks, say_class  # noqa: E402
from reportgen.sections.predictions_gallery import gallery_blocks  # noqa: E402
from tests.evidence_builder import make_artifacts, make_kept, make_output  # noqa: E402


def with_pictures(side: int, channels: int) -> Artifacts:
    """Return the evidence of a classifier with 100 kept pictures."""
    output = make_output("multiclass", n=100)
    ramp = np.linspace(0, 255, side, dtype=np.float32)
    waves = [np.add.outer(np.roll(ramp, i * 3), np.roll(ramp, i * 7)) / 2 for i in range(100)]
    pixels = np.repeat(np.stack(waves)[..., None], channels, axis=3).astype(np.uint8)
    artifacts = make_artifacts("multiclass", n=100)
    assert artifacts.worker is not None
    kept = make_kept([output], pixels, worst=50, seeded=100)
    return replace(artifacts, worker=replace(artifacts.worker, outputs=(output[0],), kept=kept))


def draw_grid(artifacts: Artifacts) -> int:
    """Build and encode the grid; return how many pictures it holds."""
    easel = Easel()
    blocks = gallery_blocks(make_view(artifacts, Context(easel.draw), 0), say_class)
    gallery = next(block for block in blocks if isinstance(block, Gallery))
    return sum(card.image is not None for card in gallery.samples)


def draw_matrix(artifacts: Artifacts, classes: int) -> int:
    """Build and draw the confusion matrix of all classes; return its number of rows."""
    easel = Easel()
    view = make_view(artifacts, Context(easel.draw), 0)
    block = next(block for block in confusion_blocks(view) if isinstance(block, Matrix))
    if len(block.rows) < classes:  # the page shows the worst 30 of many: draw them all, as asked
        whole = view.accumulator.block(classes)
        names = tuple(view.class_name(label) for label in whole.classes)
        block = replace(block, rows=names, columns=names, counts=Column.pack(whole.counts, "<i8"))
    section = easel.finish(Section("predictions", "Predictions", "shown", "", (block,)))
    drawn = section.blocks[0]
    assert isinstance(drawn, Matrix) and drawn.figure is not None
    return len(drawn.rows)


def median_ms(run: Callable[[], int], wanted: int, runs: int) -> tuple[float, float]:
    """Return the median wall and CPU ms of a run, after one that is not counted; every run must draw all of it."""
    times = []
    for turn in range(runs + 1):
        started, used = time.perf_counter(), time.process_time()
        found = run()
        if found != wanted:
            sys.exit(f"expected {wanted} parts, found {found}")
        if turn:
            times.append((1000 * (time.perf_counter() - started), 1000 * (time.process_time() - used)))
    wall, cpu = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(cpu)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"\nfigures: median of {runs} runs in one process, after one that is not counted")
    for side, channels in ((28, 1), (32, 3), (64, 3), (224, 3)):
        artifacts = with_pictures(side, channels)
        wall, cpu = median_ms(lambda a=artifacts: draw_grid(a), 100, runs)
        name = f"grid of 100 images, {side} x {side} x {channels}"
        print(f"  {name:36} {wall:8.1f} ms, CPU {cpu:7.1f} ms   (aim: 50 ms)")
    for classes in (10, 30, 100):
        artifacts = make_artifacts("multiclass", classes=classes, n=100 * classes, quality=0.8)
        wall, cpu = median_ms(lambda a=artifacts, c=classes: draw_matrix(a, c), classes, runs)
        print(f"  {f'matrix of {classes} classes':36} {wall:8.1f} ms, CPU {cpu:7.1f} ms   (aim for 100: 300 ms)")


if __name__ == "__main__":
    main()
