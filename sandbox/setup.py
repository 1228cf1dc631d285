"""Writes all that the components find on disk before they start."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox import certificates, images
from sandbox.config import kubernetes, prometheus, runtime
from sandbox.folders import write_private
from sandbox.machine import iptables
from sandbox.machine.prerequisites import find

if TYPE_CHECKING:
    from sandbox.build import Binaries
    from sandbox.layout import Layout

TOKEN_BYTES = 32
COMPONENT_USERS = (
    kubernetes.CONTROLLER_MANAGER,
    kubernetes.SCHEDULER,
    kubernetes.PROXY,
    kubernetes.NODE,
)


def write(layout: Layout, binaries: Binaries) -> None:
    """Write programs, keys and configuration into an empty state folder."""
    made = certificates.make(layout.certificates.folder)
    tokens = {user: secrets.token_hex(TOKEN_BYTES) for user in kubernetes.USERS}
    _install_programs(layout, binaries)
    _write_kubernetes(layout, made, tokens)
    _write_runtime(layout)
    _write_prometheus(layout)
    # The images' layer, once: pushing an image is then two small requests.
    layout.layer.write_bytes(images.layer(binaries.app.read_bytes()).content)


def _install_programs(layout: Layout, binaries: Binaries) -> None:
    folder = layout.program.parent
    folder.mkdir(parents=True)
    shutil.copy2(binaries.kubernetes, layout.program)
    shutil.copy2(binaries.app, layout.targets)
    layout.kubectl.symlink_to(layout.program.name)
    flavour = iptables.usable_flavour()
    for family in iptables.FAMILIES:
        for suffix in ("", "-save", "-restore"):
            program = find(f"{family}-{flavour}{suffix}")
            if program is not None:
                (folder / f"{family}{suffix}").symlink_to(program)


def _write_kubernetes(
    layout: Layout, made: certificates.Certificates, tokens: dict[str, str]
) -> None:
    config = layout.config
    write_private(config / "tokens.csv", kubernetes.token_file(tokens))
    for user in COMPONENT_USERS:
        write_private(layout.kubeconfig(user), kubernetes.kubeconfig(made, tokens, user))
    people = kubernetes.kubeconfig(made, tokens, kubernetes.ADMIN, kubernetes.NOBODY)
    write_private(layout.user_kubeconfig, people)
    (config / "audit-policy.yaml").write_text(kubernetes.audit_policy())
    kubelet = kubernetes.kubelet(layout.state, layout.containerd_socket, made)
    (config / "kubelet.yaml").write_text(kubelet)
    proxy = kubernetes.proxy(layout.kubeconfig(kubernetes.PROXY))
    (config / "kube-proxy.yaml").write_text(proxy)
    # Pods must not search the domains of the machine they happen to run on.
    (layout.state / "resolv.conf").write_text("")


def _write_runtime(layout: Layout) -> None:
    plugins = Path(find("host-local") or "host-local").parent
    network = layout.containerd / "cni"
    network.mkdir(parents=True)
    (network / "10-sandbox.conflist").write_text(runtime.network(layout.containerd))
    toml = runtime.containerd(layout.containerd, plugins)
    (layout.config / "containerd.toml").write_text(toml)
    registry = runtime.registry(layout.state / "registry", secrets.token_hex(TOKEN_BYTES))
    write_private(layout.config / "registry.yaml", registry)


def _write_prometheus(layout: Layout) -> None:
    rules = layout.config / "prometheus-rules.json"
    rules.write_text(prometheus.rules())
    (layout.config / "prometheus.json").write_text(prometheus.configuration(rules))
