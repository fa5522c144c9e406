"""A word for a colour, so that a legend does not speak by colour alone."""

from __future__ import annotations

import colorsys

HUES = ("red", "orange", "yellow", "green", "green", "green", "cyan", "blue", "blue", "violet", "pink", "pink")
DARK, BLACK = 0.8, 0.1


def name_colour(red: int, green: int, blue: int) -> str:
    """Name a colour of 0..255 a channel by its hue, in steps of 30 degrees, and by whether it is dark."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < BLACK:
        return "black"
    word = HUES[round(hue * 12) % 12] if saturation >= 0.15 else "grey"
    return f"dark {word}" if value < DARK else word
