"""Read a saved report, from report.html or report.json. The file may come from a stranger."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reportgen.errors import InputRefused
from reportgen.report import html_data, json_text, limits
from reportgen.report.types import Report


def read_report(path: str | os.PathLike[str]) -> Report:
    """Return the report in `path`, equal to the one that was written; raises InputRefused when it is none."""
    source = "".join(c if c.isprintable() else "?" for c in os.fspath(path))
    data = _load_bytes(Path(path), source)
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return json_text.from_json(data.removeprefix(b"\xef\xbb\xbf"), source)
    if html_data.holds_data(data):
        return html_data.from_page(data, source)
    if start.startswith(b"<"):
        raise InputRefused(f"{source}: is an HTML or XML file, but not a report by reportgen")
    raise InputRefused(f"{source}: is not a report; give a report.html or report.json that reportgen wrote")


def _load_bytes(path: Path, source: str) -> bytes:
    """Return the file's bytes; refuses anything but a plain file of a sane size."""
    try:
        # Opening a pipe would wait for a writer; O_NONBLOCK does not, and the check below then refuses it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            _check_plain_file(os.fstat(descriptor).st_mode, source)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limits.FILE_BYTES + 1)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not valid"
        raise InputRefused(f"{source}: cannot be read: {reason}") from error
    if not data:
        raise InputRefused(f"{source}: is empty")
    if len(data) > limits.FILE_BYTES:
        raise InputRefused(f"{source}: is larger than the {limits.FILE_BYTES // limits.MIB} MiB that are read")
    return data


def _check_plain_file(mode: int, source: str) -> None:
    """Refuse folders, pipes and devices."""
    if stat.S_ISDIR(mode):
        raise InputRefused(f"{source}: is a folder; name the report.html or report.json in it")
    if not stat.S_ISREG(mode):
        raise InputRefused(f"{source}: is not a plain file")
