"""The fields of protocol buffer messages, read without TensorFlow and without knowing the message."""

from __future__ import annotations

from collections.abc import Iterator


class NotAMessage(ValueError):
    """The bytes are no protocol buffer, or are cut short."""


def parts(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the length-delimited fields with a number, of one message. Raises NotAMessage."""
    place, end = 0, len(data)
    while place < end:
        key, place = varint(data, place)
        kind = key & 7
        if kind == 0:
            _, place = varint(data, place)
        elif kind == 1:
            place += 8
        elif kind == 5:
            place += 4
        elif kind == 2:
            size, place = varint(data, place)
            if place + size > end:
                raise NotAMessage("cut short")
            if key >> 3 == wanted:
                yield data[place : place + size]
            place += size
        else:
            raise NotAMessage("not a protocol buffer")


def varint(data: memoryview, place: int) -> tuple[int, int]:
    """Return a number of variable length and the place behind it. Raises NotAMessage."""
    value = 0
    for index in range(10):
        if place + index >= len(data):
            raise NotAMessage("cut short")
        byte = data[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise NotAMessage("not a protocol buffer")
