"""YAML text -> plain mappings, lists and texts, with the line and column of each.

Built from PyYAML's events, one after the other: nothing is constructed, so no tag can run code; aliases are refused,
so nothing can expand; nesting is bounded, so nothing can recurse. Every scalar stays text (`no`, `1e3` and `2024-01-01`
are what the key that they stand for says they are); only an empty, `~` or `null` one is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 16
ENTRY_LIMIT = 100_000

Path_ = tuple[str | int, ...]
Value = Any  # dict[str, Value] | list[Value] | str | None
_NULL = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong: where (line and column from 1; 0: nowhere in a file) and what, as a sentence."""

    line: int
    column: int
    text: str


@dataclass(slots=True)
class Tree:
    """What a YAML text holds. `keys` and `values` say where (line, column from 1) by path in the tree.

    `whole` is False when reading had to stop: the mistake that stopped it is then all there is to say.
    """

    value: Value = None
    keys: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    whole: bool = False

    def position(self, path: Path_) -> tuple[int, int]:
        """Return where the value at `path`, or the nearest thing around it, stands."""
        for end in range(len(path), -1, -1):
            found = self.values.get(path[:end])
            if found is not None:
                return found
        return (1, 1)

    def key_position(self, path: Path_) -> tuple[int, int]:
        """Return where the key of `path` stands, or the nearest thing around it."""
        return self.keys.get(path) or self.position(path)


class _Refused(Exception):
    """Reading stops here: the rest of the file cannot be understood."""

    def __init__(self, line: int, column: int, text: str) -> None:
        super().__init__(text)
        self.mistake = Mistake(line, column, text)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read. `key` waits for its value; `twin` marks a key that was there before."""

    container: dict[str, Value] | list[Value]
    path: Path_
    key: str | None = None
    twin: str = ""


def read_yaml(data: bytes) -> Tree:
    """Read one YAML document; every mistake is in the tree's `mistakes`, nothing is raised."""
    tree = Tree()
    try:
        _build(_decode(data), tree)
        tree.whole = True
    except _Refused as stop:
        tree.mistakes.append(stop.mistake)
    except yaml.MarkedYAMLError as error:
        tree.mistakes.append(_syntax_mistake(error))
    except yaml.reader.ReaderError as error:
        tree.mistakes.append(_character_mistake(data, error))
    except yaml.YAMLError as error:
        tree.mistakes.append(Mistake(1, 1, f"not readable as YAML: {' '.join(str(error).split())}"))
    return tree


def _decode(data: bytes) -> str:
    """Return the text of a UTF-8 file, or say what else it is and where."""
    if len(data) > SIZE_LIMIT:
        raise _Refused(1, 1, f"the file has {len(data):,} bytes; a configuration may have {SIZE_LIMIT:,}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Refused(1, 1, "the file is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        text = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _Refused(line, column, text) from None


def _build(text: str, tree: Tree) -> None:
    """Fill `tree` from the text's events."""
    stack: list[_Open] = []
    documents = entries = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Refused(line, column, "a second document starts here (---); keep one a file")
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            entries += 1
            if entries > ENTRY_LIMIT:
                raise _Refused(line, column, f"more than {ENTRY_LIMIT:,} entries")
            _refuse_tricks(event, line, column)
            _place(event, stack, tree, (line, column))


def _refuse_tricks(event: Any, line: int, column: int) -> None:
    """Refuse aliases, anchors and tags: a configuration needs none, and each is a way to attack a reader."""
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise _Refused(line, column, "anchors and aliases (& and *) are not accepted; write the value out")
    tag = getattr(event, "tag", None)
    if tag not in (None, "!", "tag:yaml.org,2002:str"):
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        raise _Refused(line, column, f"the tag {shown} is not accepted; write a plain value")


def _place(event: Any, stack: list[_Open], tree: Tree, position: tuple[int, int]) -> None:
    """Put one node where it belongs: a key, or a value of the innermost open container."""
    parent = stack[-1] if stack else None
    if parent is not None and isinstance(parent.container, dict) and parent.key is None:
        _open_key(event, parent, tree, position)
        return
    path = () if parent is None else _next_path(parent)
    tree.values.setdefault(path, position)
    value: Value
    if isinstance(event, yaml.ScalarEvent):
        value = None if not event.style and event.tag is None and event.value in _NULL else event.value
    else:
        if len(stack) >= DEPTH_LIMIT:
            raise _Refused(*position, f"nested more than {DEPTH_LIMIT} levels deep")
        value = {} if isinstance(event, yaml.MappingStartEvent) else []
    if parent is None:
        tree.value = value
    elif isinstance(parent.container, list):
        parent.container.append(value)
    elif parent.key is not None:
        if not parent.twin:
            parent.container[parent.key] = value
        parent.key = None
    if not isinstance(event, yaml.ScalarEvent):
        stack.append(_Open(value, path))


def _next_path(parent: _Open) -> Path_:
    """Return the path of the value that comes next in `parent`; a twin key's value lies apart from the first one's."""
    if isinstance(parent.container, list):
        return (*parent.path, len(parent.container))
    return (*parent.path, (parent.key or "") + parent.twin)


def _open_key(event: Any, parent: _Open, tree: Tree, position: tuple[int, int]) -> None:
    """Note a mapping's key; a second one of the same name is a mistake, and its value is read and dropped."""
    if not isinstance(event, yaml.ScalarEvent):
        raise _Refused(*position, "a key must be a plain name, not a list or a mapping")
    if event.value == "<<" and not event.style:
        raise _Refused(*position, "merge keys (<<) are not accepted; write the values out")
    parent.key = event.value
    path = (*parent.path, event.value)
    parent.twin = ""
    if path in tree.keys:
        parent.twin = f"\0{position[0]}:{position[1]}"
        first = tree.keys[path][0]
        tree.mistakes.append(Mistake(*position, f"the key `{event.value}` is already given in line {first}"))
    else:
        tree.keys[path] = position


def _syntax_mistake(error: yaml.MarkedYAMLError) -> Mistake:
    """Turn PyYAML's complaint into one sentence at the place that it complains about."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "not readable as YAML"
    if "cannot start any token" in problem:
        problem = "a tab or a special character stands here; indent with spaces and quote texts that start with it"
    elif "mapping values are not allowed" in problem:
        problem = "a colon stands here that YAML cannot place; quote the text around it, or check the indentation"
    elif error.context:
        problem = (
            f"{problem}, {error.context} from line {error.context_mark.line + 1}" if error.context_mark else problem
        )
    return Mistake(line, column, f"not readable as YAML: {problem}")


def _character_mistake(data: bytes, error: yaml.reader.ReaderError) -> Mistake:
    """Find the control character that YAML does not allow."""
    text = data.decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            code = ord(character)
            if (
                (code < 32 and character not in "\t\r")
                or (0x7F <= code < 0xA0 and code != 0x85)
                or code in (0xFFFE, 0xFFFF)
            ):
                return Mistake(number, column, f"the control character U+{code:04X} is not allowed")
    return Mistake(1, 1, f"not readable as YAML: {' '.join(str(error).split())}")
