"""The structure of an HDF5 file, read from its bytes alone: groups, links, shapes and text attributes, never data.

Why not h5py: a crafted file can crash the C library, a link can lead it to other files, and importing it takes a third
of what `check` may take. Follows the HDF5 File Format Specification 3.0 (The HDF Group): superblocks 0 to 3, object
headers 1 and 2, old groups (B-tree, heap) and new ones (links in the header, or dense, see `hdf5_dense`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reportgen.inputs.hdf5_bytes import Corrupt, Reader
from reportgen.inputs.hdf5_dense import read_dense
from reportgen.inputs.hdf5_texts import read_shape, read_texts

OBJECT_LIMIT = 200_000
MESSAGE_LIMIT = 100_000
DEPTH_LIMIT = 200
SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT, ATTRIBUTE = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0C
CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x10, 0x11, 0x15
KINDS = ("int", "float", "time", "text", "bits", "bytes", "compound", "references", "enum", "lists", "array")
KNOWN = (SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT, ATTRIBUTE, SYMBOL_TABLE, ATTRIBUTE_INFO)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One array as declared: `declared` is its size in memory in bytes, `outside` where else its data lies.

    `kind` is the class of its type: "int", "float", "text", "compound", ... (see KINDS).
    """

    path: str
    shape: tuple[int, ...]
    itemsize: int
    declared: int
    outside: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is no plain member: "soft" or "external", and where it leads."""

    path: str
    kind: str
    target: str


@dataclass(slots=True)
class Structure:
    """Everything in the file. `attributes` are the root's texts by name; `groups` are paths."""

    datasets: list[Dataset] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    attributes: dict[str, bytes] = field(default_factory=dict)


Messages = list[tuple[int, int, int, int]]  # (type, flags, address of the data, size)


def read_structure(data: bytes | memoryview) -> Structure:
    """Read the structure of an HDF5 file; raises Corrupt for bytes that are none or that use what is not understood."""
    reader, root = _read_superblock(memoryview(data))
    structure = Structure()
    stack: list[tuple[int, str, int]] = [(root, "", 0)]
    visited: set[int] = set()
    while stack:
        address, path, depth = stack.pop()
        if address in visited:
            continue
        visited.add(address)
        if len(visited) > OBJECT_LIMIT or depth > DEPTH_LIMIT:
            raise Corrupt("more or deeper groups than any model has")
        messages = _read_messages(reader, address)
        kinds = {kind for kind, _, _, _ in messages}
        if LAYOUT in kinds or EXTERNAL in kinds:
            structure.datasets.append(_read_dataset(reader, messages, path))
            continue
        structure.groups.append(path or "/")
        if not path:
            structure.attributes = read_texts(reader, _attribute_places(reader, messages))
        for name, target, kind in _read_members(reader, messages):
            inner = f"{path}/{name}"
            if kind == "hard":
                stack.append((int(target), inner, depth + 1))
            else:
                structure.links.append(Link(inner, kind, str(target)))
    return structure


def _read_superblock(data: memoryview) -> tuple[Reader, int]:
    """Return a reader set to the file's sizes, and the address of the root group."""
    if bytes(data[:8]) != b"\x89HDF\r\n\x1a\n":
        raise Corrupt("not an HDF5 file")
    first = Reader(data, 8, 8)
    version = first.number(8, 1)
    if version > 3:
        raise Corrupt(f"HDF5 superblock version {version} is not known")
    at = 13 if version < 2 else 9
    offsets, lengths = first.number(at, 1), first.number(at + 1, 1)
    if offsets not in (4, 8) or lengths not in (4, 8):
        raise Corrupt("unusual HDF5 offset sizes")
    reader = Reader(data, offsets, lengths)
    base = 12 if version >= 2 else 24 + (4 if version == 1 else 0)
    if reader.offset(base):
        raise Corrupt("its addresses are shifted (a user block), which models do not have")
    return reader, reader.offset(base + 3 * offsets if version >= 2 else base + 5 * offsets)


def _read_messages(reader: Reader, address: int) -> Messages:
    """Return the messages of an object header, those of its continuation blocks included."""
    messages: Messages = []
    modern = reader.take(address, 4) == b"OHDR"
    blocks = [_first_block_v2(reader, address) if modern else _first_block_v1(reader, address)]
    extra = 2 if modern and reader.number(address + 5, 1) & 0x04 else 0
    header = 4 + extra if modern else 8
    while blocks:
        start, end = blocks.pop()
        while start + header <= end:
            if modern:
                kind, size, flags = reader.number(start, 1), reader.number(start + 1, 2), reader.number(start + 3, 1)
            else:
                kind, size, flags = reader.number(start, 2), reader.number(start + 2, 2), reader.number(start + 4, 1)
            body = start + header
            if body + size > end:
                raise Corrupt("an object header runs over its end")
            if kind == CONTINUATION:
                at, length = reader.offset(body), reader.length(body + reader.offsets)
                blocks.append(_continued(reader, at, length, modern))
            elif kind in KNOWN:
                if flags & 2:
                    raise Corrupt("it shares parts of its headers, which models do not do")
                messages.append((kind, flags, body, size))
            if len(messages) + len(blocks) > MESSAGE_LIMIT:
                raise Corrupt("an object header without end")
            start = body + size
    return messages


def _first_block_v1(reader: Reader, address: int) -> tuple[int, int]:
    """Return where the messages of a version 1 header begin and end."""
    if reader.number(address, 1) != 1:
        raise Corrupt("an object header is damaged")
    size = reader.number(address + 8, 4)
    reader.take(address + 16, size)
    return address + 16, address + 16 + size


def _first_block_v2(reader: Reader, address: int) -> tuple[int, int]:
    """Return where the messages of a version 2 header begin and end."""
    flags = reader.number(address + 5, 1)
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = reader.number(at, width)
    reader.take(at + width, size)
    return at + width, at + width + size


def _continued(reader: Reader, address: int, length: int, modern: bool) -> tuple[int, int]:
    """Return where the messages of a continuation block begin and end."""
    reader.take(address, length)
    if not modern:
        return address, address + length
    if reader.take(address, 4) != b"OCHK" or length < 8:
        raise Corrupt("a continuation block is damaged")
    return address + 4, address + length - 4


def _read_dataset(reader: Reader, messages: Messages, path: str) -> Dataset:
    """Return what a dataset declares."""
    shape: tuple[int, ...] = ()
    itemsize, outside, type_ = 0, "", ""
    for kind, _, at, size in messages:
        if kind == SPACE:
            shape = read_shape(reader, at)
        elif kind == TYPE:
            itemsize = reader.number(at + 4, 4)
            type_ = _type_kind(reader.number(at, 1) & 15, reader.number(at + 1, 1))
        elif kind == EXTERNAL:
            outside = "external"
        elif kind == LAYOUT and size >= 2:
            version = reader.number(at, 1)
            layout = reader.number(at + (2 if version < 3 else 1), 1)
            outside = "virtual" if layout == 3 else outside
    declared = itemsize
    for length in shape:
        declared *= length
    return Dataset(path, shape, itemsize, declared, outside, type_)


def _type_kind(number: int, bits: int) -> str:
    """Return the class of a type in words; `bits` are the first ones of its own (variable length: 1 is text)."""
    if number == 9:
        return "text" if bits & 15 == 1 else "lists"
    return KINDS[number] if number < len(KINDS) else ""


def _read_members(reader: Reader, messages: Messages) -> Iterator[tuple[str, int | str, str]]:
    """Yield (name, target, kind) of everything in a group."""
    for kind, _, at, _ in messages:
        if kind == SYMBOL_TABLE:
            yield from _read_symbols(reader, reader.offset(at), reader.offset(at + reader.offsets))
        elif kind == LINK:
            yield _read_link(reader, at)
        elif kind == LINK_INFO:
            start = at + 2 + (8 if reader.number(at + 1, 1) & 1 else 0)
            for link in read_dense(reader, start, kind=5):
                yield _read_link(reader, link)


def _read_link(reader: Reader, at: int) -> tuple[str, int | str, str]:
    """Read one link message."""
    flags = reader.number(at + 1, 1)
    here = at + 2
    kind = reader.number(here, 1) if flags & 0x08 else 0
    here += (1 if flags & 0x08 else 0) + (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = reader.number(here, width)
    name = reader.text(here + width, length)
    here += width + length
    if kind == 0:
        return name, reader.offset(here), "hard"
    target = reader.text(here + 2, reader.number(here, 2))
    return name, target.replace("\0", " ").strip(), "soft" if kind == 1 else "external"


def _read_symbols(reader: Reader, tree: int, heap: int) -> Iterator[tuple[str, int | str, str]]:
    """Yield the members of an old group: a B-tree of symbol tables, names in a heap."""
    if reader.take(heap, 4) != b"HEAP":
        raise Corrupt("a group's heap is damaged")
    names = reader.offset(heap + 8 + 2 * reader.lengths)
    nodes, seen = [tree], 0
    while nodes:
        node = nodes.pop()
        seen += 1
        if seen > OBJECT_LIMIT:
            raise Corrupt("a group's index has no end")
        if reader.take(node, 4) == b"SNOD":
            yield from _read_symbol_node(reader, node, names)
        elif reader.take(node, 5) == b"TREE\0":
            first = node + 8 + 2 * reader.offsets + reader.lengths
            step = reader.offsets + reader.lengths
            nodes += [reader.offset(first + index * step) for index in range(reader.number(node + 6, 2))]
        else:
            raise Corrupt("a group's index is damaged")


def _read_symbol_node(reader: Reader, node: int, names: int) -> Iterator[tuple[str, int | str, str]]:
    """Yield the entries of one symbol table."""
    size = 2 * reader.offsets + 24
    for index in range(reader.number(node + 6, 2)):
        at = node + 8 + index * size
        name = reader.string(names + reader.offset(at))
        if reader.number(at + 2 * reader.offsets, 4) == 2:
            target = reader.number(at + 2 * reader.offsets + 8, 4)
            yield name, reader.string(names + target), "soft"
        else:
            yield name, reader.offset(at + reader.offsets), "hard"


def _attribute_places(reader: Reader, messages: Messages) -> list[int]:
    """Return the addresses of a group's attributes, in its header or in dense storage."""
    places = [at for kind, _, at, _ in messages if kind == ATTRIBUTE]
    for kind, _, at, _ in messages:
        if kind == ATTRIBUTE_INFO:
            places += read_dense(reader, at + 2 + (2 if reader.number(at + 1, 1) & 1 else 0), kind=8)
    return places
