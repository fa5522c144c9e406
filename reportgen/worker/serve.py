"""The worker process: import Keras, wait for the plan, run it, write the evidence, leave at once."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reportgen.worker.isolation import settle_in

EVENTS_FD = "REPORTGEN_EVENTS_FD"
LIFELINE_FD = "REPORTGEN_LIFELINE_FD"
# Keras walks a model by recursion: Python's usual limit ends at some 950 layers in a row.
DEEPEST = 20_000


def serve(folder: str, started: float, *, early: bool) -> None:
    """Run the plan that comes into `folder`; never returns. Exit code 0 means that the evidence is on disk.

    With `early` Keras is imported while the parent still looks at the inputs.
    """
    emit = _emitter(os.environ.pop(EVENTS_FD, ""))
    code = 1
    try:
        settle_in()
        planned = _watch_parent(os.environ.pop(LIFELINE_FD, ""))
        _work(Path(folder), emit, started, planned, early)
        code = 0
    except BaseException as error:  # The parent hears of everything, also of SystemExit raised by an import.
        emit({"event": "error", "type": type(error).__name__, "message": str(error)[:2000]})
        _print_traceback()
    finally:
        # No interpreter shutdown: tearing TensorFlow down takes longer than a small report.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(
    folder: Path, emit: Callable[[dict[str, Any]], None], started: float, planned: threading.Event, early: bool
) -> None:
    """Import Keras, run the plan, write the evidence."""
    import faulthandler

    faulthandler.enable()
    sys.setrecursionlimit(DEEPEST)
    imported = _import_keras(emit, started) if early else 0.0
    from reportgen.worker.border import read_plan, write_evidence

    planned.wait()
    plan = read_plan(folder)
    if plan.predictions is not None:  # judged without Keras
        from reportgen.worker.predicted import judge_predictions

        evidence = judge_predictions(plan, emit)
    else:
        imported = imported or _import_keras(emit, started)
        from reportgen.worker.run import run

        evidence = run(plan, emit, before=(("import", imported),))
    write_evidence(evidence, folder)
    emit({"event": "done", "seconds": round(time.perf_counter() - started, 3)})


def _import_keras(emit: Callable[[dict[str, Any]], None], started: float) -> float:
    """Import Keras and what runs a plan; return how many seconds that took from the start of the process."""
    emit({"event": "stage", "stage": "import"})
    from reportgen.worker.quiet_import import import_keras

    import_keras()
    import reportgen.worker.run  # noqa: F401

    return time.perf_counter() - started


def _emitter(fd: str) -> Callable[[dict[str, Any]], None]:
    """Return a function that writes one JSON line an event to the parent, or nowhere without a pipe."""
    if not fd:
        return lambda event: None
    number = int(fd)
    os.set_inheritable(number, False)
    lock = threading.Lock()

    def emit(event: dict[str, Any]) -> None:
        """Write one event; a parent that is gone is not an error here."""
        line = json.dumps(event, ensure_ascii=True).encode("ascii") + b"\n"
        with lock:
            try:
                os.write(number, line)
            except OSError:
                return

    return emit


def _watch_parent(fd: str) -> threading.Event:
    """Return what is set when the parent says that the plan is there (at once without a parent).

    When the parent's end of the pipe closes, however the parent died, this process group ends.
    """
    planned = threading.Event()
    if not fd:
        planned.set()
        return planned
    number = int(fd)
    os.set_inheritable(number, False)

    def watch() -> None:
        """Block until the pipe reports its end; a byte says that the plan is there."""
        try:
            while os.read(number, 1):
                planned.set()
        except OSError:
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return planned


def _print_traceback() -> None:
    """Put the traceback into the captured log; only `--debug` shows it."""
    import traceback

    traceback.print_exc()
