"""Who runs this: for the record, and to tell a living process from a dead one."""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from pathlib import Path

from backout.steps.run import Identity

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def identity(kubeconfig_user: str) -> Identity:
    """Return who runs this. The actor is the person on this machine and the kubeconfig's user."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = f"uid {os.getuid()}"
    boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
    return Identity(
        actor=f"{person} (as {kubeconfig_user})" if kubeconfig_user else person,
        host=socket.gethostname(),
        boot_id=boot_id,
        pid=os.getpid(),
    )


def operation_id() -> str:
    """Return an id that no other run has: it marks the PATCH and its record."""
    return uuid.uuid4().hex
