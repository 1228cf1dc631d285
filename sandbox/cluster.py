"""The running sandbox, for tests and the demo.

cluster = running()
with cluster.stopped("kube-controller-manager"):
    ...
"""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import NotRunningError, SandboxError
from sandbox.folders import replace_text, state_folder
from sandbox.layout import Layout
from sandbox.machine import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEDY = "start it with `python3 -m sandbox up`"


@dataclass(frozen=True)
class Cluster:
    """Where everything of a running sandbox is found."""

    state: Path
    kubeconfig: Path
    kubectl: Path
    audit_log: Path
    layer: Path
    registry: str
    api_server: str
    node: str
    node_address: str
    machine: str
    fingerprint: str
    prometheus: str = ""
    """Empty: an `up` of before there was one."""

    def image(self, repository: str, tag: str) -> str:
        """Return the name by which a Pod asks for an image of the sandbox's registry."""
        return f"{self.registry}/{repository}:{tag}"

    @contextmanager
    def stopped(self, component: str) -> Iterator[None]:
        """Hold a component still, as one that hangs; it always goes on afterwards."""
        recorded = processes.recorded(Layout(self.state).record(component))
        if recorded is None or not processes.send(recorded, signal.SIGSTOP):
            raise NotRunningError(f"{component} does not run in the sandbox: {REMEDY}.")
        try:
            yield
        finally:
            processes.send(recorded, signal.SIGCONT)


def save(cluster: Cluster) -> None:
    """Record the cluster: from now on it is up."""
    values = {name: str(value) for name, value in asdict(cluster).items()}
    replace_text(cluster.state / "cluster.json", json.dumps(values, indent=2) + "\n")


def saved(state: Path | None = None) -> Cluster | None:
    """Return the recorded cluster, whether its components live or not; None without one."""
    file = (state or state_folder()) / "cluster.json"
    try:
        values = json.loads(file.read_text())
        paths = {field.name for field in fields(Cluster) if field.type == "Path"}
        typed: dict[str, Any] = {
            name: Path(text) if name in paths else text for name, text in values.items()
        }
        return Cluster(**typed)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    except PermissionError as error:
        raise SandboxError(f"{file} is root's: run this with sudo.") from error


def running() -> Cluster:
    """Return the sandbox that is up; raise NotRunningError when none is, or only a part of it."""
    cluster = saved()
    if cluster is None:
        raise NotRunningError(f"The sandbox is not running: {REMEDY}.")
    dead = [
        file.stem
        for file in sorted((cluster.state / "run").glob("*.json"))
        if (recorded := processes.recorded(file)) is None or not processes.alive(recorded)
    ]
    if dead:
        raise NotRunningError(f"The sandbox lost {', '.join(dead)}: {REMEDY}.")
    return cluster
