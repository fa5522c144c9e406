"""BAD_INPUTS 1-28, 34, 49-67, 84-91, 108: bad inputs as whole builds, all of them in one call of the command.

Each configuration has its own files and its own output folder. The worker starts while inputs are still being checked,
so what is refused must also end it: nothing of it may be left, nor any file outside the output.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reportgen.report.read import read_report
from tests.faults.case import Case, Ended
from tests.inputs.event_files import write_events
from tests.inputs.model_files import dense, layer, sequential, weights_bytes, write_h5, write_keras
from tests.inputs.test_model_config import LAMBDA, functional
from tests.inputs.test_model_hdf5 import external, external_link, many_large, one_huge, soft_link, virtual

pytestmark = pytest.mark.slow
WITHIN = 10.0  # seconds each
MADE = {"path": "p.npz", "y_true": "y", "y_pred": "p"}


@dataclass(frozen=True)
class Bad:
    """One bad input: what makes it (a function of its folder), the rest of the configuration, what must be said.

    `text` is a whole configuration instead. `code` 0 means a report: then the words stand in its data. Where `written`
    is true there is a report beside the refusal.
    """

    words: tuple[str, ...]
    make: Callable[[Path], object] = lambda path: None
    keys: dict[str, Any] = field(default_factory=dict)
    text: str | bytes = ""
    code: int = 3
    written: bool = False


def model(config: dict[str, Any], *words: str, **more: Any) -> Bad:
    """A .keras file with this config."""
    return Bad(("m.keras", *words), lambda path: write_keras(path / "m.keras", config, **more), {"model": "m.keras"})


def weights(fill: Callable[[h5py.File], None], *words: str) -> Bad:
    """A .keras file with these weights."""
    return model(sequential(dense()), "model.weights.h5", *words, weights=weights_bytes(fill))


def file(name: str, make: Callable[[Path], object], *words: str) -> Bad:
    """A model of this name, made by a function of its path."""
    return Bad((name, *words), lambda path: make(path / name), {"model": name})


def history(name: str, data: str | bytes | Callable[[Path], object], *words: str, code: int = 0) -> Bad:
    """A history beside predictions made elsewhere."""

    def make(path: Path) -> None:
        """Write both."""
        made = np.random.default_rng(0)
        np.savez(path / "p.npz", y=np.arange(40) % 2, p=made.random(40))
        if isinstance(data, str | bytes):
            (path / name).write_bytes(data.encode() if isinstance(data, str) else data)
        else:
            data(path / name)

    return Bad(words, make, {"predictions": MADE, "history": name}, code=code)


def batch(make: Callable[[Path], object], spec: dict[str, Any], *words: str) -> Bad:
    """A batch beside a plain model."""

    def both(path: Path) -> None:
        """Write both."""
        write_keras(path / "m.keras")
        make(path)

    return Bad(words, both, {"model": "m.keras", "batch": spec})


def look(name: str, source: str, *words: str) -> Bad:
    """A template of one's own, on predictions made elsewhere."""

    def make(path: Path) -> None:
        """Write predictions and template."""
        np.savez(path / "p.npz", y=np.arange(40) % 2, p=np.linspace(0.1, 0.9, 40))
        target = path / "house" / name
        target.parent.mkdir(parents=True)
        if source:
            target.write_text(source, encoding="utf-8")
        else:
            target.symlink_to("/etc/hostname")

    keys = {"predictions": MADE, "history": [], "theme": {"templates": "house"}, "gates": {"accuracy": {"min": 0}}}
    return Bad(words, make, keys, written=bool(source))


def bomb(path: Path) -> None:
    """Write a small file whose config.json unpacks to 300 MB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("config.json", "w") as member,
    ):
        for _ in range(300):
            member.write(b" " * (1 << 20))


def twice(path: Path) -> None:
    """Write a file with two members of one name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_keras(path, extra={"config.json": b"{}"})


def linked(path: Path) -> None:
    """Write a file with a symbolic link as member."""
    write_keras(path)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")


def changed(path: Path, change: Callable[[bytearray], object]) -> None:
    """Write a .keras file and change its bytes."""
    data = bytearray(write_keras(path).read_bytes())
    change(data)
    path.write_bytes(data)


def two_sides(logs: Path) -> None:
    """Write TensorBoard logs of training and validation, one as TF1 writes them and one as TF2 does."""
    write_events(logs / "train", {"epoch_loss": [3.0, 2.0], "epoch_acc": [0.5, 0.6]}, "simple")
    write_events(logs / "validation", {"epoch_loss": [4.0, 3.0]}, "tensor")


def two_runs(logs: Path) -> None:
    """Write the logs of two runs, b the newer."""
    for run, time in (("a", 1_700_000_000), ("b", 1_700_009_000)):
        write_events(logs / run / "train", {"epoch_loss": [3.0, 2.0]}, time=time)


def encrypt(data: bytearray) -> None:
    """Mark the first member as encrypted."""
    data[data.index(b"PK\x01\x02") + 8] |= 1


def flip(data: bytearray) -> None:
    """Flip one bit of config.json."""
    data[data.index(b'"class_name"') + 3] ^= 1


def cut(data: bytearray) -> None:
    """Cut the end off."""
    del data[-100:]


def npz(path: Path, **arrays: Any) -> None:
    """Write t.npz."""
    np.savez(path / "t.npz", **arrays)


def raw_npz(path: Path, shape: str, **how: Any) -> None:
    """Write t.npz whose array `x` has a header and few bytes."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with zipfile.ZipFile(path / "t.npz", "w", **how) as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(64))


X, X_Y = {"path": "t.npz", "x": "x"}, {"path": "t.npz", "x": "x", "y": "y"}
FOUR = np.zeros((6, 4), "f4")
ALIASES = "a: &a [x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcd", "bcde", strict=True)
)
GATES = "parts/gates.html.jinja"
CASES: dict[str, Bad] = {
    "1 lambda": model(sequential(layer("Lambda", name="lam", function=LAMBDA), dense()), "`lam`", "--trust=lambda"),
    "1 activation": model(sequential(dense("out", activation=LAMBDA)), "`out`", "--trust=lambda"),
    "2 h5": file("m.h5", lambda p: write_h5(p, sequential(layer("Lambda", name="lam", function=LAMBDA))), "`lam`"),
    "3 module": model(sequential(layer("system", "os")), "os"),
    "4 function": model(sequential(dense(activation={"module": "keras.utils", "class_name": "function", "config": "get_file"})), "get_file"),
    "5 node": model(functional(layer("Operation", "keras.src.ops.operation", name="op"), dense()), "Operation"),
    "6 custom": model(sequential(layer("Swirl", "my.layers"), dense()), "Swirl", "custom_objects"),
    "8 vocabulary": model(sequential(layer("StringLookup", name="words", vocabulary="/etc/passwd")), "`words`", "a file outside"),
    "9 tfsm": model(sequential(layer("TFSMLayer", filepath="/tmp/x")), "TFSMLayer"),
    "10 saved model": file("saved", lambda p: (p.mkdir(), (p / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")), "saved"),
    "12 external": weights(external, "external dataset"),
    "13 virtual": weights(virtual, "virtual dataset"),
    "14 external link": weights(external_link, "external link"),
    "14 soft link": weights(soft_link, "soft link"),
    "15 shape bomb": weights(one_huge, "17,179,869,184"),
    "16 many": weights(many_large, "6,291,456,"),
    "17 zip bomb": file("m.keras", bomb, "`config.json`", "314,572,800", "16,777,216"),
    "18 slip": model(sequential(dense()), "../../evil.txt", "leads outside", extra={"../../evil.txt": b"x"}),
    "18 absolute": model(sequential(dense()), "/etc/evil", "absolute", extra={"/etc/evil": b"x"}),
    "19 twice": file("m.keras", twice, "`config.json`", "stands twice"),
    "19 link": file("m.keras", linked, "`assets/link`", "symbolic link"),
    "19 encrypted": file("m.keras", lambda p: changed(p, encrypt), "encrypted"),
    "20 units": model(sequential(dense(units=200_000_000, channels=20)), "bytes"),
    "21 deep": model({}, "config.json", "nested too deep", text='{"config":' * 100_000 + "1" + "}" * 100_000),
    "22 cut": file("m.keras", lambda p: changed(p, cut), "corrupt"),
    "23 empty": file("m.keras", lambda p: p.write_bytes(b""), "empty"),
    "24 bit": file("m.keras", lambda p: changed(p, flip), "config.json", "corrupt"),
    "26 folder": file("m.keras", lambda p: p.mkdir(), "folder"),
    "27 weights only": file("m.weights.h5", lambda p: p.write_bytes(weights_bytes()), "model.save('model.keras')"),
    "28 address": Bad(("hf://", "--trust=remote"), keys={"model": "hf://someone/model"}),
    "34 fifo": file("m.keras", os.mkfifo),
    "34 device": Bad(("/dev/zero",), keys={"model": "/dev/zero"}),
    "49 pickle": history("h.json", pickle.dumps({"loss": [1.0]}), "pickle", "json.dump", code=3),
    "50 nan": history("h.json", '{"loss": [1.0, NaN, null, 0.5]}', "`loss` is not a number in 2 of 4 epochs."),
    "51 none": history("h.json", "{}", "no epoch"),
    "52 one": history("h.json", '{"loss": [0.5]}', "epoch 1"),
    "53 many": history("h.csv", "loss\n" + "0.5\n0.25\n" * 100_000, "200,000"),
    "54 extremes": history("h.json", '{"loss": [1e308, -1e308, 1e308]}', "loss"),
    "55 ragged": history("h.json", '{"loss": [5, 4, 3, 2, 1], "val_loss": [5, 4, 3]}', "`val_loss` has 3 values"),
    "56 texts": history("h.json", '{"loss": [1, 2], "odd": ["a", "b"]}', "`odd` was left out"),
    "57 twice": history("h.json", '{"loss": [1], "loss": [2]}', "h.json", "`loss` stands twice", code=3),
    "58 alone": history("h.json", '{"val_loss": [2, 1]}', "val_loss"),
    "59 old names": history("h.json", '{"acc": [0.1, 0.5], "lr": [0.1, 0.1]}', "learning_rate"),
    "60 semicolons": history("h.csv", "\ufeffepoch;loss\r\n0;0,5\r\n1;0,25\r\n", "loss"),
    "60 nul": history("h.csv", b"epoch,loss\n0,1\n1,\x002\n", "h.csv:3:", "NUL", code=3),
    "60 field": history("h.csv", "epoch,loss\n0,1\n1," + "1" * 200_000 + "\n", "h.csv:3:", code=3),
    "61 resumed": history("h.csv", "epoch,loss\n0,5\n1,4\n0,3\n1,2\n", "resumed"),
    "63 two folders": history("logs", two_sides, "val_loss", "accuracy"),
    "65 runs": history("logs", two_runs, "Of 2 runs the newest is shown, b (not a)."),
    "66 objects": batch(lambda p: npz(p, x=FOUR, y=np.array([{}] * 6, dtype=object)), X_Y, "t.npz", "`y`", "pickle"),
    "67 claims": batch(lambda p: raw_npz(p, "(1099511627776,)"), X, "t.npz", "4,398,046,511,104"),
    "74 complex": batch(lambda p: npz(p, x=FOUR.astype("c8")), X, "t.npz", "complex"),
    "77 lengths": batch(lambda p: npz(p, x=FOUR, y=np.zeros(5)), X_Y, "6", "5"),
    "82 classes": batch(lambda p: npz(p, x=FOUR, y=np.zeros(6)), X_Y | {"classes": ["a", "b"]}, "2", "3"),
    "84 unknown": Bad((":3:3:", "`clases`", "`classes`"), text="model: m\nbatch: {path: t.npz, x: x,\n  clases: [a]}\n", code=2),
    "85 duplicate": Bad((":2:1:", "already given in line 1"), text="model: a\nmodel: c\n", code=2),
    "85 tab": Bad((":3:1:", "tab"), text="model: a\nbatch:\n\tpath: b\n", code=2),
    "85 documents": Bad((":2:1:", "second document"), text="model: a\n---\nmodel: b\n", code=2),
    "86 tag": Bad((":2:8:", "not accepted"), text="model: a\ntitle: !!python/object/apply:os.system [touch x]\n", code=2),
    "86 aliases": Bad(("anchors and aliases",), text=ALIASES, code=2),
    "86 recursion": Bad(("anchors and aliases",), text="model: &m [*m]\n", code=2),
    "87 word": Bad((":2:7:",), text="model: m\nseed: no\n", code=2),
    "87 date": Bad((":2:7:",), text="model: m\nseed: 2020-01-01\n", code=2),
    "88 utf8": Bad((":2:11:", "0xe9"), text=b"model: a\ntitle: caf\xe9\n", code=2),
    "89 undefined": look(GATES, "\n{{ titel }}", f"house/{GATES}:2:", "'titel' is undefined"),
    "90 endless page": look(GATES, "{% for i in range(99999) %}" + "x" * 10_000 + "{% endfor %}", "24 MiB"),
    "90 memory": look(GATES, "{{ 'x' * 10 ** 10 }}", "3 GiB"),
    "91 link": look(GATES, "", "link"),
    "108 python": Bad((":1:", "--trust=python"), text="python: ./evil.sh\nmodel: m\n"),
    "108 builder": Bad(("--trust=builder",), text="model: {builder: 'a.b:make', weights: w.weights.h5}\n"),
    "108 custom": Bad(("--trust=",), text="model: m\ncustom_objects: ['a.b:Swirl']\n"),
    "108 source": Bad(("--trust=",), text="model: m\nbatch: {path: 'evil:run'}\n"),
}  # fmt: skip


# Lines whose inputs are no obstacle, or need a model or a package: built through the command line by these tests.
ELSEWHERE = {
    "faults/test_model_faults.py": (7, 25, 29, 31, 32, 37, 38, 39),
    "pipeline/test_model_kinds.py": (11, 30, 35),
    "pipeline/test_build.py": (33,),
    "inputs/test_bad_batches.py": (36, 68, 69, 70, 71, 72, 73, 75, 76, 78, 79, 80, 81, 83),
    "inputs/test_history_formats.py": (62, 64),
}


def slug(name: str) -> str:
    """Return the name of a case's folder and configuration."""
    return "c" + re.sub(r"\W+", "-", name)


@dataclass(frozen=True)
class Outcome:
    """How the one command ended."""

    case: Case
    ended: Ended
    codes: dict[str, int]
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def outcome(fonts: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Build them all at once; `Case.run` sees that no process and no file is left behind."""
    case = Case(tmp_path_factory.mktemp("inputs"), fonts)
    configs = []
    for name, bad in CASES.items():
        folder = case.path / slug(name)
        folder.mkdir()
        bad.make(folder)
        keys = {"output": f"../out/{slug(name)}", "formats": ["html", "json"], **bad.keys}
        text = bad.text or json.dumps(keys)
        configs.append(case.write(f"{slug(name)}/{slug(name)}.yaml", text))
    ended = case.run("build", *configs, timeout=500)
    rows = [line.split() for line in ended.out.partition("configuration  ")[2].splitlines()[1:]]
    codes = {Path(row[0]).stem: int(row[1]) for row in rows if len(row) > 1}
    times: dict[str, float] = {}
    for line in ended.err.splitlines():
        if found := re.match(r"\[ *([\d.]+) s\] (\S+?)\.yaml: ", line):
            times[Path(found[2]).name] = float(found[1])
    assert codes, ended.err[-2000:]
    return Outcome(case, ended, codes, times)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_told_with_its_place_and_leaves_what_it_should(outcome: Outcome, name: str) -> None:
    bad, out = CASES[name], outcome.case.out / slug(name)
    assert outcome.codes[slug(name)] == bad.code
    assert outcome.seconds.get(slug(name), 0) < WITHIN
    if bad.code:
        assert out.exists() == bad.written, "a refused page is written with our own templates"
        lines = [line for line in outcome.ended.err.splitlines() if not line.startswith("[")]
        said = [line for line in lines if all(word in line for word in bad.words)]
        assert said, [line for line in lines if slug(name) in line]
    else:
        read_report(out / "report.html")
        data = (out / "report.json").read_text(encoding="utf-8")
        assert not [word for word in bad.words if word not in data]


def test_every_line_on_models_histories_batches_and_configurations_is_a_build_somewhere() -> None:
    here = {int(name.split()[0]) for name in CASES}
    assert here | {line for lines in ELSEWHERE.values() for line in lines} >= {*range(1, 40), *range(49, 92), 108}


def test_nothing_is_said_twice_and_all_are_in_the_table(outcome: Outcome) -> None:
    assert outcome.codes.keys() == {slug(name) for name in CASES}
    said = [line for line in outcome.ended.err.splitlines() if not line.startswith("[")]
    assert len(said) == sum(1 for bad in CASES.values() if bad.code)
    assert outcome.ended.code == 2, "a broken configuration comes before a refused input"
