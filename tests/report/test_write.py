"""Outputs are whole or not at all; the old file survives; nothing is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.errors import OutputFailed
from reportgen.report import write
from reportgen.report.write import check_writable, confine_name, shorten_name, write_outputs

ROOT = Path(__file__).resolve().parents[2]


def leftovers(folder: Path) -> list[str]:
    """Return our temporary files in a folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith(write.PREFIX)]


def run(code: str, *arguments: Path) -> subprocess.Popen[bytes]:
    """Start Python code in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE)


def test_files_are_written_and_their_folders_made(tmp_path: Path) -> None:
    files = {tmp_path / "a/b/report.html": b"<p>", tmp_path / "a/report.json": b"{}", tmp_path / "empty": b""}
    assert write_outputs(files) == tuple(files)
    assert {path: path.read_bytes() for path in files} == files
    assert not leftovers(tmp_path) and not leftovers(tmp_path / "a") and not leftovers(tmp_path / "a/b")


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_outputs({tmp_path / "x": b""})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_a_symlink_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "precious", tmp_path / "report.html"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    write_outputs({link: b"new"})
    assert target.read_bytes() == b"precious"
    assert not link.is_symlink() and link.read_bytes() == b"new"


def test_a_dangling_symlink_and_one_to_a_folder_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "one").symlink_to(tmp_path / "nowhere")
    (tmp_path / "two").symlink_to(tmp_path / "folder")
    write_outputs({tmp_path / "one": b"1", tmp_path / "two": b"2"})
    assert not (tmp_path / "nowhere").exists() and not any((tmp_path / "folder").iterdir())
    assert (tmp_path / "two").read_bytes() == b"2" and not (tmp_path / "two").is_symlink()


def test_a_hard_link_keeps_the_old_content_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    os.link(tmp_path / "old", tmp_path / "report.html")
    write_outputs({tmp_path / "report.html": b"new"})
    assert (tmp_path / "old").read_bytes() == b"old"


def test_a_folder_in_the_place_of_the_output_is_refused_before_anything_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputFailed, match="b: is a folder") as caught:
        write_outputs({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert caught.value.exit_code == 74
    assert (tmp_path / "a").read_bytes() == b"old" and not leftovers(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputFailed, match="cannot be written: Not a directory"):
        write_outputs({tmp_path / "file/sub/report.html": b""})
    with pytest.raises(OutputFailed, match="cannot be written"):
        write_outputs({Path("/proc/reportgen-test/report.html"): b""})


@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_files(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {tmp_path / name: b"new" * 1000 for name in ("a", "b")}
    for path in files:
        path.write_bytes(b"old")
    real, calls = getattr(os, step), []

    def full(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OutputFailed, match="b: cannot be written: No space left on device; what was there before"):
        write_outputs(files)
    assert [path.read_bytes() for path in files] == [b"old", b"old"]
    assert not leftovers(tmp_path)


def test_a_real_limit_on_file_size_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(b"old")
    code = """
import resource, signal, sys
from pathlib import Path
from reportgen.errors import OutputFailed
from reportgen.report.write import write_outputs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_outputs({Path(sys.argv[1]): b"x" * 1_000_000})
except OutputFailed as error:
    print(error)
"""
    process = run(code, tmp_path / "report.html")
    output, _ = process.communicate(timeout=60)
    assert b"report.html: cannot be written: File too large" in output
    assert (tmp_path / "report.html").read_bytes() == b"old" and not leftovers(tmp_path)


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    for step in ("open", "write", "fsync"):
        with monkeypatch.context() as patch:

            def interrupted(*arguments: object, real: object = getattr(os, step)) -> object:
                real(*arguments)  # type: ignore[operator]
                raise KeyboardInterrupt

            patch.setattr(os, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                write_outputs({tmp_path / "a": b"new"})
        assert (tmp_path / "a").read_bytes() == b"old" and not leftovers(tmp_path), step


KILLED = """
import os, sys, time
from pathlib import Path
from reportgen.report import write
def sleep(descriptor):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = sleep
write.write_outputs({Path(sys.argv[1]): b"x" * 10_000})
"""


def test_leftovers_of_a_killed_run_are_swept_and_those_of_a_living_one_are_not(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(b"old")
    (tmp_path / f"{write.PREFIX}mine.part").write_bytes(b"not one of ours")
    killed, living = run(KILLED, tmp_path / "report.html"), run(KILLED, tmp_path / "other.html")
    try:
        for process in (killed, living):
            assert process.stdout and process.stdout.readline() == b"writing\n"
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(timeout=30)
        assert (tmp_path / "report.html").read_bytes() == b"old"
        assert len(leftovers(tmp_path)) == 3
        write_outputs({tmp_path / "report.html": b"new"})
        assert len(leftovers(tmp_path)) == 2, "the living writer's file and the one that is not ours stay"
    finally:
        for process in (killed, living):
            process.kill()
            process.wait(timeout=30)
    check_writable(tmp_path)
    assert leftovers(tmp_path) == [f"{write.PREFIX}mine.part"]


def test_a_link_under_our_name_is_not_swept(tmp_path: Path) -> None:
    link = tmp_path / f"{write.PREFIX}0123456789abcdef{write.SUFFIX}"
    link.symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_bytes(b"")
    write_outputs({tmp_path / "x": b""})
    assert link.is_symlink() and (tmp_path / "precious").exists()


WRITER = """
import sys, os
from pathlib import Path
from reportgen.report.write import write_outputs
path, letter = Path(sys.argv[1]), Path(sys.argv[2]).name.encode()
for _ in range(40):
    write_outputs({path: letter * 200_000})
"""


def test_two_writers_of_one_report_leave_one_of_them_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    writers = [run(WRITER, path, Path(letter)) for letter in ("a", "b", "c")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 200_000 and len(set(content)) == 1, "a reader saw half a report"
            seen.add(content[:1])
        time.sleep(0.001)
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert seen and not leftovers(tmp_path)


def test_a_name_that_is_too_long_is_shortened_with_a_hash(tmp_path: Path) -> None:
    written = write_outputs({tmp_path / ("é" * 300 + ".html"): b"1", tmp_path / ("é" * 301 + ".html"): b"2"})
    assert [path.read_bytes() for path in written] == [b"1", b"2"]
    assert all(path.suffix == ".html" and len(os.fsencode(path.name)) <= 150 for path in written)


def test_a_path_that_is_too_long_is_explained(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="File name too long"):
        write_outputs({tmp_path / ("x" * 300) / "report.html": b""})


def test_check_writable_leaves_nothing_and_makes_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new/folder")
    check_writable(tmp_path)
    assert not any(tmp_path.iterdir())


def test_check_writable_refuses_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for folder in (tmp_path / "file", tmp_path / "file/sub", tmp_path / "link", Path("/proc/x/y")):
        with pytest.raises(OutputFailed) as caught:
            check_writable(folder)
        assert caught.value.exit_code == 74 and "\n" not in caught.value.message


def test_a_read_only_folder_is_refused_and_a_writable_one_is_not() -> None:
    folder = Path(tempfile.mkdtemp(prefix="reportgen-test-"))
    (folder / "old").write_bytes(b"old")
    before = os.geteuid()
    try:
        folder.chmod(0o555)
        if before == 0:
            os.seteuid(65534)  # root may write anywhere
        for attempt in (lambda: check_writable(folder), lambda: write_outputs({folder / "old": b"new"})):
            with pytest.raises(OutputFailed, match="Permission denied"):
                attempt()
        os.seteuid(before)
        folder.chmod(0o777)
        if before == 0:
            os.seteuid(65534)
        check_writable(folder)
        write_outputs({folder / "new": b"new"})
    finally:
        os.seteuid(before)
        assert (folder / "old").read_bytes() == b"old"
        shutil.rmtree(folder)


NAMES = {
    "../../etc/passwd": "etc-passwd",
    ".hidden": "hidden",
    "a/b\\c:d": "a-b-c-d",
    "": "_",
    "..": "_",
    "CON": "_CON",
    "nul.txt": "_nul.txt",
    "a\0b\nc": "a-b-c",
    "<script>": "script",
    "\u202eexe": "exe",
}


@pytest.mark.parametrize(("text", "start"), NAMES.items())
def test_names_made_from_text_are_confined(text: str, start: str) -> None:
    assert confine_name(text, ".html").startswith(f"{start}-") and confine_name(text, ".html").endswith(".html")


def test_a_plain_name_stays() -> None:
    assert confine_name("digits_CNN-1.2", ".html") == "digits_CNN-1.2.html"
    assert confine_name("数字") == "数字"


@given(st.text(max_size=400), st.sampled_from(["", ".html"]))
def test_any_text_gives_one_safe_name(text: str, suffix: str) -> None:
    name = confine_name(text, suffix)
    assert name == Path(name).name and not name.startswith((".", "-")) and name.endswith(suffix)
    assert len(os.fsencode(name)) <= 150 and name.isprintable()
    assert confine_name(text, suffix) == name


@given(st.sets(st.text("aA/. -_é", max_size=200), min_size=2, max_size=2))
def test_different_texts_give_different_names(pair: set[str]) -> None:
    first, second = pair
    import unicodedata

    if unicodedata.normalize("NFC", first) != unicodedata.normalize("NFC", second):
        assert confine_name(first) != confine_name(second)


@given(st.text(max_size=300), st.integers(40, 200))
def test_shortened_names_fit(name: str, limit: int) -> None:
    assert len(os.fsencode(shorten_name(name.encode("utf-8", "replace").decode(), limit))) <= max(limit, 1)
