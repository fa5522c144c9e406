"""Bytes and trees with something wrong in them; everything follows from the generator that is given."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

Random = np.random.Generator

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
WORDS = (
    b"\x00",
    b"\xff\xfe",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x93NUMPY",
    b"\x89HDF\r\n\x1a\n",
    b"\x80\x04",
    b"NaN",
    b"1e999",
    b"-",
    b"[[[[",
    b"{{{{",
    b'"',
    b"'",
    b"\\u0000",
    b"\\ud800",
    b"../../x",
    b"!!python/object:os.system",
    b"&a *a",
    b"\n\n",
    b"\t",
    b":",
    b"%",
    b"|O",
    b"<f8",
    b"(-1,)",
    b"__class__",
    b"</script>",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**30,
    -(10**400),
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "os",
    "../x",
    "/etc/passwd",
    "\x00",
    "\ud800",
    "\u202e",
    "é" * 300,
    "x" * 20_000,
    "__proto__",
    "NaN",
    "1",
    "auto",
    "none",
    [],
    {},
    [[]],
    [[[[[]]]]],
    [None],
    [1, 2, 3],
    ["a", 0, 0],
    {"a": 1},
    {"": None},
    {"class_name": "Dense"},
    {"class_name": "Lambda", "config": {}},
    {"class_name": "function", "config": "eval", "module": "builtins"},
    {"class_name": ["x"], "module": 3},
    {"module": "os", "class_name": "system", "config": {}},
    {"missing": ""},
)


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """Return the bytes with one to eight changes: flips, edge values, cuts, copies, words that parsers look for."""
    mutant = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        size = max(1, len(mutant))
        at = int(random.integers(0, size))
        match int(random.integers(0, 10)):
            case 0 | 1 | 2:
                mutant[at : at + 1] = bytes([int(random.integers(0, 256))])
            case 3:
                if mutant:
                    mutant[at % len(mutant)] ^= 1 << int(random.integers(0, 8))
            case 4:
                del mutant[at : at + int(random.integers(1, 64))]
            case 5:
                mutant[at:at] = mutant[at : at + int(random.integers(1, 64))]
            case 6:
                width = int(random.choice((1, 2, 4, 8)))
                edge = EDGES[int(random.integers(0, len(EDGES)))] & (256**width - 1)
                mutant[at : at + width] = edge.to_bytes(width, "little" if random.random() < 0.8 else "big")
            case 7:
                mutant[at:at] = WORDS[int(random.integers(0, len(WORDS)))]
            case 8:
                other = int(random.integers(0, size))
                length = int(random.integers(1, 32))
                mutant[at : at + length] = mutant[other : other + length]
            case _:
                if random.random() < 0.3:
                    del mutant[at:]
    return bytes(mutant)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything below a tree's root."""
    found = [path] if path else []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def mutate_tree(tree: Any, random: Random, words: tuple[str, ...] = ()) -> Any:
    """Return a copy of a tree of JSON types with up to six parts replaced, removed, moved, renamed or nested."""
    tree = copy.deepcopy(tree)
    for _ in range(int(random.integers(1, 7))):
        found = places(tree)
        if not found:
            return tree
        path = found[int(random.integers(0, len(found)))]
        parent = look_up(tree, path[:-1])
        key = path[-1]
        match int(random.integers(0, 8)):
            case 0 | 1 | 2:
                parent[key] = copy.deepcopy(ODD[int(random.integers(0, len(ODD)))])
            case 3:
                del parent[key]
            case 4:
                parent[key] = copy.deepcopy(look_up(tree, found[int(random.integers(0, len(found)))]))
            case 5 if words:
                parent[key] = words[int(random.integers(0, len(words)))]
            case 6:
                value = parent[key]
                for _ in range(int(random.choice((1, 2, 50, 300)))):
                    value = [value] if random.random() < 0.5 else {"config": value}
                parent[key] = value
            case _:
                if isinstance(parent, dict):
                    name = words[int(random.integers(0, len(words)))] if words else "\x00"
                    parent[name] = parent[key]
                else:
                    parent.insert(key, copy.deepcopy(parent[key]))
    return tree


def look_up(tree: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path."""
    for key in path:
        tree = tree[key]
    return tree


def to_json(tree: Any) -> bytes:
    """Return a tree as JSON; one that is nested too deep for that as a text of brackets."""
    try:
        return json.dumps(tree).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        return b"[" * 5000
