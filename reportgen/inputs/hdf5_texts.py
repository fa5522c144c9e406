"""Shapes and text attributes of HDF5: the small messages inside object headers."""

from __future__ import annotations

from reportgen.inputs.hdf5_bytes import Corrupt, Reader


def read_shape(reader: Reader, at: int) -> tuple[int, ...]:
    """Return the lengths that a dataspace message declares."""
    version, rank = reader.number(at, 1), reader.number(at + 1, 1)
    if version not in (1, 2) or rank > 32:
        raise Corrupt("a dataspace is damaged")
    start = at + (8 if version == 1 else 4)
    return tuple(reader.length(start + index * reader.lengths) for index in range(rank))


def read_texts(reader: Reader, places: list[int]) -> dict[str, bytes]:
    """Return the attributes that are one text, of those whose messages stand at `places`; others are left out."""
    found = {}
    for at in places:
        name, value = _read_attribute(reader, at)
        if value is not None:
            found[name] = value
    return found


def _read_attribute(reader: Reader, at: int) -> tuple[str, bytes | None]:
    """Return an attribute's name and, if it is one text, its bytes."""
    version = reader.number(at, 1)
    if version not in (1, 2, 3):
        raise Corrupt("an attribute is damaged")
    sizes = [reader.number(at + 2 + 2 * index, 2) for index in range(3)]
    here = at + (9 if version == 3 else 8)
    padded = [(size + 7) // 8 * 8 if version == 1 else size for size in sizes]
    name = reader.text(here, sizes[0]).rstrip("\0")
    kind_at, space_at = here + padded[0], here + padded[0] + padded[1]
    data_at = space_at + padded[2]
    kind = reader.number(kind_at, 1) & 0x0F
    if read_shape(reader, space_at):
        return name, None
    if kind == 3:
        return name, reader.take(data_at, reader.number(kind_at + 4, 4)).rstrip(b"\0")
    if kind == 9:
        return name, _read_global(reader, data_at)
    return name, None


def _read_global(reader: Reader, at: int) -> bytes:
    """Return a text of any length from the global heap."""
    length, collection = reader.number(at, 4), reader.offset(at + 4)
    wanted = reader.number(at + 4 + reader.offsets, 4)
    if not length:
        return b""
    if reader.take(collection, 4) != b"GCOL":
        raise Corrupt("the heap of texts is damaged")
    end = collection + reader.length(collection + 8)
    here = collection + 8 + reader.lengths
    while here + 8 + reader.lengths <= end:
        index, size = reader.number(here, 2), reader.length(here + 8)
        if index == wanted and index:
            return reader.take(here + 8 + reader.lengths, min(length, size))
        if index == 0:
            break
        here += 8 + reader.lengths + (size + 7) // 8 * 8
    raise Corrupt("a text is missing from its heap")
