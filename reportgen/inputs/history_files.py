"""Which files the history is read from: those that are named, stitched if several, or one found beside the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reportgen.analysis.history import Curve, History
from reportgen.analysis.problem import Problem
from reportgen.errors import InputRefused
from reportgen.inputs.files import shown
from reportgen.inputs.history import load_history
from reportgen.inputs.history_tensorboard import NoLogs
from reportgen.inputs.trust import NOTHING, Trust

NAMES = ("history", "training_history", "train_history", "training", "training_log", "train_log", "log")
SUFFIXES = (".json", ".jsonl", ".csv", ".log", ".npz")
FOLDERS = ("logs", "log", "tensorboard", "tb_logs")


def find_history(model: Path) -> Path | None:
    """Return the history that lies inside a model folder or beside a model file without being named, or None.

    Files named after the model come first, then those called history, training or log, then TensorBoard folders.
    """
    places = [model, model.parent] if model.is_dir() else [model.parent]
    stem = model.name.partition(".")[0]
    names = [f"{stem}_history", f"{stem}.history", f"{stem}_log", *NAMES]
    for place in places:
        for name in names:
            for suffix in SUFFIXES:
                if (place / f"{name}{suffix}").is_file():
                    return place / f"{name}{suffix}"
        for name in FOLDERS:
            if any((place / name).glob("**/*tfevents*")):
                return place / name
    return None


def load_histories(paths: Sequence[Path], trust: Trust = NOTHING) -> tuple[History | None, tuple[Problem, ...]]:
    """Read the pieces of one run and stitch them; a log folder that is missing or empty is a problem, not a refusal.

    Raises InputRefused for files that cannot be read.
    """
    found, problems = [], []
    for path in paths:
        try:
            if not path.exists() and not path.suffix:
                raise NoLogs(f"{shown(path)}: there is no such folder.")
            found.append(load_history(path, trust))
        except NoLogs as error:
            fix = "Name the folder that the TensorBoard callback wrote: TensorBoard(log_dir=...)."
            problems.append(Problem("history", str(error), fix))
    return (stitch(found) if found else None), tuple(problems)


def load_found(path: Path, trust: Trust = NOTHING) -> tuple[History | None, tuple[Problem, ...]]:
    """Read a history that nobody named, and say so; what cannot be read is told instead of refused."""
    try:
        history = load_history(path, trust)
    except (InputRefused, NoLogs) as error:
        text = f"The file found beside the model is no history that can be read: {error}"
        return None, (Problem("history", text, "Name the history in the configuration, or write `history: []`."),)
    note = f"The history was not named; {shown(path)} was found with the model."
    return replace(history, notes=(note, *history.notes)), ()


def stitch(pieces: Sequence[History]) -> History:
    """Return one history from the pieces of a resumed run, in their order.

    A piece that counts from 1 follows the one before it; one that begins in the middle replaces what was trained again
    from there on; one that begins later follows, whatever is missing between.
    """
    if len(pieces) == 1:
        return pieces[0]
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    seams: list[int] = []
    notes: list[str] = []
    last = lost = 0
    for piece in pieces:
        notes += [f"{piece.source}: {note}" for note in piece.notes]
        starts = [int(curve.epochs[0]) for curve in piece.curves if curve.epochs.size]
        if not starts:
            continue
        first = min(starts)
        shift = last if first <= 1 else 0
        if last:
            seams.append(first + shift)
        if first > last + 1:
            notes.append(
                f"{piece.source} begins at epoch {first}; nothing is recorded of the epochs from {last + 1} on."
            )
        lost += _cut(curves, first + shift)
        seams += [seam + shift for seam in piece.seams]
        for curve in piece.curves:
            curves.setdefault(curve.name, []).append((curve.epochs + shift, curve.values))
        last = max(int(curve.epochs[-1]) for curve in piece.curves if curve.epochs.size) + shift
    if lost:
        were = "epoch was" if lost == 1 else "epochs were"
        notes.append(f"{lost} {were} trained again after resuming; the later values are shown.")
    joined = tuple(
        Curve(name, np.concatenate([e for e, _ in parts]), np.concatenate([v for _, v in parts]))
        for name, parts in curves.items()
    )
    notes.insert(0, f"Stitched from {len(pieces)} files; the run continues at epoch {_some(seams)}.")
    restored = pieces[-1].restored_epoch
    return History(
        ", ".join(piece.source for piece in pieces), joined, tuple(sorted(set(seams))), restored, tuple(notes)
    )


def _some(epochs: Sequence[int]) -> str:
    """Write the first ten epochs."""
    return ", ".join(map(str, epochs[:10])) + (", ..." if len(epochs) > 10 else "")


def _cut(curves: dict[str, list[tuple[np.ndarray, np.ndarray]]], first: int) -> int:
    """Drop everything from an epoch on; return how many epochs that were."""
    dropped: set[int] = set()
    for parts in curves.values():
        for index in reversed(range(len(parts))):
            epochs, values = parts[index]
            keep = epochs < first
            if epochs.size and keep.all():
                break  # each part follows the one before it
            dropped |= {int(epoch) for epoch in epochs[~keep]}
            parts[index] = (epochs[keep], values[keep])
    return len(dropped)
