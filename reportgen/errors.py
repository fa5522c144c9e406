"""Every error that reportgen raises on purpose, each with the exit code that a user gets.

A message is one line: the file, the place in it, and what to do. `detail` holds what Keras or the
system said; it is printed with `--debug` only.
"""

from __future__ import annotations


class ReportgenError(Exception):
    """Base of all errors that end a command with a message instead of a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


LONGEST = 1200


def on_one_line(text: str) -> str:
    """Return `text` without a line break or any other character that a terminal obeys, its middle cut if it is long.

    Names from a file stand in messages: they must not make a second line of one.
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 2 // 3]} ... {text[-LONGEST // 3 :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else ascii(c)[1:-1] for c in text)


class UsageError(ReportgenError):
    """The command line or the configuration is wrong."""

    exit_code = 2


class InputRefused(ReportgenError):
    """An input was refused or could not be read. `message` is one line; `others` are further ones of its kind."""

    exit_code = 3

    def __init__(self, message: str, *others: str, detail: str = "") -> None:
        super().__init__("\n".join(map(on_one_line, (message, *others))), detail=detail)


class WorkerFailed(InputRefused):
    """The worker process died: out of memory, killed, or crashed."""


class OutputFailed(ReportgenError):
    """The report could not be written."""

    exit_code = 74


class TimeLimit(ReportgenError):
    """The time limit ran out."""

    exit_code = 124


class Stopped(BaseException):
    """A signal ended the run; the exit code is 128 plus the signal's number.

    No Exception, like KeyboardInterrupt: it must not end in a card of the section that happened to be at work.
    """

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = 128 + signal_number


GATE_FAILED = 1
SECTION_FAILED = 4
PRECEDENCE = (130, 143, 74, 2, 3, 124, 1, 4, 0)


def worst_exit_code(codes: list[int]) -> int:
    """Return the code that is given when several hold, by DESIGN.md section 6."""
    return min(codes, key=PRECEDENCE.index, default=0)
