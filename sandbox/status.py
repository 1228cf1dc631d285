"""`status`: a line a component."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox import cluster, supervision
from sandbox.components import components
from sandbox.errors import NotRunningError
from sandbox.layout import Layout
from sandbox.machine import addresses, processes

if TYPE_CHECKING:
    from sandbox.machine.processes import Identity

ROW = "{:<25} {:>8}  {:<9} {}"


def status() -> tuple[str, bool]:
    """Return the table, and whether everything is healthy."""
    saved = cluster.saved()
    if saved is None:
        raise NotRunningError(f"The sandbox is not running: {cluster.REMEDY}.")
    layout = Layout(saved.state)
    wrong = supervision.ailments(layout, components(layout))
    lines = [ROW.format("COMPONENT", "PID", "SINCE", "HEALTH")]
    for component in components(layout):
        recorded = processes.recorded(layout.record(component.name))
        pid = recorded.pid if recorded else "-"
        health = wrong.get(component.name, "healthy")
        lines.append(ROW.format(component.name, pid, _since(recorded), health))
    node = supervision.node_ailment(layout)
    services = supervision.service_ailment(layout)
    lines.append(ROW.format(f"node {addresses.NODE_NAME}", "-", "-", node or "healthy"))
    lines.append(ROW.format("services", "-", "-", services or "healthy"))
    return "\n".join(lines), not (wrong or node or services)


def _since(recorded: Identity | None) -> str:
    return time.strftime("%H:%M:%S", time.localtime(recorded.since)) if recorded else "-"
