"""BAD_INPUTS 92-99: faults while a report is written, through `reportgen render` (and `build` before TensorFlow)."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from reportgen.report.read import read_report
from tests.faults.case import Case, needs_root
from tests.inputs.model_files import write_keras

FULL = """
mount -t tmpfs -o size=96k tmpfs "$1" || exit 99
printf old > "$1/report.html"
shift; "$@"; code=$?
cat out/report.html; ls -A out | wc -l
exit $code
"""


@pytest.fixture
def report(case: Case, saved: str) -> Path:
    """Return a saved report in the case."""
    return case.write("saved.json", saved)


def old_report(case: Case) -> Path:
    """Put an old report into the output folder."""
    case.out.mkdir()
    path = case.out / "report.html"
    path.write_bytes(b"old")
    return path


def test_93_output_that_is_a_symlink_is_replaced_and_never_followed(case: Case, report: Path) -> None:
    case.out.mkdir()
    precious = case.write("precious.html", "precious")
    (case.out / "report.html").symlink_to(precious)
    assert case.run("render", report, "-o", case.out).code == 0
    assert precious.read_text() == "precious"
    assert not (case.out / "report.html").is_symlink() and read_report(case.out / "report.html").title


def test_93_a_symlink_to_a_device_or_to_nothing_is_replaced(case: Case, report: Path) -> None:
    for target in ("/dev/full", case.path / "nowhere"):
        shutil.rmtree(case.out, ignore_errors=True)
        case.out.mkdir()
        (case.out / "report.html").symlink_to(target)
        assert case.run("render", report, "-o", case.out).code == 0
        assert (case.out / "report.html").stat().st_size > 10_000 and not (case.out / "report.html").is_symlink()


def test_94_a_read_only_folder_fails_before_tensorflow_is_imported(fonts: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="reportgen-faults-"))  # reachable for another user, unlike pytest's own
    folder.chmod(0o755)
    try:
        case = Case(folder, fonts)
        write_keras(folder / "m.keras")
        config = case.config(model="m.keras")
        old_report(case)
        case.out.chmod(0o555)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
        ended = case.run("build", config, prefix=nobody)
        ended.refused(74, "out", "cannot be written", "Permission denied")
        assert "Keras" not in ended.err and (case.out / "report.html").read_bytes() == b"old"
        case.run("build", case.config(model="m.keras", output="out/below/it"), prefix=nobody).refused(74, "out")
    finally:
        case.out.chmod(0o755)
        shutil.rmtree(folder)


def test_94_a_file_in_place_of_the_folder_fails_before_tensorflow_is_imported(case: Case) -> None:
    write_keras(case.path / "m.keras")
    case.write("taken", "a file")
    for output in ("taken", "taken/below", "/proc/x", "/dev/null"):
        ended = case.run("build", case.config(model="m.keras", output=output))
        ended.refused(74, output.removesuffix("/below").removesuffix("/x"))
        assert "Keras" not in ended.err


@needs_root
def test_95_a_full_disk_leaves_the_old_report_and_gives_74(case: Case, report: Path) -> None:
    case.out.mkdir()
    shell = ("unshare", "-m", "sh", "-c", FULL, "sh", str(case.out))
    ended = case.run("render", report, "-o", "out", prefix=shell)
    if ended.code == 99 or "unshare" in ended.err:
        pytest.skip("needs permission to mount a tmpfs")
    ended.refused(74, "report.html", "No space left on device", "unchanged")
    assert ended.out.split() == ["old1"], "the old report stands there alone"


def test_95_a_limit_on_file_sizes_leaves_the_old_report_and_gives_74(case: Case, report: Path) -> None:
    old = old_report(case)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # noqa: E731
    case.run("render", report, "-o", "out", before=limit).refused(74, "report.html", "File too large", "unchanged")
    assert old.read_bytes() == b"old"


def test_96_a_name_that_is_too_long_is_told_and_a_long_title_makes_none(case: Case, report: Path) -> None:
    case.run("render", report, "-o", "x" * 300).refused(74, "File name too long")
    case.run("render", report, "-o", "/".join(["y" * 250] * 20)).refused(74, "File name too long")
    write_keras(case.path / "m.keras")
    config = case.config(model="m.keras", title="../" * 300)
    assert case.run("check", config).code == 0
    ended = case.run("render", report, "-o", f"out/{'z' * 255}")
    assert ended.code == 0 and (case.out / ("z" * 255) / "report.html").exists()


KILL_AT = """
import os, signal
from reportgen.report import write
calls = 0
def killed(real):
    def call(*arguments, **keys):
        global calls
        calls += 1
        if calls == {number}:
            if {late}: real(*arguments, **keys)
            os.kill(os.getpid(), signal.{name})
            if {late}: return None
        return real(*arguments, **keys)
    return call
for name in ("write", "fsync", "replace"):
    if hasattr(os, name): setattr(os, name, killed(getattr(os, name)))
from pathlib import Path
Path.replace = killed(Path.replace)
"""


def test_98_sigkill_at_every_step_of_writing_leaves_an_old_or_a_new_report(case: Case, report: Path) -> None:
    old = old_report(case)
    # Before and after the bytes are written, they are safe on disk, the old report is replaced.
    for number, late in ((1, False), (1, True), (2, True), (3, False), (3, True)):
        code = KILL_AT.format(number=number, late=late, name="SIGKILL")
        ended = case.run("render", report, "-o", "out", code=code, clean=False)
        content = old.read_bytes()
        assert ended.code in (-signal.SIGKILL, 0)
        assert content == b"old" or read_report(old).title, "half a report"
    assert case.run("render", report, "-o", "out").code == 0
    assert [path.name for path in case.out.iterdir()] == ["report.html"], "leftovers were not swept"


@pytest.mark.parametrize(
    ("number", "name", "code"), [(1, "SIGINT", 130), (2, "SIGTERM", 143), (3, "SIGINT", 130)], ids=str
)
def test_97_a_signal_at_every_step_of_writing_leaves_nothing_behind(
    case: Case, report: Path, number: int, name: str, code: int
) -> None:
    old = old_report(case)
    ended = case.run("render", report, "-o", "out", code=KILL_AT.format(number=number, late=False, name=name))
    assert ended.code == code, ended.err
    assert old.read_bytes() == b"old" or read_report(old).title
    assert [path.name for path in case.out.iterdir()] == ["report.html"]


def test_97_a_signal_in_the_first_moments_is_no_traceback(case: Case, report: Path) -> None:
    old_report(case)
    for delay in (0.05, 0.15, 0.3, 0.45):
        process = case.start("render", report, "-o", "out")
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        # Before Python's own start-up is over nobody can catch a signal: the system ends the process.
        assert process.returncode in (143, -signal.SIGTERM, 0), said
        assert "Traceback" not in said
        assert [path.name for path in case.out.iterdir()] == ["report.html"]


def test_99_two_writers_of_one_report_leave_one_of_them_whole(case: Case, saved: str) -> None:
    for number in range(2):
        case.write(f"{number}.json", saved.replace('"title":"', f'"title":"run {number} ', 1))
    processes = [case.start("render", f"{number}.json", "-o", "out") for number in range(2) for _ in range(2)]
    while any(process.poll() is None for process in processes):
        if (case.out / "report.html").exists():
            assert (case.out / "report.html").read_bytes().rstrip().endswith(b"</html>"), "half a report"
        time.sleep(0.01)
    assert [process.communicate()[1] for process in processes] == [""] * 4
    assert all(process.returncode == 0 for process in processes)
    assert read_report(case.out / "report.html").title
    assert [path.name for path in case.out.iterdir()] == ["report.html"]
