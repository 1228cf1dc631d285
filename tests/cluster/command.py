"""The installed command, run as a user runs it: a process of its own, no terminal, a time-out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BACKOUT = Path(sys.executable).with_name("backout")
LONGEST = 240.0
"""Seconds for a command; the longest time-out that a test gives one is 85."""


BECAUSE = ("--reason", "see what happens")
"""What a healthy service takes, before it is moved to what nothing shows to work."""


def accepting(*ids: str) -> tuple[str, ...]:
    """Return the options that go on in spite of what these checks found."""
    return (*(word for one in ids for word in ("--accept", one)), *BECAUSE)


REFUSED = 3


def last_word(text: str) -> str:
    """Return the last line that is not indented, with the facts that stand below it."""
    lines = text.splitlines()
    first = next((n for n, s in reversed([*enumerate(lines)]) if not s.startswith(" ")), 0)
    words = [s.strip() for s in lines[first:]]
    return "; ".join([words[0].removeprefix("✓ "), *words[1:]]) if words else ""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command that ended."""

    argv: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return f"{self.out}{self.err}"

    @property
    def outcome(self) -> str:
        """The last word of its stream; that of a check is a result, whatever it found."""
        is_result = not self.code or (self.code == REFUSED and "check" in self.argv)
        return last_word(self.out if is_result else self.err)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Each line of stdout as JSON (`-o json`)."""
        return [json.loads(line) for line in self.out.splitlines()]

    def findings(self) -> set[str]:
        """The ids of all findings and refusals that were told."""
        words = self.both.replace(":", " ").replace(",", " ").split()
        return {w for w in words if w.startswith("PF") and w[2:].isdigit()}

    def line(self, start: str) -> str:
        """Return the one line of either stream that starts so, without its indentation."""
        found = [s for s in map(str.strip, self.both.splitlines()) if s.startswith(start)]
        assert len(found) == 1, f"{len(found)} lines start with {start!r} in:\n{self}"
        return found[0]

    def expect(self, code: int) -> Ran:
        assert self.code == code, f"exit {self.code}, {code} was expected:\n{self}"
        assert "Traceback" not in self.both, str(self)
        return self

    def __str__(self) -> str:
        return (
            f"$ {' '.join(self.argv)}\n--- stdout\n{self.out}--- stderr\n{self.err}"
            f"--- exit {self.code}"
        )


class Running:
    """A command under way. `until` waits for a line of its stdout."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._argv = argv
        self._err = folder / f"stderr-{os.urandom(4).hex()}"
        with self._err.open("w") as err:
            self._process = subprocess.Popen(
                argv,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self._seen: list[str] = []

    def until(self, words: str) -> str:
        """Return the first line with these words; the test's own time-out ends a vain wait."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._seen.append(line)
            if words in line:
                return line.strip()
        raise AssertionError(f"it ended without a line of {words!r}:\n{self.ended()}")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, signal_number: int) -> None:
        self._process.send_signal(signal_number)

    def ended(self) -> Ran:
        """Wait for its end; a command that outlives the time-out is killed and fails the test."""
        try:
            rest, _ = self._process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            self._process.kill()
            rest, _ = self._process.communicate()
        code = self._process.returncode
        out = "".join(self._seen) + rest
        return Ran(argv=self._argv, code=code, out=out, err=self._err.read_text())


def run(argv: Sequence[str], environment: Mapping[str, str]) -> Ran:
    done = subprocess.run(
        argv,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return Ran(argv=argv, code=done.returncode, out=done.stdout, err=done.stderr)
