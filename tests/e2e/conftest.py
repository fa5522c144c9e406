"""A real browser for tests: Chromium through Playwright, pages opened from file://, with what they do noted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PLACES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Seen:
    """What an open page did: console lines, errors, dialogs, and requests other than the page itself."""

    page: Any
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def quiet(self) -> None:
        """Fail if the page said, asked or fetched anything."""
        assert not self.console, self.console
        assert not self.errors, self.errors
        assert not self.dialogs, self.dialogs
        assert not self.requests, self.requests


def _find_chromium() -> str | None:
    """Return the browser's path: from the environment, else from PATH."""
    given = os.environ.get("TEST_CHROMIUM")
    return given or next((found for name in PLACES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start Chromium once; skip without one, unless TEST_REQUIRES_BROWSER=1 says that there must be one."""
    path = _find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        reason = "no Chromium (or no playwright) found: install chromium, or set TEST_CHROMIUM to its path"
        if os.environ.get("TEST_REQUIRES_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # The sandbox needs user namespaces, which containers seldom have; the pages are our own.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return a context manager that opens a page's text from file:// and notes what it does."""

    @contextmanager
    def opened(text: str, *, hash: str = "", width: int = 1280, height: int = 900, **options: Any) -> Iterator[Seen]:
        file = tmp_path / "report.html"
        file.write_bytes(text.encode("utf-8"))
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        seen = Seen(page)
        page.on("console", lambda message: seen.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: seen.requests.append(request.url[:200]))
        page.goto(file.as_uri() + hash)
        seen.requests[:] = [url for url in seen.requests if not url.startswith(("data:", "blob:", file.as_uri()))]
        yield seen
        seen.requests[:] = [url for url in seen.requests if not url.startswith(("data:", "blob:", file.as_uri()))]
        context.close()

    return opened
