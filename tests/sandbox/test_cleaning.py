from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import cleaning
from sandbox.errors import SandboxError
from sandbox.machine import cgroups, processes

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = Path("/var/lib/backout-sandbox")
SHIM = "containerd-shim-runc-v2"

MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /var/lib/backout-sandbox/kubelet/pods/1/volumes/token tmpfs rw 0 0
overlay /var/lib/backout-sandbox/containerd/state/task/rootfs overlay rw 0 0
tmpfs /var/lib/backout-sandbox-of-somebody-else/volume tmpfs rw 0 0
overlay /var/lib/docker/overlay2/merged overlay rw 0 0
tmpfs /var/lib/backout-sandbox/kubelet/a\\040b\\134c tmpfs rw 0 0
"""


def test_only_mounts_below_our_folder_are_ours_the_last_one_first() -> None:
    assert cleaning.mounts_below(MOUNTS, STATE) == [
        "/var/lib/backout-sandbox/kubelet/a b\\c",
        "/var/lib/backout-sandbox/containerd/state/task/rootfs",
        "/var/lib/backout-sandbox/kubelet/pods/1/volumes/token",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["/usr/bin/containerd", "--config", f"{STATE}/config/containerd.toml"],
        [f"/usr/bin/{SHIM}", "-id", "1", "-address", f"{STATE}/containerd/containerd.sock"],
        [f"{STATE}/bin/kubernetes", "kubelet", f"--config={STATE}/config/kubelet.yaml"],
        ["docker-registry", "serve", f"{STATE}/config/registry.yaml"],
        [f"{STATE}/bin/prometheus-targets", "targets", "a", "b", f"{STATE}/certificates"],
        ["/usr/bin/prometheus", f"--config.file={STATE}/config/prometheus.json"],
    ],
)
def test_our_programs_are_known_by_the_folder_they_work_on(command: list[str]) -> None:
    assert cleaning.names_state(command, STATE)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["/usr/bin/containerd"],
        [f"/usr/bin/{SHIM}", "-address", "/run/containerd/containerd.sock"],
        [f"/usr/bin/{SHIM}", "-address", f"{STATE}-of-another/containerd.sock"],
        [f"/usr/bin/{SHIM}", "-address", f"/mnt{STATE}/containerd.sock"],
        ["vim", f"{STATE}/config/containerd.toml"],
        ["/usr/bin/prometheus", "--config.file=/etc/prometheus/prometheus.yml"],
        [f"{STATE}/bin/kubectl", "--kubeconfig", f"{STATE}/kubeconfig"],
    ],
)
def test_programs_of_others_are_never_ours(command: list[str]) -> None:
    assert not cleaning.names_state(command, STATE)


def test_a_folder_with_anything_else_in_it_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(SandboxError, match="not a sandbox's: choose another BACKOUT_SANDBOX_STATE"):
        cleaning.clean(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


@pytest.fixture
def containerd(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = tmp_path / "containerd"
    program.symlink_to(sys.executable)
    code = "import time; time.sleep(60)"
    with subprocess.Popen([str(program), "-c", code, f"{tmp_path}/state/config"]) as child:
        # For a moment after its start a program has no command line.
        while not processes.command_line(child.pid):
            time.sleep(0.01)
        yield child
        child.kill()


def test_a_process_that_nobody_recorded_is_found_and_killed(
    containerd: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_cgroups() -> set[int]:
        return set()

    monkeypatch.setattr(cgroups, "pids", no_cgroups)

    cleaning.kill_everything(tmp_path / "state")

    assert containerd.wait(10) != 0
    assert processes.identity(containerd.pid) is None
