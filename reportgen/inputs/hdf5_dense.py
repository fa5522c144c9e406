"""Dense storage of HDF5: links or attributes of a big group, in a fractal heap indexed by a version 2 B-tree."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.inputs.hdf5_bytes import Corrupt, Reader

NODE_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class _Heap:
    """The part of a fractal heap's header that finding an object needs."""

    reader: Reader
    width: int
    start_size: int
    max_direct: int
    offset_bytes: int
    length_bytes: int
    root: int
    rows: int


def read_dense(reader: Reader, at: int, kind: int) -> list[int]:
    """Return the addresses of the objects behind a heap and an index whose addresses stand at `at`.

    `kind` is the type of the index's records: 5 for links by name, 8 for attributes by name.
    """
    heap_at, tree_at = reader.offset(at), reader.offset(at + reader.offsets)
    if reader.nowhere(heap_at):
        return []
    heap = _read_heap(reader, heap_at)
    skip = 4 if kind == 5 else 0
    return [_find(heap, record + skip) for record in _read_records(reader, tree_at, kind)]


def _bytes_for(limit: int) -> int:
    """Return how many bytes a number up to `limit` takes."""
    return max(limit.bit_length() - 1, 0) // 8 + 1


def _read_heap(reader: Reader, at: int) -> _Heap:
    """Read a fractal heap's header."""
    if reader.take(at, 4) != b"FRHP":
        raise Corrupt("a heap is damaged")
    if reader.number(at + 7, 2):
        raise Corrupt("a filtered heap, which models do not have")
    largest = reader.number(at + 10, 4)
    here = at + 14 + 10 * reader.lengths + 2 * reader.offsets
    width = reader.number(here, 2)
    start_size = reader.length(here + 2)
    max_direct = reader.length(here + 2 + reader.lengths)
    bits = reader.number(here + 2 + 2 * reader.lengths, 2)
    root_at = here + 6 + 2 * reader.lengths
    root, rows = reader.offset(root_at), reader.number(root_at + reader.offsets, 2)
    if not width or not start_size or bits > 64:
        raise Corrupt("a heap is damaged")
    length_bytes = min(_bytes_for(max_direct), _bytes_for(largest))
    return _Heap(reader, width, start_size, max_direct, (bits + 7) // 8, length_bytes, root, rows)


def _find(heap: _Heap, at: int) -> int:
    """Return the address of the object whose heap id stands at `at`."""
    if heap.reader.number(at, 1) >> 4:
        raise Corrupt("an object stored in an unusual way")
    offset = heap.reader.number(at + 1, heap.offset_bytes)
    address = heap.root
    if heap.rows == 0:
        return _inside(heap, address, offset)
    base, rows = 0, heap.rows
    for _ in range(64):
        row, column, start, size = _locate(heap, offset - base)
        base += start
        entries = address + 5 + heap.reader.offsets + heap.offset_bytes
        address = heap.reader.offset(entries + (row * heap.width + column) * heap.reader.offsets)
        if row >= rows:
            break
        if size <= heap.max_direct:
            return _inside(heap, address, offset - base)
        rows = (size // heap.start_size // heap.width).bit_length()
    raise Corrupt("a heap leads nowhere")


def _locate(heap: _Heap, offset: int) -> tuple[int, int, int, int]:
    """Return row, column, start and size of the block that holds `offset` within an indirect block."""
    size, start = heap.start_size, 0
    for row in range(64):
        if row > 1:
            size *= 2
        if offset < start + size * heap.width:
            column = (offset - start) // size
            return row, column, start + column * size, size
        start += size * heap.width
    raise Corrupt("a heap leads nowhere")


def _inside(heap: _Heap, block: int, offset: int) -> int:
    """Return the address of an object in a direct block."""
    if heap.reader.take(block, 4) != b"FHDB":
        raise Corrupt("a heap's block is damaged")
    return block + offset


def _read_records(reader: Reader, at: int, kind: int) -> list[int]:
    """Return the addresses of all records of a version 2 B-tree."""
    if reader.take(at, 4) != b"BTHD" or reader.number(at + 5, 1) != kind:
        raise Corrupt("an index is damaged")
    node_size, record, depth = reader.number(at + 6, 4), reader.number(at + 10, 2), reader.number(at + 12, 2)
    root, count = reader.offset(at + 16), reader.number(at + 16 + reader.offsets, 2)
    if not record or node_size < 16 or depth > 16:
        raise Corrupt("an index is damaged")
    most = (node_size - 10) // record
    widths, total = [0], most
    own = _bytes_for(most)
    for level in range(1, depth + 1):
        pointer = reader.offsets + own + widths[level - 1]
        here = (node_size - 10 - pointer) // (record + pointer)
        total = (here + 1) * total + here
        widths.append(_bytes_for(max(total, 1)))
    found: list[int] = []
    nodes = [(root, count, depth)] if count else []
    seen = 0
    while nodes:
        node, records, level = nodes.pop()
        seen += 1
        if seen > NODE_LIMIT or reader.take(node, 4) != (b"BTIN" if level else b"BTLF"):
            raise Corrupt("an index is damaged")
        found += [node + 6 + index * record for index in range(records)]
        if level:
            pointer = reader.offsets + own + widths[level - 1]
            first = node + 6 + records * record
            for index in range(records + 1):
                child = first + index * pointer
                nodes.append((reader.offset(child), reader.number(child + reader.offsets, own), level - 1))
    return found
