"""How the command line runs a command: every error is one line on stderr and an exit code, signals clean up."""

from __future__ import annotations

import atexit
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

import click

from reportgen.console import complain
from reportgen.errors import ReportgenError, Stopped

INTERNAL_ERROR = 3
# Python looks for garbage among all that was imported before it ends, which takes a quarter of a second after a build.
atexit.register(gc.freeze)


class Program(click.Group):
    """The group of commands; turns every error into one line on stderr and the exit code of its kind."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and exit with its code."""
        extra["standalone_mode"] = False
        debug = "--debug" in (extra.get("args") or (args[0] if args and args[0] else sys.argv[1:]))
        with _signals_raise() as stopped:
            code = _run(lambda: super(Program, self).main(*args, **extra), debug)
        # Python drops what is raised in a destructor or a callback: the signal was received all the same.
        sys.exit(stopped[0].exit_code if stopped else code)


class TrustingCommand(click.Command):
    """A command with `--trust`, which may stand without a value and then means all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read `--trust` as `--trust=all`, so that it never swallows the argument behind it."""
        return super().parse_args(ctx, ["--trust=all" if arg == "--trust" else arg for arg in args])


def _run(command: Callable[[], Any], debug: bool) -> int:
    """Call `command`; return its exit code, and say what went wrong on stderr."""
    try:
        result = command()
    except ReportgenError as error:
        complain(error.message, error.detail if debug else "", debug)
        return error.exit_code
    except Stopped as stop:
        complain(stop.message, "", debug)
        return stop.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        complain(error.format_message().rstrip(".") + hint, "", debug=False)
        return 2
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted", "", debug=False)
        return 130
    except MemoryError:
        complain("ran out of memory; use a smaller test batch or a bigger machine", "", debug)
        return INTERNAL_ERROR
    except Exception as error:  # a mistake of reportgen's own: still one line, never a traceback
        complain(f"internal error, please report it: {type(error).__name__}: {error}", "", debug)
        return INTERNAL_ERROR
    return result if isinstance(result, int) else 0


@contextlib.contextmanager
def _signals_raise() -> Iterator[list[Stopped]]:
    """Let SIGINT and SIGTERM raise Stopped, so that everything cleans up behind itself; restore them afterwards.

    Yields a list that holds what was raised.
    """
    stopped: list[Stopped] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, frame: FrameType | None) -> None:
        """End the run; later signals change nothing, so that the cleaning up goes on to the end of the process."""
        for known in before:
            signal.signal(known, signal.SIG_IGN)
        stopped.append(Stopped("interrupted" if number == signal.SIGINT else "terminated", signal_number=number))
        raise stopped[0]

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)
