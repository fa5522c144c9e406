"""A smoke run in Firefox, with and without script: the page is drawn to its end, and the script does what it should.

Playwright cannot drive Debian's Firefox, so its own `--screenshot` is used: the picture must not be empty.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reportgen.renderers import html
from tests.sample_report import make_report

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIREFOX = os.environ.get("TEST_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
# The address asks for dark colours, which only our script can set: the picture tells whether it ran.
PREFERENCES = {"script": "", "no script": 'user_pref("javascript.enabled", false);\n'}


@pytest.mark.skipif(FIREFOX is None, reason="no Firefox found: install firefox-esr, or set TEST_FIREFOX")
@pytest.mark.parametrize("look", PREFERENCES)
def test_firefox_draws_the_whole_page(tmp_path: Path, look: str) -> None:
    from PIL import Image

    page, picture, profile = tmp_path / "report.html", tmp_path / "page.png", tmp_path / "profile"
    page.write_text(html.render(make_report()), encoding="utf-8")
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES[look], encoding="utf-8")
    command = [str(FIREFOX), "--headless", "--no-remote", "--profile", str(profile), "--window-size", "1280"]
    environment = {**os.environ, "HOME": str(tmp_path), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    command += ["--screenshot", str(picture), page.as_uri() + "#?theme=dark"]
    subprocess.run(command, check=True, capture_output=True, timeout=180, env=environment)
    with Image.open(picture) as image:
        grey = image.convert("L")
        assert image.width == 1280
        assert image.height > 4_000, "the page is cut off"
        pixels = grey.resize((64, grey.height // 20)).tobytes()
        dark = sum(value < 100 for value in pixels) / len(pixels)
        assert (dark > 0.6) == (look == "script")
        thirds = [grey.crop((300, image.height * i // 3, 1280, image.height * (i + 1) // 3)) for i in range(3)]
        assert all(len(set(part.tobytes())) > 50 for part in thirds), "a third of the page is empty"
