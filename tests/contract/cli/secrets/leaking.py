"""Starts the command with one part of the gate switched off: `leaking.py PART WORD...`.

A test of secrets that passes here looks for nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from backout.__main__ import main
from backout.cli.output import gate, sink
from backout.core import mask
from backout.session import composition
from backout.steps import run

PARTS = ("events", "patterns", "known", "session", "shown")


def leak(part: str) -> None:
    """Switch a part of the gate off."""
    match part:
        case "events":
            setattr(sink, "gated", _itself)
        case "patterns":
            setattr(mask, "masked", _itself)
        case "known":
            setattr(mask.Mask, "learn", lambda *_: None)
        case "session":
            setattr(composition, "Session", _blind(run.Session))
        case "shown":
            setattr(gate.MASK, "text", _itself)
            setattr(sink, "gated", mask.Mask().of)
        case _:
            raise SystemExit(f"there is no part {part}")


def _itself(value: Any) -> Any:
    return value


def _blind(make: type[run.Session]) -> Any:
    """Return what makes a session whose mask leaves everything in."""
    blind = mask.Mask()
    setattr(blind, "of", _itself)
    setattr(blind, "text", _itself)
    return lambda **given: make(**{**given, "mask": blind})


if __name__ == "__main__":
    leak(sys.argv.pop(1))
    main()
