"""How numbers, counts, shares, intervals and names are written."""

import math

import pytest

from reportgen.report.values import Missing
from reportgen.sections import words


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.973, "97.3%"),
        (1, "100%"),
        (0, "0%"),
        (0.9996, "99.96%"),
        (0.999999, "over 99.99%"),
        (0.0004, "0.04%"),
        (0.000001, "under 0.01%"),
        (-0.1, "-10.0%"),
        (math.nan, "not a number"),
        (None, "not known"),
        (Missing("no labels"), "not known (no labels)"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (3.14159, "3.142"),
        (12345.678, "12,346"),
        (0.5, "0.5"),
        (0.01, "0.01"),
        (0.1, "0.1"),
        (0.099999, "0.1"),
        (0.00012345, "0.0001234"),
        (1.5e-9, "1.5e-9"),
        (2e20, "2e20"),
        (-0.25, "-0.25"),
        (0.0, "0"),
        (math.inf, "infinite"),
        (999.96, "1,000"),
    ],
)
def test_number_text_keeps_four_digits(value, text):
    assert words.number_text(value) == text


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [
        (1, "sample", "1 sample"),
        (0, "sample", "0 samples"),
        (1200, "class", "1,200 classes"),
        (2, "category", "2 categories"),
    ],
)
def test_count_uses_the_right_plural(n, noun, text):
    assert words.count(n, noun) == text


def test_interval_text_says_when_there_is_none():
    assert words.interval_text(0.91, 0.954, "share") == "91.0% to 95.4%"
    assert words.interval_text(1.5, 2.25) == "1.5 to 2.25"
    assert words.interval_text(Missing("one sample"), 2.0) == "no interval"


def test_sizes_durations_and_shapes_read_naturally():
    assert [words.bytes_text(n) for n in (0, 1023, 1536, 1024**2 - 1, 5 * 1024**3)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "1.0 MiB",
        "5.0 GiB",
    ]
    assert [words.seconds_text(s) for s in (0.25, 42, 75, 7260)] == ["0.25 s", "42 s", "1 min 15 s", "2 h 1 min"]
    assert words.shape_text((28, None, 1)) == "28 × any × 1"
    assert words.shape_text(()) == "scalar"


def test_shorten_keeps_the_asked_side_on_one_line():
    assert words.shorten("a\nb\tc") == "a b c"
    assert words.shorten("abcdefghij", 5) == "abcd…"
    assert words.shorten("abcdefghij", 5, keep="end") == "…ghij"
    assert words.shorten("abcdefghij", 5, keep="both") == "ab…ij"


def test_join_words_counts_what_it_leaves_out():
    assert words.join_words(["a"]) == "a"
    assert words.join_words(["a", "b", "c"]) == "a, b and c"
    assert words.join_words(["a", "b", "c", "d"], most=2) == "a, b and 2 more"


def test_share_text_gives_part_whole_and_percentage():
    assert words.share_text(3, 360, "sample") == "3 of 360 samples (0.8%)"
    assert words.share_text(0, 0, "unit") == "0 of 0 units"


def test_ordinal_knows_the_teens():
    assert [words.ordinal(n) for n in (1, 2, 3, 11, 12, 16, 22, 103)] == [
        "1st",
        "2nd",
        "3rd",
        "11th",
        "12th",
        "16th",
        "22nd",
        "103rd",
    ]
