"""BAD_INPUTS 28: addresses on the network: trusted by the command line only, bounded, told without their secrets."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.read import read_report
from tests.faults.case import Case, copy_inputs
from tests.inputs.model_files import write_keras

fsspec = pytest.importorskip("fsspec")
BATCH = {"path": "b.npz", "x": "x", "y": "y"}


class Server(ThreadingHTTPServer):
    """Serves the files of a folder under /files, and answers that go wrong elsewhere."""

    folder: Path
    seen: list[str]

    def url(self, path: str) -> str:
        """Return an address of this server."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    """Answers one request by its path."""

    protocol_version = "HTTP/1.1"

    server: Server

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Serve a file, or go wrong in the way that the path names."""
        self.server.seen.append(self.path)
        kind, _, rest = self.path.strip("/").partition("/")
        getattr(self, f"_{kind}")(rest.partition("?")[0])

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in (
            lines if "Transfer-Encoding" in lines else {"Content-Length": str(len(body))} | lines
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _files(self, name: str) -> None:
        self._send(200, (self.server.folder / name).read_bytes())

    def _404(self, name: str) -> None:
        self._send(404)

    def _403(self, name: str) -> None:
        self._send(403)

    def _moved(self, name: str) -> None:
        self._send(302, Location=self.server.url(f"files/{name}"))

    def _round(self, name: str) -> None:
        self._send(302, Location=self.server.url("round/x.npz"))

    def _inward(self, name: str) -> None:
        self._send(302, Location="file:///etc/passwd")

    def _cut(self, name: str) -> None:
        self._send(200, b"PK\x03\x04" + bytes(500), Content_Length="1000")
        self.close_connection = True

    def _huge(self, name: str) -> None:
        self._send(200, bytes(100), Content_Length=str(10**13))

    def _endless(self, name: str) -> None:
        self._send(200, Transfer_Encoding="chunked")
        try:
            while True:
                self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            pass

    def _slow(self, name: str) -> None:
        self._send(200, b"PK", Content_Length="1000")
        self.wfile.flush()
        time.sleep(6)

    def _page(self, name: str) -> None:
        self._send(200, b"<html>please log in</html>")


@pytest.fixture
def server(case: Case) -> Iterator[Server]:
    """Return a server on this machine; its files lie outside what the case searches for traces."""
    server = Server(("127.0.0.1", 0), Answer)
    server.folder, server.seen = case.path, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def small(case: Case) -> None:
    """Put a model and a batch there."""
    write_keras(case.path / "m.keras")
    np.savez(case.path / "b.npz", x=np.zeros((5, 4), "f4"), y=np.zeros(5, "i8"))


@pytest.mark.keras
def test_a_report_is_made_of_addresses_and_names_them_without_secrets(case: Case, tiny: Path, server: Server) -> None:
    copy_inputs(tiny, case)
    case.write("history.csv", "epoch,loss\n0,0.5\n1,0.4\n")
    case.write("classes.txt", "ant\nbee\ncat\n")
    secret = server.url("files/batch.npz?token=abcdef123").replace("http://", "http://ann:hunter2@")
    config = case.config(
        model=server.url("moved/tiny.keras"),  # a redirect is followed
        history=[server.url("files/history.csv")],
        batch={"path": secret, "x": "x", "y": "y", "ids": "ids", "classes": server.url("files/classes.txt")},
        formats=["html", "json"],
    )
    # What is fetched lies outside the folder of --confine, in one of our own, and is removed.
    ended = case.run("build", config, "--trust=remote", "--confine", case.path)
    assert ended.code == 0, ended.err
    report = read_report(case.out / "report.html")
    facts = report.provenance
    assert facts.model_file == server.url("moved/tiny.keras")
    assert facts.model_sha256 == hashlib.sha256((case.path / "tiny.keras").read_bytes()).hexdigest()
    assert facts.batch_file == f"http://***@127.0.0.1:{server.server_port}/files/batch.npz?***"
    assert facts.batch_sha256 == hashlib.sha256((case.path / "batch.npz").read_bytes()).hexdigest()
    assert facts.history_file == server.url("files/history.csv") and "remote" in facts.trusted
    text = (case.out / "report.html").read_text() + (case.out / "report.json").read_text() + ended.out + ended.err
    assert "bee" in text and "hunter2" not in text and "abcdef123" not in text and "reportgen-worker" not in text


@pytest.mark.parametrize("how", ["file", "set", "environment"])
def test_28_only_the_command_line_grants_it(case: Case, small: None, server: Server, how: str) -> None:
    url = server.url("files/m.keras")
    config, options, variables = case.config(model="m.keras"), (), {}
    match how:
        case "file":
            config = case.config(model=url)
        case "set":
            options = ("--set", f"model={url}", "--set", "trust=remote")
        case "environment":
            variables = {"REPORTGEN_MODEL": url, "REPORTGEN_TRUST": "remote"}
    ended = case.run("build", config, *options, **variables)
    if how == "file":
        ended.refused(3, url, "--trust=remote")
    else:
        assert ended.code == 2 and "trust can only be given as --trust" in ended.err and "--trust=remote" in ended.err
    assert server.seen == []


WRONG = {
    "404/x.npz": ("no such file there",),
    "403/x.npz": ("the server answers 403 Forbidden",),
    "round/x.npz": ("redirects without end",),
    "inward/x.npz": ("cannot be fetched",),
    "cut/x.npz": ("broke off", "try again"),
    "huge/x.npz": ("more than the 1,000,000 bytes", "limits.download"),
    "endless/x.npz": ("more than the 1,000,000 bytes", "limits.download"),
    "page/x.npz": ("is not an NPZ file",),
}


@pytest.mark.parametrize("path", WRONG)
def test_28_what_goes_wrong_on_the_way_is_one_line(case: Case, small: None, server: Server, path: str) -> None:
    url = server.url(path)
    config = case.config(model="m.keras", batch={**BATCH, "path": url + "?sig=geheim99"}, limits={"download": "1 MB"})
    line = case.run("check", config, "--trust=remote").refused(3, f"{url}?***", *WRONG[path])
    assert "geheim99" not in line


def test_28_a_server_that_hangs_is_left_when_the_time_is_up(case: Case, small: None, server: Server) -> None:
    config = case.config(model=server.url("slow/m.keras"), limits={"seconds": 1})
    case.run("check", config, "--trust=remote").refused(124, "slow/m.keras", "within 1 s", "limits.seconds", within=5)


def test_28_nobody_listens(case: Case, small: None) -> None:
    config = case.config(model="m.keras", batch={**BATCH, "path": "http://127.0.0.1:9/b.npz"})
    case.run("check", config, "--trust=remote").refused(3, "http://127.0.0.1:9/b.npz", "cannot be fetched")


NEVER = {
    "file:///etc/passwd": "write its path",
    "local:///etc/passwd": "write its path",
    "FILE://secret.keras": "write its path",
    "simplecache::file:///etc/passwd": "chained",
    "zip://m.keras::http://127.0.0.1/a.zip": "chained",
    "reference://x.json": "`reference` addresses are not read",
    "dir://etc/passwd": "`dir` addresses are not read",
    "git://m.keras": "`git` addresses are not read",
}


@pytest.mark.parametrize("url", NEVER)
def test_28_no_address_leads_to_files_of_this_machine(case: Case, small: None, url: str) -> None:
    config = case.config(model=url)
    case.run("check", config, "--trust", "--confine", case.path).refused(3, NEVER[url], "config.yaml:1:")


@pytest.mark.parametrize("key", ["output=http://127.0.0.1/x", "theme.logo=https://127.0.0.1/x.png"])
def test_28_what_must_be_here_is_not_taken_from_elsewhere(case: Case, small: None, key: str) -> None:
    case.run("check", case.config(model="m.keras"), "--set", key, "--trust").refused(3, "must be a path")


def test_28_a_package_that_is_missing_is_named_with_its_command(case: Case, small: None) -> None:
    config = case.config(model="s3://bucket/m.keras")
    missing = "sys.modules['s3fs'] = None"
    case.run("check", config, "--trust=remote", code=missing).refused(3, "s3fs is not installed", "pip install s3fs")
    missing = "sys.modules['fsspec'] = sys.modules['fsspec.callbacks'] = None"
    case.run("check", config, "--trust=remote", code=missing).refused(3, "fsspec is not", "'reportgen[remote]'")


MEMORY = """
import fsspec
memory = fsspec.filesystem("memory")
for name in ("m.keras", "b.npz"):
    memory.pipe_file("/data/" + name, open(name, "rb").read())
"""


def test_28_files_in_the_memory_of_fsspec(case: Case, small: None) -> None:
    batch = {**BATCH, "path": "memory://data/b.npz"}
    config = case.config(model="memory://data/m.keras", batch=batch, history=[])
    ended = case.run("check", config, "--trust=remote", code=MEMORY)
    assert ended.code == 0 and "model: memory://data/m.keras (keras)" in ended.out and "5 samples" in ended.out
    folder = case.config(model="memory://data")
    case.run("check", folder, "--trust=remote", code=MEMORY).refused(3, "memory://data", "is a folder")
    nothing = case.config(model="memory://data/n.keras")
    case.run("check", nothing, "--trust=remote", code=MEMORY).refused(3, "memory://data/n.keras", "no such file")


def test_28_a_signal_while_fetching_leaves_nothing(case: Case, small: None, server: Server) -> None:
    config = case.config(model=server.url("slow/m.keras"))
    seen = case.snapshot()
    process = case.start("check", config, "--trust=remote")
    while not server.seen:
        time.sleep(0.02)
    process.terminate()
    _, said = process.communicate(timeout=10)
    assert process.returncode == 143 and "Traceback" not in said
    case.no_trace(seen)


def test_names_in_a_list_are_names_whatever_they_look_like(case: Case, small: None) -> None:
    names = {"classes": ["http://a", "b::c", "cat:dog"]}
    lines = {"model": "m.keras", "batch": {**BATCH, **names}}
    assert "remote" not in case.run("check", case.write("c.yaml", json.dumps(lines))).err
