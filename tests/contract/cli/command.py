"""Runs the installed command in an empty home."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.cli.forked import forked

COMMAND = (sys.executable, "-m", "backout")
WITHIN = 30.0
REQUEST = ("GET", "POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line]

    @property
    def events(self) -> list[dict[str, Any]]:
        """stdout as JSON lines; anything else there is a failure."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


class Command:
    """The command with a kubeconfig of its own. `flags` stand at the end of every command line.

    `agrees`: an undo is given the yes that nobody can be asked for.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.flags: tuple[str, ...] = ()
        self.agrees = True
        self.environment: dict[str, str] = {}

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    def point_to(self, server: str, **cluster: Any) -> None:
        """Write the kubeconfig."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "tester", "user": {"token": "s3cr3t-t0ken"}}],
            "contexts": [
                {
                    "name": "test",
                    "context": {"cluster": "test", "user": "tester", "namespace": "shop"},
                }
            ],
        }
        self.kubeconfig.write_text(json.dumps(content))

    def surroundings(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "LANG"}}
        home = {"HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}
        return {**kept, **home, "PYTHONWARNINGS": "error", **self.environment}

    async def start(self, *arguments: str, **settings: Any) -> asyncio.subprocess.Process:
        given: dict[str, Any] = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
            "env": self.surroundings(),
            **settings,
        }
        words = (*COMMAND, *self._words(arguments))
        return await asyncio.create_subprocess_exec(*words, **given)

    async def __call__(self, *arguments: str, **settings: Any) -> Finished:
        """Run it to its end: forked, unless it is about the process itself."""
        if settings or not self._can_be_forked:
            return await finished(await self.start(*arguments, **settings))
        place = Path(tempfile.mkdtemp(dir=self.home))
        return checked(
            Finished(*await forked(self._words(arguments), self.surroundings(), place, WITHIN))
        )

    def _words(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        agreed = ("--yes",) if "undo" in arguments and self.agrees else ()
        return (*arguments, *agreed, *self.flags)

    @property
    def _can_be_forked(self) -> bool:
        """Python itself reads some variables, when it starts."""
        return not any(v.startswith(("PYTHON", "LANG", "LC_")) for v in self.environment)


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process that may be ending right now.

    asyncio's own `send_signal` looks first whether it has ended, and so takes the exit code away
    from the one who waits for it: that one then says 255 (CPython, Lib/subprocess.py).
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def finished(process: asyncio.subprocess.Process) -> Finished:
    """Wait for the end; a hang is a failure, and no process stays behind."""
    talk = asyncio.ensure_future(process.communicate())
    ended, _ = await asyncio.wait({talk}, timeout=WITHIN)
    if not ended:
        send(process, signal.SIGKILL)
    out, err = ((stream or b"").decode() for stream in await talk)
    assert ended, f"it hangs:\n{out}\n{err}"
    assert process.returncode is not None
    return checked(Finished(process.returncode, out, err))


def checked(done: Finished) -> Finished:
    """Return a run that ended as a program should: in words."""
    assert "Traceback" not in done.out + done.err, done.err
    assert "internal error" not in done.out + done.err, done.err
    return done
