"""Where a run happened: the git commit around a folder, the host, the command. Read without running anything."""

from __future__ import annotations

import errno
import os
import platform
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path

from reportgen.inputs.masking import mask_secrets
from reportgen.report.values import Missing

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_PACKAGES = ("numpy", "matplotlib", "jinja2", "pydantic", "graphviz-pure")


def load_git(folder: Path, confine: Path | None = None) -> tuple[str | Missing, str]:
    """Return the commit checked out around `folder` and its branch ("" when detached), read from the files in .git.

    With `confine` nothing outside that folder is read.
    """
    root = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    if root is None:
        return Missing("not in a git checkout"), ""
    try:
        git = _git_folder(root / ".git")
        if confine is not None and not (git / "HEAD").resolve().is_relative_to(confine):
            return Missing("the git checkout lies outside the folder of --confine"), ""
        head = _first_line(git / "HEAD")
        if not head.startswith("ref: "):
            return _checked(head), ""
        name = head.removeprefix("ref: ")
        return _checked(_resolve(git, name)), name.removeprefix("refs/heads/")
    except OSError as error:
        return Missing(f"git could not be read: {error.strerror or 'unreadable'}"), ""


def _git_folder(path: Path) -> Path:
    """Follow a worktree's `.git` file to its folder."""
    if path.is_dir():
        return path
    return (path.parent / _first_line(path).removeprefix("gitdir: ")).resolve()


def _resolve(git: Path, name: str) -> str:
    """Return the commit that a branch points at: a file of its own, or a line of packed-refs."""
    shared = git / _first_line(git / "commondir") if (git / "commondir").exists() else git
    for base in (git, shared):
        if (base / name).is_file():
            return _first_line(base / name)
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8", errors="replace").splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _first_line(path: Path) -> str:
    """Return the first line of a small text file."""
    if not path.is_file():  # a pipe would be waited for
        raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(4096).strip()


def _checked(sha: str) -> str | Missing:
    """Return a commit hash, or Missing when it is not one."""
    return sha if _SHA.match(sha) else Missing("no commit yet")


def describe_host() -> str:
    """Return the kind of machine: system, processor, cores, Python; never its name or user."""
    cores = os.cpu_count() or 1
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"


def describe_command() -> str:
    """Return the command line as it would be typed, without secrets and the folder that the program lies in."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    words = ["python", "-m", "reportgen"] if program == "__main__.py" else [program]
    return mask_secrets(shlex.join([*words, *sys.argv[1:]]))


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that shape a report on the main process's side."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
