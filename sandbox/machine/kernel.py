"""Kernel settings that Kubernetes changes: remembered before, put back after."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.folders import replace_text
from sandbox.machine.processes import boot_id

SETTINGS = Path("/proc/sys")
CHANGED = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def remember(record: Path, settings: Path = SETTINGS) -> None:
    """Record the settings as they are before anything of ours runs."""
    values = {name: text for name in CHANGED if (text := _read(settings / name)) is not None}
    replace_text(record, json.dumps({"boot_id": boot_id(), "values": values}))


def restore(record: Path, settings: Path = SETTINGS) -> None:
    """Put recorded settings back; after a reboot the kernel's own stand again."""
    try:
        remembered = json.loads(record.read_text())
    except (OSError, ValueError):
        return
    if remembered["boot_id"] != boot_id():
        return
    for name, value in remembered["values"].items():
        if _read(settings / name) != value:
            (settings / name).write_text(value)


def _read(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None
