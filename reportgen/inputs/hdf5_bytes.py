"""Bytes of an HDF5 file with every read checked against the end."""

from __future__ import annotations

from dataclasses import dataclass


class Corrupt(Exception):
    """The bytes are not what the format says, or use a part of it that models do not need."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Little-endian numbers and texts at addresses; `offsets` and `lengths` are their widths in bytes."""

    data: memoryview
    offsets: int
    lengths: int

    def take(self, at: int, size: int) -> bytes:
        """Return `size` bytes at `at`."""
        if at < 0 or size < 0 or at + size > len(self.data):
            raise Corrupt("cut off, or an address in it leads outside")
        return bytes(self.data[at : at + size])

    def number(self, at: int, width: int) -> int:
        """Return an unsigned number of `width` bytes."""
        return int.from_bytes(self.take(at, width), "little")

    def offset(self, at: int) -> int:
        """Return an address; the one that stands for "nowhere" lies behind every file and is refused when used."""
        return self.number(at, self.offsets)

    def length(self, at: int) -> int:
        """Return a size."""
        return self.number(at, self.lengths)

    def text(self, at: int, size: int) -> str:
        """Return a text of known size."""
        return self.take(at, size).decode("utf-8", "replace")

    def string(self, at: int, limit: int = 65_536) -> str:
        """Return a text that ends at a NUL."""
        for size in (64, 1024, limit):
            found = self.take(at, min(size, max(0, len(self.data) - at)))
            if b"\0" in found:
                return found[: found.index(b"\0")].decode("utf-8", "replace")
        raise Corrupt("a name without an end")

    def nowhere(self, address: int) -> bool:
        """Tell whether an address stands for "nowhere"."""
        return address == (1 << 8 * self.offsets) - 1
