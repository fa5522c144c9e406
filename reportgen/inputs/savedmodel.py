"""A SavedModel folder, looked at without TensorFlow: which operations it holds, before anything may run them."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from reportgen.errors import InputRefused
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.protobuf import NotAMessage, parts
from reportgen.inputs.trust import Trust

GRAPH_FILE = "saved_model.pb"
FILES_LIMIT = 10_000
# Operations that reach outside of the computation: files, the screen, Python, the network.
REACHING = re.compile(
    r"(?:Read|Write|Delete|Rename|Copy)File|MatchingFiles|.*Reader(?:V\d)?|Print(?:V2)?|(?:Eager)?PyFunc(?:Stateless)?"
    r"|.*FromTextFile(?:V\d)?|TextLineDataset|TFRecordDataset(?:V\d)?|FixedLengthRecordDataset(?:V\d)?|SqlDataset"
    r"|(?:Load|Save)Dataset(?:V\d)?|.*Summary.*Writer|Write.*Summary|Rpc.*|.*Server.*|LoadTPU.*|TfLiteSubgraphExecute"
)
_SAVE = "save the whole model: model.save('model.keras')"


def is_saved_model(path: Path) -> bool:
    """Tell a SavedModel folder from files and other folders."""
    return path.is_dir() and (path / GRAPH_FILE).exists()


def inspect_saved_model(path: Path, trust: Trust) -> tuple[str, ...]:
    """Return what a report should say about a trusted SavedModel. Raises InputRefused for anything else.

    Its operations can do whatever TensorFlow can, so it needs `--trust=savedmodel`; those that reach outside are named.
    """
    name = shown(path)
    for file in _files(path, name):
        if file.is_symlink() and not file.resolve().is_relative_to(path.resolve()):
            raise InputRefused(f"{name}: `{file.relative_to(path)}` is a link that leads outside the folder: refused")
    found = sorted({operation for operation in read_operations(path / GRAPH_FILE) if REACHING.fullmatch(operation)})
    reaching = f"; it holds operations that read, write or print: {', '.join(found[:12])}" if found else ""
    if "savedmodel" not in trust:
        text = "is a SavedModel folder, whose operations can do anything: it needs --trust=savedmodel"
        raise InputRefused(f"{name}: {text}{reaching}; or {_SAVE}")
    return (f"The SavedModel was trusted{reaching}.",) if found else ()


def _files(path: Path, name: str) -> Iterator[Path]:
    """Yield what lies in the folder, without following links to folders; refuses too much."""
    for number, file in enumerate(path.rglob("*")):
        if number > FILES_LIMIT:
            raise InputRefused(f"{name}: holds more than {FILES_LIMIT:,} files; is it a SavedModel?")
        yield file


def read_operations(path: Path) -> set[str]:
    """Return the names of all operations in a `saved_model.pb`. Raises InputRefused when it is none."""
    check_file(path, "the model's graph")
    try:
        with path.open("rb") as stream:
            return _operations(memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)))
    except NotAMessage as error:
        text = f"corrupt ({error}); copy or export the model again"
        raise InputRefused(f"{shown(path)}: {text}") from None


def _operations(data: memoryview) -> set[str]:
    """Walk SavedModel > meta_graphs > graph_def > nodes, and the functions of its library."""
    found: set[str] = set()
    for meta in parts(data, 2):
        for graph in parts(meta, 2):
            nodes = [*parts(graph, 1)]
            for library in parts(graph, 2):
                for function in parts(library, 1):
                    nodes += parts(function, 3)
            for node in nodes:
                found |= {bytes(text).decode("utf-8", "replace")[:100] for text in parts(node, 2)}
    if not found:
        raise NotAMessage("it holds no graph")
    return found
