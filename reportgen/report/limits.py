"""How much a report that is read back may hold. A stranger may have written it (BAD_INPUTS.md line 109)."""

from __future__ import annotations

MIB = 1024 * 1024

FILE_BYTES = 64 * MIB  # three times the hard limit of a written page
JSON_BYTES = 48 * MIB
DEPTH = 40  # a report needs 12
VALUES = 4_000_000  # numbers, texts, lists and objects in the JSON together
ASSETS = 5_000
ASSET_BYTES = 8 * MIB
PIXELS = 64_000_000  # of one picture, as its header declares
SIDE = 32_767
SVG_BYTES = 8 * MIB
SVG_ELEMENTS = 200_000
SVG_DEPTH = 100
SVG_COPIES = 500_000  # elements that all <use> together draw again
