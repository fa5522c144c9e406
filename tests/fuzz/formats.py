"""The formats that are fuzzed: sound examples, cases made with knowledge of the format, and what reads them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from reportgen.inputs import keras_names
from tests.fuzz.mutate import ODD, Random, mutate_bytes, mutate_tree, to_json
from tests.inputs.model_files import dense, layer, sequential, weights_bytes

ROOT = Path(__file__).resolve().parents[2]
WORDS = (
    "Dense",
    "Lambda",
    "function",
    "TFSMLayer",
    "Functional",
    "os",
    "keras.src.utils",
    "builtins",
    "keras.layers",
    "class_name",
    "config",
    "module",
    "registered_name",
    "build_config",
    "inbound_nodes",
    "vocabulary",
    "shared_object_id",
    "layers",
    "name",
    "__keras_tensor__",
    "__lambda__",
    "input_layers",
    "output_layers",
    "units",
    "keras.ops.numpy",
    "Operation",
)


@dataclass(frozen=True)
class Format:
    """A format: its files' suffix, sound files, one structured case by lot, and what reads a file."""

    suffix: str
    sound: Callable[[], tuple[bytes, ...]]
    structured: Callable[[Random], bytes]
    read: Callable[[Path], None]
    inner: Callable[[bytes, Random], bytes] | None = None


def model_config() -> dict[str, Any]:
    """Return a model's config with many kinds of layer, nested models and operations."""
    config = sequential(
        layer("Conv2D", name="conv", filters=2, kernel_size=[3, 3]),
        layer("LSTM", name="lstm", units=3),
        layer("Embedding", name="embedding", input_dim=9, output_dim=3),
        layer("Bidirectional", name="both", layer=layer("GRU", units=2)),
        layer("TextVectorization", name="text", vocabulary=["a", "b"]),
        sequential(dense("inner")),
        dense("last", activation={"module": "keras.activations", "class_name": "function", "config": "relu"}),
    )
    config["config"] |= {"input_layers": ["input", 0, 0], "output_layers": [["last", 0, 0]]}
    return config


def pack(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return a zip file's members."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def mutate_member(data: bytes, random: Random) -> bytes:
    """Return a zip file one of whose members is a mutant, its checksum right."""
    members = unpack(data)
    name = list(members)[int(random.integers(0, len(members)))]
    members[name] = mutate_bytes(members[name], random)
    return pack(members)


@cache
def sound_keras() -> tuple[bytes, ...]:
    """Return a model written by hand and one that Keras wrote."""
    made = pack({"metadata.json": b"{}", "config.json": to_json(model_config()), "model.weights.h5": weights_bytes()})
    return made, (ROOT / "examples" / "diabetes" / "model.keras").read_bytes()


def structured_keras(random: Random) -> bytes:
    """Return a .keras file with a mutated config, or odd members, or other weights."""
    whole = unpack(sound_keras()[int(random.integers(0, 2))])
    layers = (*WORDS, *sorted(keras_names.LAYERS)[:: int(random.integers(5, 40))])
    config = mutate_tree(json.loads(whole["config.json"]), random, layers)
    whole["config.json"] = to_json(config)
    if random.random() < 0.2:
        whole["metadata.json"] = to_json(ODD[int(random.integers(0, len(ODD)))])
    if random.random() < 0.3:
        whole["model.weights.h5"] = structured_h5(random)
    if random.random() < 0.2:
        names = ("../x", "/x", "a\\..\\b", "config.json/", "a\x00b", "é" * 200, "C:x", "model.weights.h5 ")
        whole[names[int(random.integers(0, len(names)))]] = b"x" * int(random.integers(0, 50))
    if random.random() < 0.1:
        whole.pop(list(whole)[int(random.integers(0, len(whole)))])
    return pack(whole, zipfile.ZIP_DEFLATED if random.random() < 0.3 else zipfile.ZIP_STORED)


def h5_bytes(fill: Callable[[h5py.File], None], **how: Any) -> bytes:
    """Return an HDF5 file."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **how) as file:
        fill(file)
    return stream.getvalue()


@cache
def sound_h5() -> tuple[bytes, ...]:
    """Return model files in the old and the new layout of HDF5."""

    def fill(file: h5py.File) -> None:
        file.attrs["model_config"] = json.dumps(model_config())
        file.attrs["keras_version"] = b"2.15.0"
        group = file.create_group("model_weights/dense/dense")
        group["kernel:0"] = np.ones((4, 3), "f4")
        group.create_dataset("chunked", data=np.ones((20, 20), "f4"), chunks=(5, 5), compression="gzip")
        file["model_weights"].attrs["layer_names"] = [b"dense"]

    return h5_bytes(fill), h5_bytes(fill, libver="latest")


def structured_h5(random: Random) -> bytes:
    """Return an HDF5 file of odd links, datasets and attributes."""

    def fill(file: h5py.File) -> None:
        config = mutate_tree(model_config(), random, WORDS)
        values: tuple[Any, ...] = (
            to_json(config)[:60_000],
            3,
            b"",
            np.arange(5),
            "text",
            np.bytes_(b"x" * 100),
            [b"a", b"b"],
        )
        file.attrs["model_config"] = values[int(random.choice(len(values), p=(0.7, *([0.05] * 6))))]
        group = file
        for depth in range(int(random.choice((1, 2, 5, 40)))):
            group = group.create_group(f"{depth}" if random.random() < 0.8 else "é/\u202e" * 3)
        for number in range(int(random.integers(0, 6))):
            add_odd(group, str(number), random)

    try:
        return h5_bytes(fill, libver=("earliest", "latest")[int(random.integers(0, 2))])
    except (OSError, ValueError, RuntimeError):
        return sound_h5()[0]


def add_odd(group: Any, name: str, random: Random) -> None:
    """Add a link or dataset of an odd kind."""
    match int(random.integers(0, 10)):
        case 0:
            group[name] = h5py.SoftLink("/nowhere/../else")
        case 1:
            group[name] = h5py.ExternalLink("/etc/passwd", "/x")
        case 2:
            layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
            layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
            group.create_virtual_dataset(name, layout)
        case 3:
            group.create_dataset(name, shape=(4,), dtype="f4", external=[("/etc/hostname", 0, 16)])
        case 4:
            group.create_dataset(name, shape=(2**40,), dtype="f8", chunks=(2**10,))
        case 5:
            group.create_dataset(name, shape=(0, 3), maxshape=(None, 3), dtype="i1")
        case 6:
            group[name] = np.array(["a", "bb"], dtype=object)
        case 7:
            group.create_dataset(name, data=np.zeros((3,), dtype=[("a", "f4"), ("b", "i8", (2,))]))
        case 8:
            group[name] = h5py.Empty("f4")
        case _:
            group[name] = np.zeros((2,) * int(random.integers(0, 9)), "f2")


@cache
def sound_npz() -> tuple[bytes, ...]:
    """Return batches, plain and packed."""
    random = np.random.default_rng(1)
    arrays = {"x": random.random((5, 3), "f4"), "y": np.arange(5), "ids": np.array(list("abcde"))}
    found = []
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, **arrays)
        found.append(stream.getvalue())
    return tuple(found)


def npy_bytes(random: Random) -> bytes:
    """Return an NPY member whose header lies or whose type is odd."""
    types = (
        "<f4",
        ">i8",
        "|b1",
        "<U7",
        "|S3",
        "<c8",
        "|V2",
        "|O",
        "<M8[s]",
        "f4,i8",
        "<f16",
        "",
        "zzz",
        "(2,3)f4",
        ">U0",
    )
    shapes = (
        (5, 3),
        (5,),
        (),
        (0,),
        (5, 0),
        (2**40, 3),
        (-1,),
        (5, 3.0),
        "x",
        (5, 2**62, 2**62),
        (True,),
        [5, 3],
        (5,) * 40,
    )
    descr = types[int(random.integers(0, len(types)))]
    shape = shapes[int(random.integers(0, len(shapes)))]
    order = (False, True, 1, None)[int(random.integers(0, 4))]
    head = repr({"descr": descr, "fortran_order": order, "shape": shape})
    if random.random() < 0.2:
        head = mutate_bytes(head.encode(), random).decode("latin-1")
    text = head.encode("latin-1", "replace") + b" " * int(random.integers(0, 80)) + b"\n"
    length = len(text) if random.random() < 0.9 else int(random.integers(0, 2**16))
    version = bytes([int(random.choice((1, 1, 1, 2, 3, 9))), 0])
    size = length.to_bytes(2 if version[0] == 1 else 4, "little")
    return b"\x93NUMPY" + version + size + text + b"\x00" * int(random.choice((0, 20, 60, 40, 400)))


def structured_npz(random: Random) -> bytes:
    """Return an NPZ file with odd arrays under the names that are looked for."""
    members = unpack(sound_npz()[0])
    for name in ("x.npy", "y.npy", "ids.npy", "../z.npy"):
        if random.random() < 0.4:
            members[name] = npy_bytes(random)
    if random.random() < 0.1:
        members.pop(next(iter(members)))
    return pack(members, zipfile.ZIP_DEFLATED if random.random() < 0.3 else zipfile.ZIP_STORED)


HISTORY = {"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.9, float("nan")], "epoch": [0, 1, 2], "acc": [0.1, 0.2, 0.3]}


def sound_json() -> tuple[bytes, ...]:
    """Return histories as Keras users save them."""
    lines = b"\n".join(to_json({"epoch": i, "loss": 1 / (i + 1)}) for i in range(4))
    return to_json(HISTORY), to_json({"history": HISTORY, "epoch": [0, 1, 2], "params": {"epochs": 3}}), lines


def structured_json(random: Random) -> bytes:
    """Return a history tree with odd parts."""
    names = ("loss", "val_loss", "epoch", "lr", "acc", "val_", "", "\x00", "history", "params", "__class__")
    tree = mutate_tree(json.loads(sound_json()[int(random.integers(0, 2))]), random, names)
    return to_json(tree)


def sound_csv() -> tuple[bytes, ...]:
    """Return logs of CSVLogger, one of a resumed run."""
    return (
        b"epoch,loss,val_loss\n0,1.0,1.1\n1,0.5,0.9\n2,0.4,nan\n",
        b"\xef\xbb\xbfepoch;loss;acc\r\n0;1,0;0,1\r\n1;0,5;0,2\r\n0;0,4;0,3\r\n",
        b'epoch\tloss\t"val ""x"""\n0\t1\t2\n1\t1\t2\n',
    )


def structured_csv(random: Random) -> bytes:
    """Return a table with odd cells, rows, separators and line ends."""
    cells = (
        "",
        "1",
        "0.5",
        "nan",
        "inf",
        "-1e999",
        "1e308",
        "x",
        '"',
        '""',
        '"a,b"',
        "\x00",
        "1,5",
        "é",
        "9" * 400,
        "None",
        "[1]",
        "=1+1",
        " ",
        "1_000",
        "٣",
        "\u2028",
        "2**9",
    )
    comma = (",", ";", "\t", "|", " ", ",,")[int(random.integers(0, 6))]
    end = ("\n", "\r\n", "\r", "\n\n", "\x0b")[int(random.choice(5, p=(0.6, 0.2, 0.1, 0.05, 0.05)))]
    width = int(random.integers(0, 7))
    rows = [comma.join(("epoch", "loss", "val_loss", "lr", "", "loss", "\u202e")[:width])]
    for number in range(int(random.integers(0, 12))):
        wide = width if random.random() < 0.9 else int(random.integers(0, 9))
        chosen = [
            cells[int(random.integers(0, len(cells)))] if random.random() < 0.3 else str(number) for _ in range(wide)
        ]
        rows.append(comma.join(chosen))
    return end.join(rows).encode("utf-8", "surrogatepass")


@cache
def sound_yaml() -> tuple[bytes, ...]:
    """Return the shipped configurations."""
    files = [*(ROOT / "configs").glob("*.yaml"), ROOT / "examples" / "digits" / "config.yaml"]
    return tuple(path.read_bytes() for path in sorted(files))


def structured_yaml(random: Random) -> bytes:
    """Return a configuration with odd values, keys, anchors and tags."""
    sound = [tree for tree in map(yaml.safe_load, sound_yaml()) if isinstance(tree, dict)]
    keys = (
        "model",
        "batch",
        "history",
        "gates",
        "checks",
        "python",
        "plugins",
        "builder",
        "limits",
        "predictions",
        "title",
    )
    tree = mutate_tree(sound[int(random.integers(0, len(sound)))], random, keys)
    try:
        text = yaml.safe_dump(tree, allow_unicode=bool(random.integers(0, 2)), default_flow_style=None)
    except (RecursionError, yaml.YAMLError, UnicodeError):
        text = "a: &a [*a]\n"
    extra = (
        "",
        "",
        "",
        "x: &x [*x]\n",
        "y: !!python/object/apply:os.system [id]\n",
        "<<: {model: m}\n",
        "---\n",
        "\tz: 1\n",
        "? [a]\n: b\n",
        "2020-01-01: 1\n",
        "? !!binary aGk=\n: 1\n",
        "title: !!set {a}\n",
        "seed: 0x" + "f" * 300 + "\n",
        "seed: 1:2:3\n",
        "title: !!float .nan\n",
    )
    return (text + extra[int(random.integers(0, len(extra)))]).encode("utf-8", "surrogatepass")


@cache
def sound_report() -> tuple[bytes, ...]:
    """Return a saved report as JSON and as a page."""
    from reportgen.renderers import html
    from reportgen.report import json_text
    from tests.sample_report import make_report

    report = make_report()
    return json_text.to_json(report).encode(), html.render(report).encode()


def structured_report(random: Random) -> bytes:
    """Return a report's data with odd parts."""
    words = (
        "type",
        "table",
        "chart",
        "card",
        "html",
        "blocks",
        "sections",
        "assets",
        "missing",
        "data",
        "schema_version",
    )
    return to_json(mutate_tree(json.loads(sound_report()[0]), random, words))


def read_model(path: Path) -> None:
    """Read a model file as the preflight does."""
    from reportgen.inputs.ends import describe_ends
    from reportgen.inputs.preflight import inspect_model

    describe_ends(inspect_model(path).config)


def read_batch(path: Path) -> None:
    """Read a batch as the preflight does, and then whole, as the worker does."""
    from reportgen.config_batch import Batch
    from reportgen.inputs.batch import describe_batch
    from reportgen.worker.batch.npz import open_npz

    spec = describe_batch(Batch.model_construct(**{**_BATCH(), "path": path}))
    for chunk in open_npz(spec).read(2):
        assert len(chunk.inputs) == 1


@cache
def _batch_defaults() -> dict[str, Any]:
    """Return the fields of a batch as a configuration gives them."""
    from reportgen.config_batch import Batch

    batch = Batch.model_validate({"path": "x.npz", "x": "x", "y": "y", "ids": "ids"})
    return {name: getattr(batch, name) for name in Batch.model_fields}


_BATCH = _batch_defaults


def read_history(path: Path) -> None:
    """Read a history and compute what the training section stands on."""
    from reportgen.analysis.curves import analyse
    from reportgen.inputs.history import load_history
    from reportgen.sections.training import history_series

    history = load_history(path)
    analyse(history)
    history_series(history)


def read_config(path: Path) -> None:
    """Read a configuration."""
    from reportgen.config import load_config

    load_config(path, environment={})


def read_saved_report(path: Path) -> None:
    """Read a saved report; what was read can be written again."""
    from reportgen.renderers import RENDERERS
    from reportgen.report.read import read_report

    report = read_report(path)
    RENDERERS["junit"].render(report)


FORMATS: dict[str, Format] = {
    "keras": Format(".keras", sound_keras, structured_keras, read_model, mutate_member),
    "h5": Format(".h5", sound_h5, structured_h5, read_model),
    "npz": Format(".npz", sound_npz, structured_npz, read_batch, mutate_member),
    "history-json": Format(".json", sound_json, structured_json, read_history),
    "history-csv": Format(".csv", sound_csv, structured_csv, read_history),
    "yaml": Format(".yaml", sound_yaml, structured_yaml, read_config),
    "report": Format(".json", sound_report, structured_report, read_saved_report),
}
