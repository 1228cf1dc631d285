"""The sandbox survives what machines do to it. Destroys the cluster that others use."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import cleaning, cluster
from sandbox.folders import SOURCES, state_folder
from sandbox.layout import Layout
from sandbox.machine import addresses, cgroups, processes

pytestmark = [pytest.mark.sandbox_lifecycle, pytest.mark.timeout(900)]
EVERY_CASE = pytest.mark.every_case

WARM_SECONDS = 15
NO_OP_SECONDS = 1
READINESS = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}
WORKLOAD = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [
                            {
                                "name": "web",
                                "image": f"{addresses.REGISTRY}/app:v1",
                                "readinessProbe": READINESS,
                            }
                        ]
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ],
}


def sandbox(command: str, checkout: Path = SOURCES.parent) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "sandbox", command]
    return subprocess.run(argv, cwd=checkout, capture_output=True, text=True, check=False)


def up(checkout: Path = SOURCES.parent) -> float:
    start = time.monotonic()
    done = sandbox("up", checkout)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start


def kubectl(*arguments: str, text: str | None = None) -> str:
    made = cluster.running()
    argv = [str(made.kubectl), "--kubeconfig", str(made.kubeconfig), *arguments]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def apply_workload() -> None:
    kubectl("apply", "-f", "-", text=json.dumps(WORKLOAD))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def answer_of_the_service() -> int:
    address = kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def assert_works() -> None:
    assert sandbox("status").returncode == 0
    apply_workload()
    # Pods are Ready a moment before kube-proxy has programmed them.
    deadline = time.monotonic() + 10
    while True:
        try:
            assert answer_of_the_service() == http.client.OK
        except OSError:
            assert time.monotonic() < deadline
        else:
            return


def assert_nothing_is_left() -> None:
    state = state_folder()
    assert not state.exists()
    assert cleaning.our_processes(state) == []
    assert cleaning.mounts_below(Path("/proc/self/mounts").read_text(), state) == []
    assert [root for root in cgroups.roots() if root.exists()] == []
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True)
    assert addresses.NODE_LINK not in links.stdout
    assert "veth" not in links.stdout
    for program in ("iptables-save", "ip6tables-save"):
        rules = subprocess.run([program], capture_output=True, text=True, check=True)
        assert "KUBE-" not in rules.stdout


def test_down_leaves_nothing_and_a_warm_up_is_quick() -> None:
    up()
    apply_workload()

    done = sandbox("down")
    assert done.returncode == 0, done.stderr
    assert_nothing_is_left()
    assert sandbox("status").returncode == 1

    assert up() < WARM_SECONDS
    assert_works()
    assert up() < NO_OP_SECONDS


def test_an_address_that_nobody_has_does_not_leave_the_machine() -> None:
    up()
    for address in ("10.214.255.254", "10.215.255.254"):
        route = subprocess.run(
            ["ip", "route", "get", address], capture_output=True, text=True, check=True
        )
        assert f"dev {addresses.NODE_LINK} " in route.stdout


def test_a_killed_sandbox_comes_up_again_from_another_checkout(tmp_path: Path) -> None:
    up()
    apply_workload()
    assert processes.kill(cleaning.our_processes(state_folder())) == []
    shutil.copytree(SOURCES, tmp_path / "sandbox")

    assert up(tmp_path) < WARM_SECONDS
    assert_works()


@pytest.mark.parametrize(
    "seconds", [2.0, *(pytest.param(s, marks=EVERY_CASE) for s in (0.3, 1.0, 3.0, 4.0))]
)
def test_an_up_that_was_killed_half_way_is_made_good_by_the_next(seconds: float) -> None:
    sandbox("down")
    argv = [sys.executable, "-m", "sandbox", "up"]
    with subprocess.Popen(argv, cwd=SOURCES.parent, stderr=subprocess.DEVNULL) as half:
        time.sleep(seconds)
        half.kill()

    assert up() < WARM_SECONDS
    assert_works()


def test_an_up_that_was_killed_half_way_is_cleaned_by_down() -> None:
    sandbox("down")
    argv = [sys.executable, "-m", "sandbox", "up"]
    with subprocess.Popen(argv, cwd=SOURCES.parent, stderr=subprocess.DEVNULL) as half:
        time.sleep(3)
        half.kill()

    assert sandbox("down").returncode == 0
    assert_nothing_is_left()


@pytest.mark.parametrize(
    "component",
    [
        "etcd",
        "kubelet",
        *(
            pytest.param(one, marks=EVERY_CASE)
            for one in ("kube-apiserver", "containerd", "kube-proxy")
        ),
    ],
)
def test_a_component_that_died_is_started_again_and_the_workload_stays(component: str) -> None:
    up()
    apply_workload()
    uid = kubectl("get", "deployment", "web", "-o", "jsonpath={.metadata.uid}")
    recorded = processes.recorded(Layout(state_folder()).record(component))
    assert recorded is not None
    assert processes.kill([recorded]) == []
    assert sandbox("status").returncode == 1

    up()

    assert_works()
    assert kubectl("get", "deployment", "web", "-o", "jsonpath={.metadata.uid}") == uid


def test_two_ups_at_once_make_one_sandbox() -> None:
    sandbox("down")
    argv = [sys.executable, "-m", "sandbox", "up"]
    with subprocess.Popen(argv, cwd=SOURCES.parent, stderr=subprocess.DEVNULL) as other:
        up()
        assert other.wait() == 0
    assert_works()


def test_a_component_left_stopped_goes_on() -> None:
    up()
    recorded = processes.recorded(Layout(state_folder()).record("kube-scheduler"))
    assert recorded is not None
    processes.send(recorded, signal.SIGSTOP)

    up()

    assert sandbox("status").returncode == 0
    os.kill(recorded.pid, 0)
