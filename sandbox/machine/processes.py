"""Processes with an identity that outlives their number.

A pid alone is no identity: the kernel uses it again. The pid with the start time and the boot is.
Signals go through a pidfd, so that nothing can be recycled between the look and the signal.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.folders import replace_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PROC = Path("/proc")
STATE_FIELD = 0
START_TIME_FIELD = 19


@dataclass(frozen=True)
class Identity:
    """One process, of this boot, for ever."""

    pid: int
    start_ticks: int
    boot_id: str
    since: float


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command's name stands in parentheses and may itself contain any character.
    return text[text.rindex(")") + 2 :].split()


def identity(pid: int) -> Identity | None:
    """Return who has this number now; None when nobody lives under it."""
    fields = _stat_fields(pid)
    if fields is None or fields[STATE_FIELD] in "ZX":
        return None
    return Identity(pid, int(fields[START_TIME_FIELD]), boot_id(), time.time())


def alive(recorded: Identity) -> bool:
    """Tell whether this very process, not a later one of its number, still runs."""
    now = identity(recorded.pid)
    return now is not None and (now.start_ticks, now.boot_id) == (
        recorded.start_ticks,
        recorded.boot_id,
    )


def is_stopped(recorded: Identity) -> bool:
    """Tell whether the process sleeps under a SIGSTOP."""
    fields = _stat_fields(recorded.pid)
    return alive(recorded) and fields is not None and fields[STATE_FIELD] in "Tt"


def send(recorded: Identity, number: signal.Signals) -> bool:
    """Signal this very process; False when it no longer exists."""
    try:
        descriptor = os.pidfd_open(recorded.pid)
    except ProcessLookupError:
        return False
    try:
        if not alive(recorded):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def kill(processes: Iterable[Identity], seconds: float = 10) -> list[Identity]:
    """Kill them all, wait until they are gone, and return those that are not."""
    killed = [process for process in processes if send(process, signal.SIGKILL)]
    deadline = time.monotonic() + seconds
    for process in killed:
        _wait_for_end(process, deadline)
    return [process for process in killed if alive(process)]


def _wait_for_end(process: Identity, deadline: float) -> None:
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if alive(process):
            poll.poll(max(0, deadline - time.monotonic()) * 1000)
    finally:
        os.close(descriptor)


def start(argv: Sequence[str], environment: Mapping[str, str], log: Path, record: Path) -> Identity:
    """Start a daemon in a session of its own and record its identity."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    # Reaped by nobody here: the daemon outlives this program.
    child.returncode = 0
    started = identity(child.pid) or Identity(child.pid, 0, boot_id(), time.time())
    replace_text(record, json.dumps(asdict(started)))
    return started


def recorded(record: Path) -> Identity | None:
    """Read a recorded identity; None when there is none, or it was cut short."""
    try:
        return Identity(**json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def command_line(pid: int) -> list[str]:
    """Return the arguments of a process; empty when it is gone or a thread of the kernel."""
    try:
        text = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in text.split(b"\0") if part]


def all_pids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
