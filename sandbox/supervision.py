"""Starts components, asks how they are, and waits until they are well."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandbox import health
from sandbox.errors import SandboxError
from sandbox.machine import addresses, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.components import Component
    from sandbox.layout import Layout

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POLL_SECONDS = 0.05
DEADLINE_SECONDS = 90.0
SHOWN_LINES = 3


def start(layout: Layout, components: Sequence[Component]) -> None:
    """Start them all at once. Their environment is ours: no proxies, no user's settings."""
    for component in components:
        environment = {
            "PATH": f"{layout.program.parent}:{SYSTEM_PATH}",
            "HOME": str(layout.state),
            **component.environment,
        }
        processes.start(
            component.argv, environment, layout.log(component.name), layout.record(component.name)
        )


def ailments(layout: Layout, components: Sequence[Component]) -> dict[str, str]:
    """Return what is wrong, by component; nothing about those that are well."""
    with ThreadPoolExecutor(max_workers=len(components)) as pool:
        answers = pool.map(lambda component: ailment(layout, component), components)
        return {
            component.name: answer
            for component, answer in zip(components, answers, strict=True)
            if answer is not None
        }


def ailment(layout: Layout, component: Component) -> str | None:
    """Return what is wrong with one component; None when it is well."""
    recorded = processes.recorded(layout.record(component.name))
    if recorded is None or not processes.alive(recorded):
        return "not running"
    if processes.is_stopped(recorded):
        return "stopped by a signal"
    return health.ask(component.health, layout.certificates)


def resume_or_start(layout: Layout, component: Component) -> None:
    """Repair one component: let it go on, or kill what is left of it and start it again."""
    recorded = processes.recorded(layout.record(component.name))
    if recorded is not None and processes.is_stopped(recorded):
        processes.send(recorded, signal.SIGCONT)
        return
    if recorded is not None:
        processes.kill([recorded])
    start(layout, [component])


def wait_until_well(layout: Layout, components: Sequence[Component]) -> None:
    """Wait for all of them; a component that ended is told at once, with its last words."""

    def wrong() -> str | None:
        found = ailments(layout, components)
        for name, answer in found.items():
            if answer == "not running":
                raise SandboxError(
                    f"{name} ended right after its start: {last_words(layout, name)}"
                )
        return "; ".join(f"{name}: {answer}" for name, answer in found.items()) or None

    wait("components", wrong)


def wait(what: str, wrong: Callable[[], str | None], seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until nothing is wrong any more."""
    deadline = time.monotonic() + seconds
    while (answer := wrong()) is not None:
        if time.monotonic() > deadline:
            raise SandboxError(f"The {what} did not become ready within {seconds:.0f} s: {answer}")
        time.sleep(POLL_SECONDS)


def last_words(layout: Layout, component: str) -> str:
    """Return the end of a component's log."""
    log = layout.log(component)
    lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    return f"{' | '.join(lines) or 'it said nothing'} (see {log})"


def node_ailment(layout: Layout) -> str | None:
    """Return why Pods cannot run yet; None when they can."""
    url = f"{addresses.API_SERVER}/api/v1"
    node = health.read_object(f"{url}/nodes/{addresses.NODE_NAME}", layout.certificates)
    conditions = node.get("status", {}).get("conditions", [])
    ready = next((one for one in conditions if one["type"] == "Ready"), None)
    if ready is None:
        return "the node is not registered"
    if ready["status"] != "True":
        return f"the node is not Ready: {ready['message']}"
    if not health.read_object(
        f"{url}/namespaces/default/serviceaccounts/default", layout.certificates
    ):
        return "namespace default has no service account"
    return None


def service_ailment(layout: Layout) -> str | None:
    """Return why a Service cannot be reached from this machine; None when it can."""
    url = f"https://{addresses.API_SERVICE}/readyz"
    return health.ask(url, layout.certificates, timeout=0.5)
