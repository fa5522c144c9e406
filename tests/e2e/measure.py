"""Measures finished reports in a real browser: python tests/e2e/measure.py REPORT.html...

For each: bytes, first and largest paint, long tasks, layout shift, axe in light, dark and narrow, whether it is wider
than its window. With VNU_JAR the Nu validator's errors, with LIGHTHOUSE that program's scores (on 127.0.0.1, desktop).
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

RUNS = 5
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 380, "height": 780}},
}
OBSERVE = """
window.seen = {tasks: [], shift: 0, largest: 0};
const watch = take => new PerformanceObserver(list => list.getEntries().forEach(take));
const observe = (type, take) => watch(take).observe({type, buffered: true});
observe("longtask", entry => seen.tasks.push(entry.duration));
observe("layout-shift", entry => seen.shift += entry.value);
observe("largest-contentful-paint", entry => seen.largest = entry.startTime);
"""


def time_page(browser: Any, file: Path) -> dict[str, float]:
    """Return the medians of a few loads: milliseconds to the first and largest paint, longest task, layout shift."""
    rows = []
    for _ in range(RUNS):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(OBSERVE)
        page.goto(file.as_uri())
        page.wait_for_timeout(1_000)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        seen = page.evaluate("window.seen")
        rows.append((paint, seen["largest"], max(seen["tasks"], default=0), seen["shift"]))
        page.close()
    names = ("first paint ms", "largest paint ms", "longest task over 50 ms", "layout shift")
    return {
        name: round(statistics.median(values), 4) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }


def run_axe(browser: Any, file: Path) -> dict[str, Any]:
    """Return what axe finds in each look, with everything open, and whether the page is wider than the window."""
    from axe_playwright_python.sync_playwright import Axe

    found: dict[str, Any] = {}
    for look, options in LOOKS.items():
        context = browser.new_context(bypass_csp=True, **options)
        page = context.new_page()
        page.goto(file.as_uri())
        for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 700):
            page.evaluate(f"scrollTo({{top: {y}, behavior: 'instant'}})")
            page.wait_for_timeout(10)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        violations = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response["violations"]
        found[look] = [f"{v['id']} x{len(v['nodes'])}: {v['nodes'][0]['html'][:120]}" for v in violations]
        found[look] += [f"{wide} px wider than the window"] if wide > 0 else []
        context.close()
    return found


def validate(file: Path) -> list[str]:
    """Return the errors of the Nu validator."""
    command = ["java", "-jar", os.environ["VNU_JAR"], "--errors-only", "--stdout", "--format", "json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [message["message"][:200] for message in json.loads(done.stdout or "{}").get("messages", ())]


class Compressed(http.server.SimpleHTTPRequestHandler):
    """Serves files as web servers do, compressed: Lighthouse computes with a line of 10 Mbit/s."""

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        if file.suffix != ".html" or not file.is_file():
            self.send_error(404)
            return
        body = gzip.compress(file.read_bytes())
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Encoding", "gzip"), ("Content-Length", len(body))):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def run_lighthouse(file: Path) -> dict[str, Any]:
    """Return Lighthouse's scores and what keeps them from 100."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Compressed, directory=str(file.parent))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{file.name}"
    flags = [
        "--quiet",
        "--output=json",
        "--preset=desktop",
        "--only-categories=performance,accessibility,best-practices",
    ]
    chrome = {"CHROME_PATH": os.environ.get("CHROME_PATH") or shutil.which("chromium") or ""}
    command = [os.environ["LIGHTHOUSE"], address, *flags, "--chrome-flags=--headless=new --no-sandbox"]
    with tempfile.TemporaryDirectory() as folder:  # what it writes to a pipe is cut at its end
        answer = Path(folder) / "answer.json"
        command.append(f"--output-path={answer}")
        subprocess.run(command, capture_output=True, check=False, env={**os.environ, **chrome})
        result = json.loads(answer.read_text(encoding="utf-8"))
    server.shutdown()
    scores = {name: round(category["score"] * 100) for name, category in result["categories"].items()}
    counted = {
        ref["id"] for category in result["categories"].values() for ref in category["auditRefs"] if ref["weight"]
    }
    short = {
        name: audit.get("displayValue", audit["title"])
        for name, audit in result["audits"].items()
        if name in counted and audit["score"] is not None and audit["score"] < 1
    }
    return {"scores": scores, "below 1": short}


def main(files: list[str]) -> None:
    """Print one block of JSON a report."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name in files:
            file = Path(name).resolve()
            row: dict[str, Any] = {"report": name, "bytes": file.stat().st_size, **time_page(browser, file)}
            row["axe"] = run_axe(browser, file)
            row |= {"validator": validate(file)} if os.environ.get("VNU_JAR") else {}
            row |= {"lighthouse": run_lighthouse(file)} if os.environ.get("LIGHTHOUSE") else {}
            print(json.dumps(row, indent=1), flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
