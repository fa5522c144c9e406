"""What looking at the layers costs: ResNet50, 64 images, chunks of 16, warm graph, against the bare forward.

Usage: layers.py [--runs N] prints a table, each mode in a process of its own (for its peak memory); layers.py MODE
prints one mode as JSON. In one process bare and watched passes take turns over the same chunks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

MODES = ("two tiers", "two tiers, no histograms", "all")
CHUNK, IMAGES = 16, 64


def measure(mode: str, runs: int) -> dict[str, float]:
    """Return medians of wall and CPU seconds of bare and watched passes, and the peak memory in MB."""
    from reportgen.worker.quiet_import import import_keras

    keras = import_keras()
    import numpy as np

    from reportgen.worker.activations import LayerSums
    from reportgen.worker.feed import make_feed
    from reportgen.worker.layer_statistics import make_sums, watched_layers
    from reportgen.worker.runner import Runner
    from reportgen.worker.walk import walk_model

    keras.utils.set_random_seed(1)
    model = keras.applications.ResNet50(weights=None)
    images = np.random.default_rng(1).random((IMAGES, 224, 224, 3), "float32")
    feed = make_feed(model, [model.inputs[0].name], {model.inputs[0].name: (224, 224, 3)}, {model.inputs[0].name: "f4"})
    walk = walk_model(model)
    watched = watched_layers(walk)
    if mode == MODES[1]:
        LayerSums._look = lambda self, some: None  # type: ignore[method-assign]
    bare = Runner(model, feed, {}, {}, compiled=True)
    looking = Runner(model, feed, watched, make_sums(walk, watched, mode == "all"), compiled=True)
    times: dict[str, list[tuple[float, float]]] = {"bare": [], "watched": []}
    for turn in range(runs + 1):  # the first one traces
        for name, runner in (("bare", bare), ("watched", looking)):
            wall, cpu = time.perf_counter(), time.process_time()
            for start in range(0, IMAGES, CHUNK):
                runner.run([images[start : start + CHUNK]])
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    found = {
        f"{name} {what}": statistics.median(pair[i] for pair in pairs)
        for name, pairs in times.items()
        for i, what in enumerate(("wall", "cpu"))
    }
    found["wall ratio"] = statistics.median(b[0] / a[0] for a, b in zip(times["bare"], times["watched"], strict=True))
    found["cpu ratio"] = statistics.median(b[1] / a[1] for a, b in zip(times["bare"], times["watched"], strict=True))
    return found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", nargs="?", choices=MODES)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if options.mode:
        print(json.dumps(measure(options.mode, options.runs)))
        return
    print(f"\nlooking at every layer of ResNet50, {IMAGES} images, chunks of {CHUNK}: median of {options.runs} runs")
    for mode in MODES:
        command = [sys.executable, __file__, mode, "--runs", str(options.runs)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"  {mode:26} bare {row['bare wall']:6.2f} s ({row['bare cpu']:6.2f} CPU)   "
            f"watched {row['watched wall']:6.2f} s ({row['watched cpu']:6.2f} CPU)   "
            f"ratio {row['wall ratio']:.2f} ({row['cpu ratio']:.2f} CPU)   peak {row['peak']:6.0f} MB"
        )


if __name__ == "__main__":
    main()
