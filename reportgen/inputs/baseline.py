"""The earlier report that a run is compared with: read, and checked like anything that a stranger made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.errors import InputRefused
from reportgen.inputs.files import check_file

if TYPE_CHECKING:
    from reportgen.config_schema import Config
    from reportgen.report.types import Report


def load_baseline(config: Config) -> Report | None:
    """Return the report that `baseline` names, None without the key; raises InputRefused when it cannot be read."""
    if config.baseline is None:
        return None
    from reportgen.report.read import read_report

    try:
        check_file(config.baseline, "the earlier report")
        return read_report(config.baseline)
    except InputRefused as error:
        hint = "" if config.baseline.exists() else "; build that report first, or leave `baseline` out"
        raise InputRefused(f"baseline: {error.message}{hint}", detail=error.detail) from None
