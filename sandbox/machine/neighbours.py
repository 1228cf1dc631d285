"""Another Kubernetes on this machine's network would share its iptables chains with ours."""

from __future__ import annotations

from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.machine import processes
from sandbox.machine.prerequisites import ALTERNATIVE

PROGRAMS = ("kubelet", "kube-proxy", "k3s", "k3s-server", "k0s", "microk8s", "rke2")


def require_none() -> None:
    """Refuse to start where another Kubernetes programs the network."""
    found = others()
    if found:
        raise SandboxError(
            f"Another Kubernetes runs on this machine (pid {found[0]}): stop it, {ALTERNATIVE}"
        )


def others() -> list[int]:
    """Return the processes of others that own KUBE-* chains; those in containers do not."""
    return [
        pid
        for pid in processes.all_pids()
        if (argv := processes.command_line(pid))
        and Path(argv[0]).name in PROGRAMS
        and _network(pid) == _network("self")
    ]


def _network(pid: int | str) -> str | None:
    try:
        return str((processes.PROC / str(pid) / "ns/net").readlink())
    except OSError:
        return None
