"""Old reports stay readable: one pure function for each step from a schema version to the next.

A step takes and returns the JSON form (dicts and lists), without assets' bytes being touched. When a version is added:
raise SCHEMA_VERSION, write `from_<n>`, put it into STEPS, and add gold files under tests/gold/reports/v<n+1>/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reportgen.errors import InputRefused
from reportgen.report.types import SCHEMA_VERSION

Plain = dict[str, Any]
Step = Callable[[Plain], Plain]

STEPS: Mapping[int, Step] = {}


def to_current(data: Plain, source: str, *, steps: Mapping[int, Step] = STEPS, current: int = SCHEMA_VERSION) -> Plain:
    """Return `data` in the current form; raises InputRefused for a newer version, or one that no step leads from."""
    version = data.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise InputRefused(f"{source}: schema_version: should be a whole number; this is not a report by reportgen")
    if version > current:
        made_by = str(data.get("generator") or "a newer reportgen")[:60]
        made_by = "".join(character if character.isprintable() else "?" for character in made_by)
        raise InputRefused(
            f"{source}: is in report format {version}, this reportgen reads formats up to {current}: "
            f"upgrade reportgen (the file was made by {made_by})"
        )
    while version < current:
        if version not in steps:
            raise InputRefused(f"{source}: is in report format {version}, which this reportgen cannot read")
        data = steps[version]({**data})
        version += 1
        data = {**data, "schema_version": version}
    return data
