"""The worker process: read the plan, run it, write the evidence, leave at once."""

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


def serve(folder: str, started: float) -> None:
    """Run the plan in `folder`; never returns. Exit code 0 means that the evidence is on disk."""
    emit = _emitter(os.environ.pop(EVENTS_FD, ""))
    code = 1
    try:
        settle_in()
        _die_with_parent(os.environ.pop(LIFELINE_FD, ""))
        _work(Path(folder), emit, started)
        code = 0
    except BaseException as error:  # The parent hears of everything, also of SystemExit raised by an import.
        emit({"event": "error", "type": type(error).__name__, "message": str(error)[:2000]})
        _print_traceback()
    finally:
        # No interpreter shutdown: tearing TensorFlow down takes longer than a small report.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(folder: Path, emit: Callable[[dict[str, Any]], None], started: float) -> None:
    """Import Keras, run the plan, write the evidence."""
    import faulthandler

    faulthandler.enable()
    sys.setrecursionlimit(DEEPEST)
    from reportgen.worker.border import read_plan, write_evidence

    plan = read_plan(folder)
    if plan.predictions is not None:  # judged without Keras
        from reportgen.worker.predicted import judge_predictions

        evidence = judge_predictions(plan, emit)
    else:
        emit({"event": "stage", "stage": "import"})
        from reportgen.worker.quiet_import import import_keras

        import_keras()
        from reportgen.worker.run import run

        imported = time.perf_counter()
        evidence = run(plan, emit, before=(("import", imported - started),))
    write_evidence(evidence, folder)
    emit({"event": "done", "seconds": round(time.perf_counter() - started, 3)})


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


def _die_with_parent(fd: str) -> None:
    """End this process group when the parent's end of the lifeline closes, however the parent died."""
    if not fd:
        return
    number = int(fd)
    os.set_inheritable(number, False)

    def watch() -> None:
        """Block until the pipe reports its end."""
        try:
            while os.read(number, 1):
                pass
        except OSError:
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _print_traceback() -> None:
    """Put the traceback into the captured log; only `--debug` shows it."""
    import traceback

    traceback.print_exc()
