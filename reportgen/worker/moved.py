"""Keep the samples that moved most since an earlier run, for the comparison of both."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from reportgen.analysis.evidence import KeptSamples
from reportgen.analysis.keep import MovedSet
from reportgen.worker.plan import Plan


def make_moved(plan: Plan) -> MovedSet | None:
    """Return what keeps them; None without an earlier run, or with one whose columns do not fit together."""
    earlier = plan.earlier
    if earlier is None:
        return None
    try:
        columns = [
            np.frombuffer(base64.b64decode(text, validate=True), dtype)
            for text, dtype in (
                (earlier.keys, "<u8"), (earlier.losses, "<f4"), (earlier.may_grow, "|u1"), (earlier.may_fall, "|u1"),
            )
        ]  # fmt: skip
    except (binascii.Error, ValueError):
        return None
    if len({column.size for column in columns}) != 1:
        return None
    return MovedSet(*columns)


def result_of(moved: MovedSet | None) -> KeptSamples | None:
    """Return what was kept; None where nothing was looked for, or nothing moved."""
    found = moved.result() if moved is not None else None
    return found if found is not None and len(found.positions) else None
