"""Takes away whatever a sandbox left, however it ended.

Nothing is believed that the machine itself can tell: processes are found by their recorded
identity, by their command line and by their cgroup, mounts in /proc/mounts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.folders import MARKER, claim
from sandbox.layout import Layout
from sandbox.machine import (
    cgroups,
    iptables,
    kernel,
    neighbours,
    network,
    processes,
    shared_places,
)

PROGRAMS = (
    "kubernetes",
    "containerd",
    "containerd-shim-runc-v2",
    "runc",
    "docker-registry",
    "prometheus",
    "prometheus-targets",
)
KILL_ROUNDS = 50
ROUND_SECONDS = 0.1


def clean(state: Path) -> None:
    """Bring the machine back to where it was before the first `up`."""
    claim(state)
    kill_everything(state)
    shared_places.clean(state)
    unmount_everything(state)
    network.remove_node_address()
    if not neighbours.others():
        iptables.remove_rules()
    cgroups.remove()
    kernel.restore(Layout(state).kernel_settings)
    _empty(state)


def give_back(state: Path) -> None:
    """Remove the cleaned folder itself."""
    (state / MARKER).unlink()
    state.rmdir()


def kill_everything(state: Path) -> None:
    """Kill all that is ours, until a look finds nothing more: a shim may start others."""
    for _ in range(KILL_ROUNDS):
        ours = our_processes(state)
        if not ours:
            return
        processes.kill(ours)
        time.sleep(ROUND_SECONDS)
    numbers = ", ".join(str(process.pid) for process in our_processes(state))
    raise SandboxError(f"Processes {numbers} do not end even when killed: reboot the machine.")


def our_processes(state: Path) -> list[processes.Identity]:
    """Find everything that is ours and alive."""
    recorded = [processes.recorded(file) for file in sorted((state / "run").glob("*.json"))]
    found = {record.pid: record for record in recorded if record and processes.alive(record)}
    candidates = cgroups.pids()
    candidates |= {
        pid for pid in processes.all_pids() if names_state(processes.command_line(pid), state)
    }
    for pid in candidates - {os.getpid(), *found}:
        living = processes.identity(pid)
        if living is not None:
            found[pid] = living
    return list(found.values())


def names_state(command_line: list[str], state: Path) -> bool:
    """Tell whether a command is one of our programs working on our state folder."""
    if not command_line or Path(command_line[0]).name not in PROGRAMS:
        return False
    inside = re.compile(rf"(^|[=:/]){re.escape(str(state))}(/|$)")
    return any(inside.search(argument) for argument in command_line)


def mounts_below(mounts: str, folder: Path) -> list[str]:
    """Return the mount points below a folder, innermost last mounted first."""
    points = [_unescape(line.split(" ")[1]) for line in mounts.splitlines() if line]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder)]


def _unescape(point: str) -> str:
    """Decode the octal escapes by which /proc/mounts writes blanks."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def unmount_everything(state: Path) -> None:
    """Detach all mounts below the state folder."""
    mounts = Path("/proc/self/mounts")
    points = mounts_below(mounts.read_text(), state)
    for start in range(0, len(points), 100):
        argv = ["umount", "--lazy", "--", *points[start : start + 100]]
        subprocess.run(argv, capture_output=True, check=False)
    left = mounts_below(mounts.read_text(), state)
    if left:
        # Deleting below a mount would delete what is mounted.
        raise SandboxError(
            f"{left[0]} cannot be unmounted: unmount it by hand, then run `down` again."
        )


def _empty(state: Path) -> None:
    """Empty the folder but keep it and its marker: it holds the lock."""
    for entry in state.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
