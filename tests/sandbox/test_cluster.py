from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sandbox import cluster
from sandbox.errors import NotRunningError
from sandbox.folders import SOURCES
from sandbox.layout import Layout
from sandbox.machine import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKOUT_SANDBOX_STATE", str(tmp_path))
    return tmp_path


@pytest.fixture
def made(state: Path) -> Iterator[cluster.Cluster]:
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    layout = Layout(state)
    started = processes.start(argv, {}, layout.log("etcd"), layout.record("etcd"))
    made = cluster.Cluster(
        state=state,
        kubeconfig=layout.user_kubeconfig,
        kubectl=layout.kubectl,
        audit_log=layout.audit_log,
        layer=layout.layer,
        registry="127.0.0.1:1",
        prometheus="http://127.0.0.1:3",
        api_server="https://127.0.0.1:2",
        node="node1",
        node_address="10.0.0.1",
        machine="x86_64",
        fingerprint="f",
    )
    cluster.save(made)
    yield made
    processes.kill([started])


def test_a_recorded_cluster_is_read_as_it_was_written(made: cluster.Cluster) -> None:
    assert cluster.running() == made


def test_an_image_is_named_by_its_registry(made: cluster.Cluster) -> None:
    assert made.image("app", "v1") == "127.0.0.1:1/app:v1"


@pytest.mark.usefixtures("state")
def test_no_sandbox_is_one_sentence_with_its_remedy() -> None:
    with pytest.raises(NotRunningError, match="not running: start it with"):
        cluster.running()


def test_a_component_that_died_is_named(made: cluster.Cluster) -> None:
    recorded = processes.recorded(Layout(made.state).record("etcd"))
    assert recorded is not None
    processes.kill([recorded])

    with pytest.raises(NotRunningError, match="lost etcd"):
        cluster.running()


def test_a_stopped_component_always_goes_on(made: cluster.Cluster) -> None:
    recorded = processes.recorded(Layout(made.state).record("etcd"))
    assert recorded is not None

    def fail_while_stopped() -> None:
        with made.stopped("etcd"):
            deadline = time.monotonic() + 10
            while not processes.is_stopped(recorded):
                assert time.monotonic() < deadline
            raise ValueError("while stopped")

    with pytest.raises(ValueError, match="while stopped"):
        fail_while_stopped()
    assert not processes.is_stopped(recorded)


def test_a_component_of_an_earlier_boot_is_not_stopped(made: cluster.Cluster) -> None:
    record = Layout(made.state).record("etcd")
    recorded = processes.recorded(record)
    assert recorded is not None
    record.write_text(json.dumps(dataclasses.asdict(recorded) | {"boot_id": "earlier"}))

    with pytest.raises(NotRunningError, match="etcd does not run"), made.stopped("etcd"):
        pass
    record.write_text(json.dumps(dataclasses.asdict(recorded)))


@pytest.mark.parametrize("command", ["kubeconfig", "status"])
def test_a_command_without_a_sandbox_ends_in_one_line_and_1(state: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", command],
        env={
            "BACKOUT_SANDBOX_STATE": str(state),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(SOURCES.parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: The sandbox is not running: start it with")
    assert done.stderr.count("\n") == 1
