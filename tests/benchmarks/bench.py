"""Time and memory of `reportgen build` against the by-hand script and the bare floor, in one run and one environment.

Usage: bench.py [--runs N] [--only digits|resnet50|figures|layers]. Prints medians and ratios; never a verdict.
Each command is a process of its own; the three take turns, so that a change in the machine's speed hits all alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = sys.executable
NO_GRADIENTS, NO_SALIENCY = "layers.gradients=none", "layers.saliency=none"


@dataclass
class Timed:
    """The runs of one command: wall seconds and peak memory (MB, the whole process tree's largest process)."""

    name: str
    command: list[str]
    limit: int = 1_000_000
    seconds: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def run(self, count: bool) -> None:
        """Run once; keep the figures if `count`."""
        started = time.perf_counter()
        pid = os.posix_spawn(
            self.command[0],
            self.command,
            {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
        )
        _, status, usage = os.wait4(pid, 0)
        if os.waitstatus_to_exitcode(status) not in (0, 1):
            sys.exit(f"{self.name} failed: {' '.join(self.command)}")
        if count:
            self.seconds.append(time.perf_counter() - started)
            self.peak.append(max(usage.ru_maxrss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024)

    def median(self) -> float:
        """Return the median wall time in seconds."""
        return statistics.median(self.seconds)


def take_turns(commands: list[Timed], runs: int, warm_up: bool = True) -> None:
    """Run the commands in turn: A B C A B C ..., after one uncounted round."""
    if warm_up:
        for command in commands:
            if command.limit >= runs:
                command.run(False)
    for turn in range(runs):
        for command in commands:
            if turn < command.limit:
                command.run(True)


def compare(
    title: str, folder: Path, model: Path, history: Path, batch: Path, config: Path, runs: int, by_hand: int
) -> None:
    """Print the table of one case."""
    build = [
        str(Path(PYTHON).parent / "reportgen"),
        "build",
        "--quiet",
        str(config),
        "--output",
        str(folder / "report"),
    ]
    commands = [
        Timed("reportgen build", build),
        Timed("the same without gradients, saliency", [*build, "--set", NO_GRADIENTS, "--set", NO_SALIENCY]),
        Timed("floor: import, load, one predict", [PYTHON, str(HERE / "floor.py"), str(model), str(batch)]),
        Timed(
            "by hand",
            [PYTHON, str(HERE / "by_hand.py"), str(model), str(history), str(batch), str(folder / "hand")],
            limit=by_hand,
        ),
    ]
    take_turns(commands, runs)
    ours, least, floor, hand = commands
    print(f"\n{title}: median of {runs} runs ({len(hand.seconds)} by hand)")
    for command in commands:
        print(f"  {command.name:36} {command.median():8.2f} s   peak {max(command.peak):6.0f} MB")
    for name, made in (("", ours), (", without gradients and saliency", least)):
        to_floor, to_hand = made.median() / floor.median(), made.median() / hand.median()
        print(f"  ratio to the floor {to_floor:.2f}, to by hand {to_hand:.2f}{name}")
    print(f"  report: {(folder / 'report' / 'report.html').stat().st_size / 1024:.0f} KiB")


def small_commands(runs: int) -> None:
    """Print the start-up times of the commands that need no Keras."""
    reportgen = str(Path(PYTHON).parent / "reportgen")
    commands = [
        Timed("python -c pass", [PYTHON, "-c", "pass"]),
        Timed("reportgen --help", [reportgen, "--help"]),
        Timed("reportgen check", [reportgen, "check", str(ROOT / "examples/digits/config.yaml")]),
    ]
    take_turns(commands, runs)
    print(f"\nstart-up: median of {runs} runs")
    for command in commands:
        print(f"  {command.name:34} {command.median():8.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["digits", "resnet50", "startup", "figures", "layers"])
    options = parser.parse_args()
    has_sklearn = importlib.util.find_spec("sklearn") is not None
    found = "" if has_sklearn else "not "
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; scikit-learn is {found}installed here")
    print(f"Graphviz for the by-hand script's plot_model: {shutil.which('dot') or 'none: it skips its graph'}")
    with tempfile.TemporaryDirectory(prefix="reportgen-bench-") as name:
        folder = Path(name)
        if options.only in (None, "startup"):
            small_commands(max(5, options.runs))
        if options.only in (None, "figures"):
            subprocess.run([PYTHON, str(HERE / "figures.py"), "--runs", str(options.runs)], check=True)
        if options.only in (None, "layers"):
            subprocess.run([PYTHON, str(HERE / "layers.py"), "--runs", str(options.runs)], check=True)
        if options.only in (None, "digits"):
            case = ROOT / "examples/digits"
            compare(
                "digits CNN",
                folder / "digits",
                case / "model.keras",
                case / "history.csv",
                case / "test.npz",
                case / "config.yaml",
                options.runs,
                options.runs,
            )
        if options.only in (None, "resnet50"):
            case = folder / "resnet50"
            subprocess.run([PYTHON, str(HERE / "cases.py"), str(case)], check=True)
            compare(
                "ResNet50, 64 images of 224 x 224",
                case,
                case / "model.keras",
                case / "history.csv",
                case / "test.npz",
                case / "config.yaml",
                min(3, options.runs),
                1,
            )


if __name__ == "__main__":
    main()
