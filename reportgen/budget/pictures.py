"""Pictures of samples with fewer bytes: photographs smaller and coarser, drawings with fewer colours."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

from reportgen.report import blocks as b
from reportgen.report import types as t

SIDE = 112  # pixels; the picture is shown as large as before
QUALITY = 55
COLOURS = 32
_SMALL = 1_000  # bytes; below it there is nothing to win


def shrink_pictures(gallery: b.Gallery, assets: dict[str, t.Asset]) -> b.Gallery:
    """Return the gallery with its larger pictures encoded again; the new ones are added to `assets`."""
    samples = tuple(_shrink_sample(sample, assets) for sample in gallery.samples)
    return gallery if samples == gallery.samples else replace(gallery, samples=samples)


def _shrink_sample(sample: b.SampleCard, assets: dict[str, t.Asset]) -> b.SampleCard:
    """Return one sample with the smaller of its picture and the one made from it."""
    asset = assets.get(sample.image.sha256) if sample.image else None
    if sample.image is None or asset is None or len(asset.data) <= _SMALL:
        return sample
    data = _encode(asset)
    if data is None or len(data) >= len(asset.data):
        return sample
    sha256 = hashlib.sha256(data).hexdigest()
    assets[sha256] = t.Asset(asset.media_type, data)
    return replace(sample, image=replace(sample.image, sha256=sha256))


def _encode(asset: t.Asset) -> bytes | None:
    """Return the picture with fewer bytes, or None where it cannot be read or is a drawing of lines."""
    from PIL import Image

    if asset.media_type not in ("image/png", "image/webp"):
        return None
    file = io.BytesIO()
    try:
        with Image.open(io.BytesIO(asset.data), formats=("PNG", "WEBP")) as image:
            if asset.media_type == "image/png":
                colours = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
                colours.save(file, format="PNG", compress_level=9)
            else:
                image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
                image.save(file, format="WEBP", quality=QUALITY, method=4)
    except (OSError, ValueError):
        return None
    return file.getvalue()
