"""Who runs this: for the record, and to tell a living process from a dead one."""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from pathlib import Path

from backout.steps.run import Identity

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys" / "kernel" / "random" / "boot_id"
STARTED = 19
"""The start time in what follows the name in proc(5)'s `stat`: field 22 of the whole."""


def identity(acting: str, impersonator: str = "") -> Identity:
    """Return who runs this: the person on this machine, and as whom the API server acts.

    `impersonator` is the kubeconfig's user where that is somebody else.
    """
    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = f"uid {os.getuid()}"
    by = f", impersonated by {impersonator}" if impersonator else ""
    boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
    return Identity(
        actor=f"{person} (as {acting}{by})" if acting else person,
        host=socket.gethostname(),
        boot_id=boot_id,
        pid=os.getpid(),
        namespace=pid_namespace(),
        started=started(os.getpid()),
    )


def operation_id() -> str:
    """Return an id that no other run has: it marks the PATCH and its record."""
    return uuid.uuid4().hex


def pid_namespace() -> str:
    """Return what tells this process's PID namespace from others; empty where nothing does."""
    try:
        return str((_PROC / "self" / "ns" / "pid").stat().st_ino)
    except OSError:
        return ""


def started(pid: int) -> str:
    """Return when a process began, in ticks since the boot; empty where that is not told."""
    fields = stat(pid)
    return fields[STARTED] if len(fields) > STARTED else ""


def stat(pid: int) -> list[str]:
    """Return the fields behind a process's name (proc(5)); none where it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
