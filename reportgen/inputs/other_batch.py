"""Batches that are neither arrays by name nor tables: folders of pictures, TFRecord, saved datasets, functions."""

from __future__ import annotations

from pathlib import Path

from reportgen.config_batch import Batch
from reportgen.errors import InputRefused
from reportgen.inputs.described import Described, find_name
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.labels import load_class_names
from reportgen.worker.batch.image_folder import list_classes, list_pictures
from reportgen.worker.batch.pictures import look_at
from reportgen.worker.batch.tfrecord import count_records
from reportgen.worker.plan import BatchSpec, FeatureSpec

LOOKED_AT = 20_000  # headers of pictures read beforehand; the worker checks every one


def describe_images(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a folder of pictures: subfolders are classes (sorted, or in the order of batch.classes)."""
    folder, name = batch.path, shown(batch.path)
    found = list_classes(folder)
    given = batch.classes.get("") or next(iter(batch.classes.values()), None)
    classes = load_class_names(given) if given is not None and found else found
    unknown = [item for item in found if item not in classes]
    if unknown:
        raise InputRefused(f"{name}: the folder `{unknown[0]}` is none of batch.classes; add it, in training's order")
    missing = [item for item in classes if item not in found]
    if missing:
        raise InputRefused(f"{name}: the class `{missing[0]}` (batch.classes) has no folder; make an empty one")
    pictures = list_pictures(folder, classes)
    if not pictures:
        raise InputRefused(f"{name}: holds no picture (.jpg, .png, .bmp, .gif, .webp) and no other batch that is known")
    for file, _ in pictures[:LOOKED_AT]:
        look_at(folder / file, f"{name}/{file}")
    x = {next((key for key in batch.x), ""): "image"}
    y = {next((key for key in batch.y), ""): "class"} if found else {}
    spec = BatchSpec(
        str(folder),
        "images",
        x,
        y,
        ids="file",
        classes=dict.fromkeys(y, classes),
        size=batch.size or (),
        color=batch.color,
    )
    words = (f"pictures in {len(classes)} classes ({', '.join(classes[:8])})" if found else "pictures without classes",)
    return Described(spec, len(pictures), words, {})


def describe_tfrecord(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a TFRecord file by the features that the configuration says it has."""
    check_file(batch.path, "the batch")
    name = shown(batch.path)
    if not batch.tfrecord:
        text = "a TFRecord does not say what it holds; describe it: batch.tfrecord: {image: {dtype: string, ...}}"
        raise InputRefused(f"{name}: {text}")
    for role, given in (("x", batch.x), ("y", batch.y)):
        for array in given.values():
            find_name(batch.tfrecord, str(array), f"batch.{role}", "batch.tfrecord", "feature")
    if not batch.x:
        raise InputRefused(f"{name}: which feature holds the inputs? Name it: batch.x")
    if batch.ids:
        find_name(batch.tfrecord, batch.ids, "batch.ids", "batch.tfrecord", "feature")
    records = {key: FeatureSpec(f.dtype, tuple(f.shape), f.decode) for key, f in batch.tfrecord.items()}
    bad = next((key for key, f in records.items() if f.decode and f.dtype != "string"), None)
    if bad is not None:
        raise InputRefused(f"batch.tfrecord.{bad}: only bytes are decoded; say dtype: string, or leave decode out")
    x = {key: str(array) for key, array in batch.x.items()}
    y = {key: str(array) for key, array in batch.y.items()}
    spec = BatchSpec(str(batch.path), "tfrecord", x, y, ids=batch.ids, records=records)
    parts = [f"x = {array} {list(records[array].shape)}" for array in x.values()] + [f"y = {a}" for a in y.values()]
    return Described(spec, count_records(batch.path), tuple(parts), {})


def describe_dataset(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a saved tf.data dataset; what it holds is only known to TensorFlow, in the worker."""
    for path in batch.path.rglob("*") if confine is not None else ():
        if confine and path.is_symlink() and not path.resolve().is_relative_to(confine):
            raise InputRefused(f"{shown(path)}: the link leads outside {confine}, the folder of --confine")
    x, y = ({key: str(value) for key, value in part.items()} for part in (batch.x, batch.y))
    spec = BatchSpec(str(batch.path), "dataset", x or {"": ""}, y or {"": ""}, ids=batch.ids)
    return Described(spec, None, ("a saved tf.data dataset",), {})


def describe_function(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a function that the command line trusted; it is called in the worker only."""
    x, y = ({key: str(value) for key, value in part.items()} for part in (batch.x, batch.y))
    spec = BatchSpec(str(batch.path), "function", x or {"": ""}, y or {"": ""}, ids=batch.ids)
    return Described(spec, None, ("what the function returns",), {})
