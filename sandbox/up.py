"""`up`: from whatever is there to a sandbox that is whole."""

from __future__ import annotations

import hashlib
import platform
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandbox import build, cleaning, cluster, setup, supervision
from sandbox.components import clients, components, foundation
from sandbox.errors import SandboxError
from sandbox.folders import SOURCES, state_folder
from sandbox.images import Registry
from sandbox.layout import Layout
from sandbox.machine import addresses, cgroups, kernel, neighbours, network, prerequisites
from sandbox.machine.lock import locked
from sandbox.progress import say, step

if TYPE_CHECKING:
    from sandbox.components import Component

# What, when it changes, makes another sandbox than the one that runs.
CONFIGURATION = ("addresses.py", "certificates.py", "components.py", "config/*.py")
VERSIONS = ("v1", "v2")
REPAIRS = 2
"""What dies takes others along: a controller-manager ends that lost its API server."""


def up() -> None:
    """Bring the sandbox up; nothing to do when it is."""
    prerequisites.require()
    binaries = build.binaries()
    state = state_folder()
    with locked(state, "`up` or `down` of the sandbox"):
        layout = Layout(state)
        if _is_ours(layout) and _repaired(layout):
            return
        with step("cleaning what an earlier sandbox left"):
            cleaning.clean(state)
        _start(layout, binaries)


def fingerprint() -> str:
    """Return a hash of what the sandbox is made of."""
    digest = hashlib.sha256()
    for module in build.modules():
        digest.update(module.hash.encode())
    for pattern in CONFIGURATION:
        for file in sorted(SOURCES.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def ailments(layout: Layout) -> dict[str, str]:
    """Return everything that is wrong with a sandbox that is up; empty when it is whole."""
    found = supervision.ailments(layout, components(layout))
    if not found and not network.has_node_address():
        found["network"] = "the node's address is gone"
    if not found and (answer := supervision.node_ailment(layout)):
        found[addresses.NODE_NAME] = answer
    if not found and (answer := supervision.service_ailment(layout)):
        found["services"] = answer
    return found


def _is_ours(layout: Layout) -> bool:
    saved = cluster.saved(layout.state)
    if saved is not None and saved.fingerprint != fingerprint():
        say("  the sandbox that is there was made by another version: starting afresh")
        return False
    return saved is not None


def _repaired(layout: Layout) -> bool:
    """Tell whether the sandbox is whole, after repair where that can help."""
    for _ in range(REPAIRS):
        wrong = ailments(layout)
        if not wrong:
            say("the sandbox is up already")
            return True
        sick = [component for component in components(layout) if component.name in wrong]
        if "network" in wrong or len(sick) == len(components(layout)):
            return False
        try:
            with step(f"repairing {', '.join(wrong)}"):
                _repair(layout, sick)
        except SandboxError as error:
            say(f"  {error}")
        else:
            return True
    say("  starting afresh")
    return False


def _repair(layout: Layout, sick: list[Component]) -> None:
    for component in sick:
        supervision.resume_or_start(layout, component)
    supervision.wait_until_well(layout, components(layout))
    _wait_for_cluster(layout)


def _start(layout: Layout, binaries: build.Binaries) -> None:
    neighbours.require_none()
    network.require_free_ports()
    with step("certificates and configuration"):
        kernel.remember(layout.kernel_settings)
        setup.write(layout, binaries)
        network.add_node_address()
        cgroups.make()
    with step("etcd, API server, registry, containerd"), ThreadPoolExecutor() as pool:
        supervision.start(layout, foundation(layout))
        images = pool.submit(_push_images, layout)
        supervision.wait_until_well(layout, foundation(layout))
        images.result()
    with step("controller-manager, scheduler, kubelet, kube-proxy, Prometheus"):
        supervision.start(layout, clients(layout))
        supervision.wait_until_well(layout, components(layout))
    with step("node and Services"):
        _wait_for_cluster(layout)
    cluster.save(_cluster(layout))
    say(f"the sandbox is up: export KUBECONFIG={layout.user_kubeconfig}")


def _push_images(layout: Layout) -> None:
    registry = next(one for one in foundation(layout) if one.name == "docker-registry")
    supervision.wait_until_well(layout, [registry])
    target = Registry(addresses.REGISTRY, layout.layer, platform.machine())
    for version in VERSIONS:
        target.push("app", version, {})
    target.push("pause", "1", {}, ("/app", "pause"))


def _wait_for_cluster(layout: Layout) -> None:
    supervision.wait("node", lambda: supervision.node_ailment(layout))
    supervision.wait("Services", lambda: supervision.service_ailment(layout))


def _cluster(layout: Layout) -> cluster.Cluster:
    return cluster.Cluster(
        state=layout.state,
        kubeconfig=layout.user_kubeconfig,
        kubectl=layout.kubectl,
        audit_log=layout.audit_log,
        layer=layout.layer,
        registry=addresses.REGISTRY,
        prometheus=addresses.PROMETHEUS,
        api_server=addresses.API_SERVER,
        node=addresses.NODE_NAME,
        node_address=addresses.NODE,
        machine=platform.machine(),
        fingerprint=fingerprint(),
    )
