"""What programs of ours leave where every installation of theirs leaves it.

The CNI library, the kubelet and containerd's shims do not let the place be chosen. Only what
names our state folder, or a socket nobody listens at any more, is removed.
"""

from __future__ import annotations

import socket
from pathlib import Path

ROOT = Path("/")
LOG_LINKS = "var/log/containers"
NETWORK_RESULTS = "var/lib/cni/results"
DEVICE_PLUGINS = "var/lib/kubelet/device-plugins"
SHIM_SOCKETS = "run/containerd/s"
FOLDERS = (LOG_LINKS, NETWORK_RESULTS, DEVICE_PLUGINS, SHIM_SOCKETS)
PARENTS = ("var/lib/cni", "var/lib/kubelet", "run/containerd")


def clean(state: Path, root: Path = ROOT) -> None:
    """Remove what is ours, and the folders when nothing else is in them."""
    _remove_shim_sockets(state, root)
    _remove_log_links(state, root)
    _remove_network_results(state, root)
    _remove_device_plugins(root)
    for name in (*FOLDERS, *PARENTS):
        folder = root / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _remove_shim_sockets(state: Path, root: Path) -> None:
    for file in state.glob("containerd/state/io.containerd.runtime.v2.task/*/*/address"):
        name = Path(file.read_text().removeprefix("unix://"))
        if name.parent == ROOT / SHIM_SOCKETS:
            (root / SHIM_SOCKETS / name.name).unlink(missing_ok=True)


def _remove_log_links(state: Path, root: Path) -> None:
    for link in _entries(root / LOG_LINKS):
        if link.is_symlink() and link.readlink().is_relative_to(state):
            link.unlink()


def _remove_network_results(state: Path, root: Path) -> None:
    for file in _entries(root / NETWORK_RESULTS):
        if f"{state}/".encode() in file.read_bytes():
            file.unlink()


def _remove_device_plugins(root: Path) -> None:
    kubelet = root / DEVICE_PLUGINS / "kubelet.sock"
    if kubelet.exists() and not _answers(kubelet):
        kubelet.unlink()
        (kubelet.parent / "kubelet_internal_checkpoint").unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
