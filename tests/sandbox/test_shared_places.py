from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.machine import shared_places

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = Path("/var/lib/backout-sandbox")


def test_only_log_links_into_our_folder_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "var/log/containers"
    folder.mkdir(parents=True)
    (folder / "ours.log").symlink_to(STATE / "pod-logs/1/0.log")
    (folder / "theirs.log").symlink_to("/var/log/pods/1/0.log")

    shared_places.clean(STATE, tmp_path)

    assert [entry.name for entry in folder.iterdir()] == ["theirs.log"]


def test_only_network_results_that_name_our_folder_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/cni/results"
    folder.mkdir(parents=True)
    (folder / "cni-loopback-1-lo").write_text(f'{{"netns": "{STATE}/containerd/netns/1"}}')
    (folder / "cni-loopback-2-lo").write_text('{"netns": "/run/netns/2"}')

    shared_places.clean(STATE, tmp_path)

    assert [entry.name for entry in folder.iterdir()] == ["cni-loopback-2-lo"]


def test_empty_folders_go_with_what_was_in_them(tmp_path: Path) -> None:
    (tmp_path / "var/lib/kubelet/device-plugins").mkdir(parents=True)
    (tmp_path / "run/containerd/s").mkdir(parents=True)

    shared_places.clean(STATE, tmp_path)

    assert not (tmp_path / "var/lib/kubelet").exists()
    assert not (tmp_path / "run/containerd").exists()


@pytest.fixture
def short_path() -> Iterator[Path]:
    # A socket's address takes 107 bytes; pytest's own folders may be longer than that.
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        yield Path(folder)


def test_the_socket_of_a_kubelet_that_lives_is_left_alone(short_path: Path) -> None:
    folder = short_path / "var/lib/kubelet/device-plugins"
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as kubelet:
        kubelet.bind(str(folder / "kubelet.sock"))
        kubelet.listen()
        shared_places.clean(STATE, short_path)
        assert (folder / "kubelet.sock").exists()

    shared_places.clean(STATE, short_path)
    assert not folder.exists()


def test_the_sockets_of_our_shims_alone_are_removed(tmp_path: Path) -> None:
    state, sockets = tmp_path / "state", tmp_path / "run/containerd/s"
    task = state / "containerd/state/io.containerd.runtime.v2.task/k8s.io/1"
    task.mkdir(parents=True)
    sockets.mkdir(parents=True)
    (task / "address").write_text("unix:///run/containerd/s/ours")
    for name in ("ours", "theirs"):
        (sockets / name).touch()

    shared_places.clean(state, tmp_path)

    assert [entry.name for entry in sockets.iterdir()] == ["theirs"]
