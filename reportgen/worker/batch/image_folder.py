"""Batches in a folder of pictures: subfolders are classes, file names are ids; one chunk is decoded at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Chunk, Source
from reportgen.worker.batch.pictures import SUFFIXES, Frame, choose_frame, decode, look_at
from reportgen.worker.plan import BatchSpec

FILE_LIMIT = 2_000_000
DEPTH_LIMIT = 20
LOOKED_AT = 20_000


def open_images(spec: BatchSpec) -> Source:
    """List the pictures. Raises InputRefused when sizes differ and nothing says which one to take."""
    folder = Path(spec.path)
    classes = next(iter(spec.classes.values()), ()) if spec.y else ()
    files = list_pictures(folder, classes)
    if not files:
        return Source(0, dict.fromkeys(spec.x, (0, 0, 1)), dict.fromkeys(spec.x, "float32"), lambda size: iter(()))
    first = look_at(folder / files[0][0], files[0][0])
    frame = choose_frame(spec, first)
    models = [shape for shape in spec.shapes.values() if len(shape) == 3]
    sizes_known = bool(spec.size) or any(all(s[1:] if frame.channels_first else s[:2]) for s in models)
    if not sizes_known:
        _require_one_size(folder, files, first)

    def read(size: int) -> Iterator[Chunk]:
        """Decode consecutive files."""
        for start in range(0, len(files), size):
            part = files[start : start + size]
            pixels = np.stack([decode(folder / name, frame, name) for name, _ in part])
            labels = np.array([label for _, label in part], dtype=np.int64)
            targets = dict.fromkeys(spec.y, labels)
            yield Chunk(tuple(name for name, _ in part), dict.fromkeys(spec.x, pixels), targets)

    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(spec.x, frame.shape)
    return Source(len(files), shapes, dict.fromkeys(spec.x, "float32"), read, _note_sizes(folder, files, frame))


def _note_sizes(folder: Path, files: list[tuple[str, int]], frame: Frame) -> tuple[str, ...]:
    """Say how many pictures are brought to another size; of many, the first ones are looked at."""
    looked = files[:LOOKED_AT]
    other = sum(look_at(folder / name, name)[:2] != (frame.height, frame.width) for name, _ in looked)
    of = f"of {len(looked):,}" if len(looked) == len(files) else f"of the first {len(looked):,}"
    how = f"resized to {frame.height} x {frame.width} (bilinear, as Keras's image_dataset_from_directory does)"
    notes = (f"{other:,} {of} pictures have another size and were {how}.",) if other else ()
    return (*notes, "The channels were put first, as the model takes them.") if frame.channels_first else notes


def list_classes(folder: Path) -> tuple[str, ...]:
    """Return the names of the subfolders, sorted as `image_dataset_from_directory` sorts them."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=True)]
    return tuple(sorted(name for name in names if not name.startswith(".")))


def list_pictures(folder: Path, classes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return (path below the folder, class index) of every picture, sorted; index -1 without classes.

    Links are followed only as far as they stay inside the folder. Raises InputRefused for one that leaves it.
    """
    inside = folder.resolve()
    found: list[tuple[str, int]] = []
    for index, name in enumerate(classes) if classes else [(-1, "")]:
        if not (folder / name).resolve().is_relative_to(inside):
            raise InputRefused(f"{folder.name}: the link `{name}` leads outside the folder; copy what it names")
        for path in sorted(_walk(folder / name if name else folder, inside, 0)):
            found.append((os.path.relpath(path, folder).replace(os.sep, "/"), index))
            if len(found) > FILE_LIMIT:
                raise InputRefused(f"{folder.name}: more than {FILE_LIMIT:,} pictures; name a smaller folder")
    return found


def _walk(folder: Path, inside: Path, depth: int) -> Iterator[Path]:
    """Yield the pictures below a folder."""
    if depth > DEPTH_LIMIT:
        raise InputRefused(f"{folder.name}: folders in folders more than {DEPTH_LIMIT} deep; does a link lead back?")
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(inside):
            raise InputRefused(f"{inside.name}: the link `{entry.name}` leads outside the folder; copy what it names")
        if entry.is_dir():
            yield from _walk(Path(entry.path), inside, depth + 1)
        elif Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
            yield Path(entry.path)


def _require_one_size(folder: Path, files: list[tuple[str, int]], first: tuple[int, int, str]) -> None:
    """Refuse pictures of several sizes where neither the plan nor the model says which one to bring them to."""
    for name, _ in files[1:]:
        size = look_at(folder / name, name)
        if size[:2] != first[:2]:
            text = f"{files[0][0]} has {first[0]} x {first[1]} pixels and {name} has {size[0]} x {size[1]}"
            raise InputRefused(f"{folder.name}: {text}, and the model takes any size; set batch.size: [height, width]")
