"""Exit codes that scripts rely on (README.md)."""

from __future__ import annotations

import signal

from backout.core.outcome import Outcome, Result

ERROR = 1
USAGE = 2
UNDECIDED = 5

_CODES = {
    Result.SUCCEEDED: 0,
    Result.DRY_RUN: 0,
    Result.SETTLED: 0,
    Result.NOT_CHANGED: ERROR,
    Result.REFUSED: 3,
    Result.DECLINED: 3,
    Result.FAILED: 4,
    Result.UNDECIDED: UNDECIDED,
    Result.PROGRESSING: UNDECIDED,
}


def exit_code(outcome: Outcome, received: signal.Signals | None) -> int:
    """Return the exit code of an outcome; an interruption is told by its signal: 130 or 143."""
    if outcome.result is Result.INTERRUPTED:
        return 128 + (received or signal.SIGINT)
    return _CODES[outcome.result]
