"""Configuration of what runs containers: containerd, its network, the registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.machine import addresses

if TYPE_CHECKING:
    from pathlib import Path

CONTAINERD = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs"]

[grpc]
  address = "{folder}/containerd.sock"

[debug]
  level = "warn"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{registry}/pause:1"
  netns_mounts_under_state_dir = true
  # Without CAP_SYS_RESOURCE, which containers often lack, every Pod would fail.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{folder}/runc"
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."{registry}"]
    endpoint = ["http://{registry}"]
"""

REGISTRY = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/storage}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http:
  addr: {address}
  secret: {secret}
"""


def containerd(folder: Path, plugins: Path) -> str:
    """Return containerd's configuration; it keeps everything in the folder."""
    return CONTAINERD.format(folder=folder, registry=addresses.REGISTRY, plugins=plugins)


def network(folder: Path) -> str:
    """Return the Pods' network.

    ptp rather than bridge: a Pod's packets always pass the host's routing, so that Services work
    without the kernel's br_netfilter.
    """
    subnets = [[{"subnet": addresses.POD_CIDR}]]
    ipam = {"type": "host-local", "dataDir": str(folder / "addresses"), "ranges": subnets}
    interface = {"type": "ptp", "ipam": ipam | {"routes": [{"dst": "0.0.0.0/0"}]}}
    config = {"cniVersion": "0.4.0", "name": "backout-sandbox", "plugins": [interface]}
    return json.dumps(config, indent=2) + "\n"


def registry(folder: Path, secret: str) -> str:
    """Return the registry's configuration; it allows deletion."""
    return REGISTRY.format(folder=folder, address=addresses.REGISTRY, secret=secret)
