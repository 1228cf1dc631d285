"""Runs the user's own smoke test: its exit code is the answer, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from backout.child import child, kill_group
from backout.core.discreet import Discreet, Hidden
from backout.core.health.judgement import Answer, Sample
from backout.core.text import masked, untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL = "/bin/sh"
KEPT = 20
"""Lines of its output that are kept, the last ones."""
LONGEST = 4096
"""Bytes of a line that are looked at."""
NAMED = 60
_COULD_NOT_RUN = {126, 127}
"""What a shell exits with for a program that it cannot execute or find (POSIX, 2.8.2)."""


class Command(Discreet, frozen=True, kw_only=True):
    """A command of the user's for `/bin/sh -c`; `timeout` in seconds, then it is killed."""

    command: Hidden[str]
    environment: Hidden[Mapping[str, str]]
    timeout: float

    @property
    def name(self) -> str:
        """The command in one line, cut."""
        words = " ".join(self.command.split())
        return f"command {words if len(words) <= NAMED else words[:NAMED] + '…'}"

    async def ask(self) -> Sample:
        """Return its exit as a sample: 0 is well; one that did not come to its end is unknown.

        When cancelled, its whole process group is killed first.
        """
        last = _Tail()
        try:
            async with asyncio.timeout(self.timeout):
                answer, words = _judged(await self._run(last))
        except TimeoutError:
            answer, words = Answer.UNKNOWN, f"not over after {self.timeout:g} s, and killed"
        except OSError as error:
            answer, words = Answer.UNKNOWN, f"cannot be run: {(error.strerror or '').lower()}"
        return Sample(subject=self.name, answer=answer, detail=words, lines=last.lines())

    async def _run(self, last: _Tail) -> int:
        """Return its exit code (negative: the signal that killed it) once its output has ended."""
        running = child(
            (SHELL, "-c", self.command),
            environment=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT,
            own_group=True,
        )
        async with running as process:
            while process.stdout is not None and (chunk := await process.stdout.read(65536)):
                last.take(chunk)
            code = await process.wait()
            kill_group(process)  # also after a good end: nobody else would
        return code


class _Tail:
    """The last lines of an output."""

    def __init__(self) -> None:
        self._whole: deque[bytes] = deque(maxlen=KEPT)
        self._rest = b""

    def take(self, chunk: bytes) -> None:
        *whole, rest = (self._rest + chunk).split(b"\n")
        self._whole.extend(line[:LONGEST] for line in whole)
        self._rest = rest[:LONGEST]

    def lines(self) -> tuple[str, ...]:
        """Return them for people and journals: secrets masked, nothing in them acts."""
        kept = [*self._whole, *([self._rest] if self._rest else [])][-KEPT:]
        # Before it is cut into lines: a private key is many of them.
        text = masked(b"\n".join(kept).decode(errors="replace"))
        return tuple(untrusted(line) for line in text.splitlines()[-KEPT:])


def _judged(code: int) -> tuple[Answer, str]:
    if code == 0:
        return Answer.WELL, "exit code 0"
    if code < 0:
        return Answer.UNKNOWN, f"killed by signal {-code}"
    if code in _COULD_NOT_RUN:
        return Answer.UNKNOWN, f"could not be run (exit code {code})"
    return Answer.UNWELL, f"exit code {code}"
