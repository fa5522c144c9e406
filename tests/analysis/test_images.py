"""Arrays become pixels by a stated rule; nothing is guessed silently."""

import numpy as np
import pytest

from reportgen.analysis import images, mosaics


@pytest.mark.parametrize(
    ("low", "high", "dtype", "ends"),
    [
        (0, 200, "uint8", (0, 255)),
        (0, 12, "uint8", (0, 255)),
        (0.0, 254.0, "float32", (0, 255)),
        (0.0, 1.0, "float32", (0, 1)),
        (0.0, 0.4, "float32", (0, 1)),
        (-1.0, 1.0, "float32", (-1, 1)),
        (0.0, 16.0, "float64", (0, 16)),
        (-2.1, 2.6, "float32", (-2.1, 2.6)),
        (0.0, 1e-6, "float32", (0, 1e-6)),
        (0, 4000, "uint16", (0, 4000)),
    ],
)
def test_scale_keeps_known_ranges_and_stretches_others(low, high, dtype, ends):
    scale = images.choose_scale(low, high, dtype)
    assert (scale.low, scale.high) == ends
    assert "black" in scale.rule


def test_constant_input_is_mid_grey_and_says_so():
    scale = images.choose_scale(3.0, 3.0)
    assert "every value is 3" in scale.rule
    assert images.to_grey(np.full((2, 2), 3.0), scale.low, scale.high).tolist() == [[128, 128], [128, 128]]


def test_infinite_values_are_clipped_to_the_ends():
    grey = images.to_grey(np.array([[-np.inf, np.inf]]), 0, 1)
    assert grey.tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [
        ((28, 28), "float32", "picture"),
        ((28, 28, 1), "uint8", "picture"),
        ((3, 32, 32), "float32", "picture"),
        ((100, 2), "float32", "signal"),
        ((12, 2), "float32", "signal"),
        ((3, 2), "float32", "none"),
        ((8, 8), "float32", "picture"),
        ((2, 64), "float32", "picture"),
        ((784,), "float32", "signal"),
        ((30,), "float32", "none"),
        ((784,), "int32", "none"),
        ((), "<U30", "none"),
        ((16, 32, 32, 1), "float32", "volume"),
        ((0, 4), "float32", "none"),
    ],
)
def test_kind_of_tells_pictures_signals_and_tables_apart(shape, dtype, kind):
    assert images.kind_of(shape, dtype) == kind


def test_channels_first_and_last_give_the_same_picture():
    rng = np.random.default_rng(0)
    last = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    first = np.moveaxis(last, -1, 0)
    assert np.array_equal(images.to_picture(last).pixels, last)
    assert np.array_equal(images.to_picture(first).pixels, last)


def test_floats_in_0_to_255_are_shown_as_bytes():
    values = np.arange(0, 256, dtype=np.float32).reshape(16, 16)
    assert np.array_equal(images.to_picture(values).pixels, values.astype(np.uint8))


def test_nan_is_painted_and_counted():
    values = np.zeros((4, 9, 1), np.float32)
    values[0, 8] = 1.0
    values[1, 2] = np.nan
    picture = images.to_picture(values)
    assert picture.nan == 1
    assert tuple(picture.pixels[1, 2]) == images.NAN_COLOUR
    assert tuple(picture.pixels[0, 0]) == (0, 0, 0)


def test_many_channels_are_shown_side_by_side_and_said():
    picture = images.to_picture(np.random.default_rng(0).random((10, 10, 7)))
    assert picture.pixels.shape == (10, 40)
    assert picture.note == "channels 1 to 4 of 7 side by side"


def test_volume_shows_its_middle_slice():
    values = np.zeros((5, 8, 8, 1))
    values[2] = 1.0
    picture = images.to_picture(values)
    assert picture.note == "slice 3 of 5"
    assert picture.pixels.min() == 255


def test_signal_rises_to_the_right_when_the_values_do():
    pixels = images.draw_signal(np.linspace(0, 1, 50))
    dark_rows = [np.flatnonzero(pixels[:, x] < 255).mean() for x in (5, 100, 185)]
    assert dark_rows[0] > dark_rows[1] > dark_rows[2]


def test_signal_with_nan_leaves_a_gap():
    values = np.sin(np.arange(60.0))
    values[20:40] = np.nan
    pixels = images.draw_signal(values)
    assert (pixels[:, 90:100] == 255).all()
    assert (pixels[:, :40] < 255).any()


def test_blur_leaves_at_most_64_colours_and_the_mean():
    photo = np.random.default_rng(0).integers(0, 256, (224, 160), dtype=np.uint8)
    blurred = images.blur(photo)
    assert blurred.shape == photo.shape
    assert len(np.unique(blurred)) <= 64
    assert (np.diff(np.flatnonzero((np.diff(blurred.astype(int), axis=0) != 0).any(1))) >= 20).all()
    assert abs(blurred.mean() - photo.mean()) < 1


def test_blur_of_a_tiny_digit_hides_its_pixels():
    digit = np.zeros((8, 8, 3), np.uint8)
    digit[3, 3] = 255
    assert images.blur(digit).max() <= 255 / 16 + 1


def test_mosaic_places_each_tile_and_states_its_scale():
    maps = np.stack([np.full((2, 3), float(i)) for i in range(5)])
    mosaic = mosaics.tile_mosaic(maps, across=2)
    assert mosaic.pixels.shape == (3 * 3 - 1, 2 * 4 - 1)
    assert mosaic.pixels[0, 0] == 0
    assert mosaic.pixels[6, 0] == 255
    assert mosaic.pixels[3, 4] == round(3 / 4 * 255)
    assert mosaic.scaling == "one scale for all tiles; 0 is black, 4 is white"


def test_mosaic_per_tile_lifts_faint_maps():
    maps = np.stack([np.array([[0.0, 100.0]]), np.array([[0.0, 0.01]])])
    together = mosaics.tile_mosaic(maps, across=1, per="layer").pixels
    alone = mosaics.tile_mosaic(maps, across=1, per="tile").pixels
    assert together[2, 1] == 0
    assert alone[2, 1] == 255


def test_mosaic_with_both_signs_puts_zero_mid_grey():
    mosaic = mosaics.tile_mosaic(np.array([[[-2.0, 0.0, 1.0]]]))
    assert mosaic.pixels[0].tolist() == [0, 128, 191]
    assert (mosaic.low, mosaic.high) == (-2.0, 2.0)


def test_mosaic_marks_nan():
    mosaic = mosaics.tile_mosaic(np.array([[[np.nan, 1.0]]]))
    assert mosaic.pixels.shape == (1, 2, 3)
    assert tuple(mosaic.pixels[0, 0]) == images.NAN_COLOUR
    assert mosaic.nan == 1


def test_shrink_averages_whole_blocks():
    maps = np.arange(16.0).reshape(1, 4, 4)
    assert mosaics.shrink(maps, 2).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]
    assert np.array_equal(mosaics.shrink(maps, 9), maps)


def test_class_colours_are_distinct():
    colours = images.class_colours(20)
    assert len({tuple(c) for c in colours.tolist()}) == 20
    assert colours[0].tolist() == [0, 0, 0]


def test_class_colours_stand_out_from_the_background():
    """Contrast as WCAG computes it, at least 3:1 for parts of a picture."""
    shares = images.class_colours(60)[1:] / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    assert ((linear @ [0.2126, 0.7152, 0.0722] + 0.05) / 0.05).min() >= 3


def test_difference_paints_only_wrong_pixels_red():
    truth, said = np.array([[0, 1, 2, 0]]), np.array([[0, 1, 1, 1]])
    red = images.paint_difference(truth, said)[..., 0] == 230
    assert red.tolist() == [[False, False, True, True]]


def test_side_by_side_pads_and_colours():
    joined = mosaics.side_by_side([np.zeros((2, 3), np.uint8), np.zeros((4, 1, 3), np.uint8)], gap=1)
    assert joined.shape == (4, 5, 3)
    assert joined[3, 0].tolist() == [255, 255, 255]


def test_enlarge_repeats_whole_pixels():
    assert mosaics.enlarge(np.array([[1, 2]], np.uint8), 4).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_pane_grid_puts_four_panes_in_two_rows():
    panes = [np.full((4, 4), level, np.uint8) for level in (0, 50, 100, 150)]
    grid = mosaics.pane_grid(panes, gap=1)
    assert grid.shape == (9, 9, 3)
    assert [int(grid[y, x, 0]) for y, x in ((0, 0), (0, 5), (5, 0), (5, 5), (4, 4))] == [0, 50, 100, 150, 255]
    assert mosaics.pane_grid(panes[:3], gap=1)[8, 8].tolist() == [255, 255, 255]
