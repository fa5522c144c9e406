"""The worker process: it answers, it is watched, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.errors import TimeLimit, WorkerFailed
from reportgen.worker.launch import Limits, Worker, start
from reportgen.worker.plan import BatchSpec, ModelSpec, Plan
from reportgen.worker.surroundings import make_environment

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
NOTHING = Plan(ModelSpec("/nowhere.keras", "keras"), None)


def start_on(plan: Plan, **options: Any) -> Worker:
    """Start a worker and tell it what to do."""
    worker = start(**options)
    worker.send(plan)
    return worker


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the worker's private folders appear where the test can see them."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def digits_plan(**options) -> Plan:
    batch = BatchSpec(str(DIGITS / "test.npz"), "npz", {"": "x_test"}, {"": "y_test"}, ids="ids")
    return Plan(ModelSpec(str(DIGITS / "model.keras"), "keras"), batch, **options)


def fake(tmp_path: Path, code: str) -> str:
    """Return an interpreter that runs `code` instead of the worker; `folder` and `emit` are there."""
    path = tmp_path / "fake_python"
    body = textwrap.dedent(code)
    path.write_text(
        f"#!{sys.executable}\nimport json, os, sys, time, signal\nfolder = sys.argv[2]\n"
        "def emit(**event):\n    os.write(int(os.environ['REPORTGEN_EVENTS_FD']), json.dumps(event).encode() + "
        "b'\\n')\n" + body
    )
    path.chmod(0o755)
    return str(path)


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def wait_until(condition, seconds: float = 5.0) -> bool:
    """Wait for a condition, at most some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def assert_gone(pid: int, folder: Path) -> None:
    assert wait_until(lambda: not alive(pid)), "the worker still runs"
    assert wait_until(lambda: not list(folder.iterdir())), f"left behind: {list(folder.iterdir())}"


@pytest.mark.keras
def test_a_real_model_is_examined_and_nothing_stays_behind(own_temporary_folder: Path) -> None:
    events: list[dict] = []
    code = (
        "import sys; sys.path.insert(0, {!r}); import reportgen.worker.launch; "
        "print(sorted({{'keras', 'tensorflow'}} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code.format(str(ROOT))], text=True).strip() == "[]"
    worker = start_on(digits_plan(), limits=Limits(120, 4 << 30))
    evidence = worker.wait(events.append)
    assert evidence.problems == () and evidence.n_samples == 450
    assert evidence.outputs[0].task == "multiclass" and evidence.outputs[0].n_labelled == 450
    assert (
        evidence.graph is not None
        and evidence.dot.startswith("digraph")
        and evidence.maps
        and evidence.kernels is not None
    )
    assert {"import", "load", "predict", "maps"} <= {name for name, _ in evidence.timings}
    assert evidence.peak_memory_bytes > 100 << 20 and worker.peak_memory > 100 << 20
    assert [event for event in events if event["event"] == "progress" and event["done"] == 450]
    assert_gone(worker.pid, own_temporary_folder)


@pytest.mark.keras
def test_the_same_plan_gives_the_same_evidence_under_another_hash_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        found.append(start_on(digits_plan(), limits=Limits(120)).wait())
    one, two = found
    assert one.graph == two.graph and one.dot == two.dot and one.layers == two.layers
    for a, b in zip(one.activations, two.activations, strict=True):
        assert (a.mean, a.std, a.zeros, a.dead) == (b.mean, b.std, b.zeros, b.dead)
    np.testing.assert_array_equal(one.outputs[0].records.loss, two.outputs[0].records.loss)


@pytest.mark.keras
def test_the_worker_needs_neither_an_installed_reportgen_nor_the_parents_packages(tmp_path: Path) -> None:
    """An interpreter in isolated mode (-I), started elsewhere, still finds the worker's own modules."""
    wrapper = tmp_path / "isolated_python"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -I "$@"\n')
    wrapper.chmod(0o755)
    plan = Plan(ModelSpec(str(DIGITS / "model.keras"), "keras"), None)
    evidence = start_on(plan, python=str(wrapper), limits=Limits(120)).wait()
    assert evidence.model is not None and evidence.model.name and evidence.outputs == ()


@pytest.mark.keras
def test_a_model_that_cannot_be_loaded_still_gives_its_graph(tmp_path: Path) -> None:
    import json
    import zipfile

    path = tmp_path / "m.keras"
    with zipfile.ZipFile(DIGITS / "model.keras") as old, zipfile.ZipFile(path, "w") as new:
        config = json.loads(old.read("config.json"))
        config["config"]["layers"][-1] |= {"class_name": "Mine", "module": "my_package", "registered_name": "Mine"}
        new.writestr("config.json", json.dumps(config))
        new.writestr("metadata.json", old.read("metadata.json"))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    evidence = start_on(Plan(ModelSpec(str(path), "keras"), None), limits=Limits(120)).wait()
    assert evidence.model is None and evidence.graph is not None and evidence.graph.source == "config"
    assert "Keras does not know" in evidence.problems[0].message and "custom_objects" in evidence.problems[0].fix


@pytest.mark.keras
def test_content_decides_the_format_not_the_name(tmp_path: Path) -> None:
    import shutil

    shutil.copy(DIGITS / "model.keras", tmp_path / "model.h5")
    evidence = start_on(Plan(ModelSpec(str(tmp_path / "model.h5"), "keras"), None), limits=Limits(120)).wait()
    assert evidence.model is not None and "whatever its name says" in evidence.model.notes[0]


def test_a_worker_that_hangs_is_ended_with_its_children(tmp_path: Path, own_temporary_folder: Path) -> None:
    python = fake(tmp_path, "emit(event='child', pid=os.fork() or os.getpid())\ntime.sleep(60)")
    worker = start_on(NOTHING, python=python, limits=Limits(seconds=0.5))
    children: list[int] = []
    with pytest.raises(TimeLimit, match=r"limits\.seconds") as caught:
        worker.wait(lambda event: children.append(event["pid"]))
    assert caught.value.exit_code == 124 and len(children) == 2
    for pid in children:
        assert_gone(pid, own_temporary_folder)


def test_a_worker_that_takes_too_much_memory_is_ended(tmp_path: Path, own_temporary_folder: Path) -> None:
    python = fake(
        tmp_path, "data = bytearray(400 << 20)\nfor i in range(0, len(data), 4096): data[i] = 1\ntime.sleep(60)"
    )
    worker = start_on(NOTHING, python=python, limits=Limits(30, memory=200 << 20))
    with pytest.raises(WorkerFailed, match=r"200 MiB.*limits\.memory"):
        worker.wait()
    assert_gone(worker.pid, own_temporary_folder)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "out of memory"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("sys.exit(7)", "exit code 7"),
        ("emit(event='error', type='ImportError', message='No module named keras')", "Keras cannot be imported"),
        ("emit(event='error', type='ValueError', message='odd\\nthing')", "ValueError: odd thing"),
        ("emit(event='done')", "not what was agreed"),
        ("open(folder + '/evidence.json', 'w').write('{}'); emit(event='done')", "not what was agreed"),
        ("print('x' * (5 << 20), flush=True); time.sleep(30)", "printed more than"),
        ("os.write(int(os.environ['REPORTGEN_EVENTS_FD']), b'n\\n[1]\\n' + b'y' * 200000); sys.exit(3)", "exit code 3"),
    ],
)  # fmt: skip
def test_what_a_worker_died_of_is_told(tmp_path: Path, own_temporary_folder: Path, code: str, said: str) -> None:
    worker = start_on(NOTHING, python=fake(tmp_path, code), limits=Limits(20))
    with pytest.raises(WorkerFailed, match=said) as caught:
        worker.wait()
    assert "\n" not in caught.value.message and caught.value.exit_code == 3
    assert_gone(worker.pid, own_temporary_folder)


def test_what_a_worker_printed_is_kept_for_debugging(tmp_path: Path) -> None:
    worker = start_on(NOTHING, python=fake(tmp_path, "print('a hint', flush=True); sys.exit(1)"), limits=Limits(20))
    with pytest.raises(WorkerFailed) as caught:
        worker.wait()
    assert "a hint" in caught.value.detail


def test_stopping_ends_everything_at_once_and_twice(tmp_path: Path, own_temporary_folder: Path) -> None:
    worker = start_on(NOTHING, python=fake(tmp_path, "time.sleep(60)"), limits=Limits(60))
    assert alive(worker.pid)
    worker.stop()
    worker.stop()
    assert_gone(worker.pid, own_temporary_folder)
    with pytest.raises(WorkerFailed, match="stopped"):
        worker.wait()


def test_an_exception_in_the_with_block_ends_the_worker(tmp_path: Path, own_temporary_folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), start_on(NOTHING, python=fake(tmp_path, "time.sleep(60)")) as worker:
        raise KeyboardInterrupt
    assert_gone(worker.pid, own_temporary_folder)


def test_a_progress_function_that_raises_ends_the_worker(tmp_path: Path, own_temporary_folder: Path) -> None:
    worker = start_on(NOTHING, python=fake(tmp_path, "emit(event='stage', stage='load')\ntime.sleep(60)"))
    with pytest.raises(ZeroDivisionError):
        worker.wait(lambda event: 1 // 0)
    assert_gone(worker.pid, own_temporary_folder)


def test_the_real_worker_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Even SIGKILL of the parent ends the worker: the lifeline's end closes."""
    code = f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        import reportgen.worker.launch as launch
        print(launch.start().pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.4)  # Far enough into `import keras` for the watch to be there.
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not alive(pid), 10), "the worker outlived its parent"


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path, own_temporary_folder: Path) -> None:
    with pytest.raises(WorkerFailed, match="no_such_python"):
        start_on(NOTHING, python=str(tmp_path / "no_such_python"))
    assert not list(own_temporary_folder.iterdir())


def test_the_worker_sees_no_secret_and_no_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    python = fake(
        tmp_path,
        "emit(event='seen', text=repr(dict(os.environ)), stdin=sys.stdin.read(), mode=oct(os.stat(folder).st_mode))",
    )
    seen: list[dict] = []
    with pytest.raises(WorkerFailed):
        start_on(NOTHING, python=python, limits=Limits(20)).wait(seen.append)
    assert "hunter2" not in seen[0]["text"] and "/somewhere" not in seen[0]["text"]
    assert seen[0]["stdin"] == "" and seen[0]["mode"] == "0o40700"


def test_another_interpreter_gets_none_of_this_ones_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert make_environment(tmp_path / "a", own=True, backend="jax", events=3, lifeline=4)["PYTHONPATH"] == "/somewhere"
    other = make_environment(tmp_path / "b", own=False, backend="jax", events=3, lifeline=4)
    assert (
        "PYTHONPATH" not in other and other["KERAS_BACKEND"] == "jax" and other["KERAS_HOME"].startswith(str(tmp_path))
    )
