"""The page made with a user's own templates: in a sandbox, in a process with limits, and looked over when it is done.

The templates may come from a stranger. The sandbox keeps them to the data of the report; the process is ended when it
takes too long or too much memory; `page_scan` refuses a page that would run or fetch anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reportgen.errors import InputRefused
from reportgen.renderers import html
from reportgen.renderers.page_csp import add_policy
from reportgen.renderers.page_scan import look_over
from reportgen.report import json_text
from reportgen.report.types import Report

SECONDS = 30
MEMORY = 3 << 30
PAGE_LETTERS = 24 << 20  # above the hard limit of a page
OURS = "original/"
_NOT_ALLOWED = ("safe", "urlize")  # `inputs.look` refuses them by line; here they are not there at all
_START = "import sys; sys.path[:0] = sys.argv[1:]; from reportgen.renderers.page_own import main; main()"


class OwnEnvironment(ImmutableSandboxedEnvironment):
    """Finds the user's templates before ours; a template that names itself means ours of that name."""

    def join_path(self, template: str, parent: str) -> str:
        """Return the name to look for when `parent` names `template`."""
        return OURS + template if template == parent else template


def make_own_environment(templates: Mapping[str, str], folder: str) -> jinja2.Environment:
    """Return the environment of a user's templates: sandboxed, and without the ways to switch escaping off."""

    def load(name: str) -> tuple[str, str | None, None] | None:
        if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
            raise SecurityError(f"`{name}` leads out of the folder of templates")
        if name in templates:
            return templates[name], f"{folder}/{name}", None
        source = html.load(name.removeprefix(OURS))
        return None if source is None else (source, None, None)

    environment = html.furnish(OwnEnvironment(loader=jinja2.FunctionLoader(load), **html.SETTINGS))
    for name in _NOT_ALLOWED:
        environment.filters.pop(name, None)
    return environment


def render_own(report: Report, templates: Mapping[str, str], folder: str, *, seconds: float = SECONDS) -> str:
    """Return the page of `report` made with the user's templates; raises InputRefused in one line."""
    task = {"report": json_text.to_json(report), "templates": dict(templates), "folder": folder}
    command = [sys.executable, "-c", _START, str(Path(__file__).resolve().parents[2])]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(task).encode(),
            capture_output=True,
            env=environment,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputRefused(
            f"{folder}: these templates took more than {seconds:g} s; is there a loop in them?"
        ) from None
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip()
        said = said or f"{folder}: these templates took more memory or time than they may ({MEMORY >> 30} GiB)"
        raise InputRefused(said, detail=done.stderr.decode("utf-8", "replace")[-4_000:])
    return done.stdout.decode("utf-8")


def main() -> None:
    """Make the page that standard input asks for and write it to standard output; the process is then done."""
    _limit()
    task = json.loads(sys.stdin.buffer.read())
    code = 0
    try:
        text = _render(task["templates"], task["folder"], json_text.from_json(task["report"], "the report"))
    except InputRefused as error:
        text, code = error.message, 3
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
    os._exit(code)


def _limit() -> None:
    """Limit memory and time, where the system can; the page needs some 300 MB and 2 s."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit is the only one
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _render(templates: Mapping[str, str], folder: str, report: Report) -> str:
    """Return the finished page, or say in one line what is wrong and where."""
    environment = make_own_environment(templates, folder)
    parts: list[str] = []
    size = 0
    try:
        for part in environment.get_template(html.TEMPLATE).generate(html.make_context(report)):
            size += len(part)
            if size > PAGE_LETTERS:
                raise InputRefused(f"{folder}: the page that these templates make has more than 24 MiB")
            parts.append(part)
    except InputRefused:
        raise
    except MemoryError:
        raise InputRefused(f"{folder}: these templates took more than {MEMORY >> 30} GiB of memory") from None
    except Exception as error:  # whatever a template does wrong is told by its place
        raise InputRefused(f"{_place(error, folder)}: {_words(error)}") from error
    page = "".join(parts)
    look_over(page, folder, html.load("page.js") or "")
    return add_policy(page)


def _place(error: Exception, folder: str) -> str:
    """Return file and line of the user's template in which an error came up."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{folder}/{error.name or ''}:{error.lineno}"
    frames: list[Any] = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(f"{folder}/")]
    return f"{folder}/{Path(own[-1].filename).relative_to(folder).as_posix()}:{own[-1].lineno}" if own else folder


def _words(error: Exception) -> str:
    """Say what went wrong, on one line."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template `{text}`"
    return text or type(error).__name__
