"""The folder that a case is played in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inputs.model_files import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return an empty folder for one case."""
    return Folder(tmp_path)
