"""One line for people out of what Keras says in twenty."""

from __future__ import annotations

import pytest

from reportgen.worker.spoken import KNOWN, say_error

KERAS = "\n\n\x1b[1mthe cause\nmore\x1b[0m\n\nArguments received by Mine"
TENSORFLOW = (
    "\n\nDetected at node a defined at (most recent call last):\n"
    '  File "x.py", line 3\nIncompatible shapes: [1] vs [2]\n\t [[{{node a}}]]'
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError(f"Exception encountered when calling Mine.call().{KERAS}"), "the cause"),
        (ValueError("plain"), "plain"),
        (TypeError("wrong kind"), "TypeError: wrong kind"),
        (KeyError("k"), "KeyError: 'k'"),
        (ValueError(""), "ValueError"),
        (ValueError("\n \n"), "ValueError"),
        (ValueError("x" * 5000), "x" * 199 + "…"),
        (RuntimeError(f"Graph execution error:{TENSORFLOW}"), "Incompatible shapes: [1] vs [2]"),
        (ValueError("{{function_node __wrapped__X_device_/job:a}} cannot do that [Op:X] name: "), "cannot do that"),
        (NotImplementedError("Conv2D currently only supports the NHWC tensor format"), KNOWN["only supports the NHWC"]),
    ],
)  # fmt: skip
def test_the_cause_is_said(error: Exception, said: str) -> None:
    assert say_error(error) == said
