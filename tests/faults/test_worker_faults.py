"""BAD_INPUTS 5, 20, 101, 106 and `--isolate`: what a model can do to, and from inside, the worker."""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.read import read_report
from reportgen.worker import isolation
from tests.faults.case import Case
from tests.inputs.model_files import dense, layer, write_keras

Config = dict[str, Any]
GIB = 2**30


def tensor(layer_name: str, width: int = 4) -> Config:
    """Return a reference to a layer's output as it stands in a node's arguments."""
    history = {"shape": [None, width], "dtype": "float32", "keras_history": [layer_name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def called(config: Config, *arguments: Any) -> Config:
    """Return a layer's config with the node that calls it."""
    return {**config, "name": config["config"]["name"], "inbound_nodes": [{"args": list(arguments), "kwargs": {}}]}


def functional(*layers: Config, output: str) -> Config:
    """Return a functional model of these layers behind one input of four numbers."""
    start = {**layer("InputLayer", name="input", batch_shape=[None, 4], dtype="float32"), "name": "input"}
    start["inbound_nodes"] = []
    config = {"name": "m", "trainable": True, "layers": [start, *layers]}
    config |= {"input_layers": [["input", 0, 0]], "output_layers": [[output, 0, 0]]}
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def unbuilt(name: str) -> Config:
    """Return a Dense layer that says nothing of the shape it was built for."""
    config = dense(name)
    del config["build_config"]
    return config


def behind_a_wide_input() -> Config:
    """Return a model whose Dense layer gets two billion inputs, which its config does not say."""
    return functional(
        called(layer("RepeatVector", name="repeat", n=500_000_000), tensor("input")),
        called(layer("Flatten", name="flat"), tensor("repeat")),
        called(unbuilt("out"), tensor("flat")),
        output="out",
    )


def eager_allocation() -> Config:
    """Return a model with an unconnected node that calls an API function while it is loaded: 80 GB of numbers."""
    node = layer("Arange", "keras.src.ops.numpy", name="arange", dtype="float32")
    return functional(called(unbuilt("out"), tensor("input")), called(node, 0, 20_000_000_000), output="out")


def huge_activation() -> Config:
    """Return a model whose activations take 64 GB."""
    return functional(
        called(layer("RepeatVector", name="repeat", n=2_000_000_000), tensor("input")),
        called(layer("GlobalAveragePooling1D", name="mean"), tensor("repeat")),
        output="mean",
    )


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        (behind_a_wide_input, 3, ("ask for more than", "layer `out`")),
        (eager_allocation, 3, ()),
        (huge_activation, 4, ()),
    ],
    ids=["20-weights", "5-load", "101-predict"],
)
@pytest.mark.skipif(sys.platform != "linux", reason="memory limits need Linux")
def test_a_bomb_that_passes_the_preflight_ends_within_its_memory_limit_and_leaves_a_report(
    case: Case, model: Any, code: int, words: tuple[str, ...]
) -> None:
    write_keras(case.path / "m.keras", model())
    np.savez(case.path / "b.npz", x=np.zeros((8, 4), "f4"), y=np.arange(8) % 3)
    config = case.config(model="m.keras", batch={"path": "b.npz", "x": "x", "y": "y"}, limits={"memory": "3 GB"})
    ended = case.run("build", config)
    assert ended.code in (code, 3), ended.out + ended.err
    assert ended.seconds < 60
    for word in words:
        assert word in ended.err
    report = read_report(case.out / "report.html")
    assert report.verdict.level == "unknown"
    assert report.run is not None and (report.run.peak_memory_bytes or 0) < 4 * GIB


SPY = """
import os, socket, sys
def make():
    try:
        socket.create_connection(("127.0.0.1", {port}), 2).sendall(b"got out")
        net = "connected"
    except OSError as error:
        net = "no network"
    shown = sorted(name for name in os.environ if "TOKEN" in name or "SECRET" in name or "KEY" in name)
    raise RuntimeError(f"net={{net}} stdin={{sys.stdin.read()!r}} secrets={{shown}} tmp={{os.environ['TMPDIR'][-4:]}}")
"""


def listen() -> tuple[socket.socket, list[bytes]]:
    """Return a local server and what it hears."""
    server, heard = socket.create_server(("127.0.0.1", 0)), []

    def hear() -> None:
        try:
            while True:
                connection, _ = server.accept()
                heard.append(connection.recv(100))
        except OSError:
            return

    threading.Thread(target=hear, daemon=True).start()
    return server, heard


@pytest.mark.keras
@pytest.mark.slow
def test_an_isolated_worker_has_no_network_and_none_has_secrets_or_input(case: Case) -> None:
    problem = isolation.why_not_isolated()
    server, heard = listen()
    case.write("spy.py", SPY.format(port=server.getsockname()[1]))
    config = case.config(model={"builder": "spy:make"}, output="out")
    secrets = {"GITHUB_TOKEN": "t0ken-of-the-job", "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-job"}
    try:
        open_ = case.run("build", config, "--trust=builder", **secrets)
        assert "net=connected" in open_.err and heard == [b"got out"], open_.err
        if problem:
            case.run("build", config, "--trust=builder", "--isolate").refused(2, "--isolate")
            return
        shut = case.run("build", config, "--trust=builder", "--isolate", **secrets)
        assert "net=no network" in shut.err and heard == [b"got out"], shut.err
        for ended in (open_, shut):
            assert "stdin='' secrets=[] tmp=/tmp" in ended.err
    finally:
        server.close()


def test_where_no_worker_can_be_isolated_the_option_is_refused_before_keras(case: Case) -> None:
    write_keras(case.path / "m.keras")
    code = "from reportgen.worker import launch\nlaunch.why_not_isolated = lambda: 'Operation not permitted'"
    ended = case.run("build", case.config(model="m.keras"), "--isolate", code=code)
    ended.refused(2, "--isolate", "Operation not permitted", "leave it out")
    assert not case.out.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are Linux's")
def test_the_probe_says_why_a_system_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\necho 'Operation not permitted' >&2; exit 1\n")
    false.chmod(0o755)
    monkeypatch.setattr(isolation.sys, "executable", str(false))
    assert isolation.why_not_isolated() == "Operation not permitted"


def test_the_worker_sees_an_allow_list_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reportgen.worker.surroundings import KEPT, PREFIXES, make_environment

    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "LD_PRELOAD", "PYTHONSTARTUP", "http_proxy"):
        monkeypatch.setenv(name, "x")
    found = make_environment(tmp_path, own=True, backend="", events=3, lifeline=4)
    assert json.dumps(found) and not {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "LD_PRELOAD"} & set(
        found
    )
    assert "PYTHONSTARTUP" not in found and "http_proxy" not in found
    secret_like = [n for n in KEPT if any(w in n for w in ("TOKEN", "SECRET", "PASS", "CREDENTIAL"))]
    assert not secret_like and PREFIXES == ("LC_",)
