"""Rolled out is not recovered: what is asked, of whom, and what an answer is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import BECAUSE
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.space import Space

SICK = {"HEALTH_STATUS": "503"}


def gone(space: Space, tag: str) -> None:
    until(f"no Pod of {tag} runs", lambda: not space.pods(image=space.image(tag)))


def test_a_service_that_answers_503_after_a_good_rollout_is_exit_4(space: Space) -> None:
    space.deploy(space.version("v1", env=SICK))
    space.roll(space.version("v2"), up=True)
    gone(space, "v1")

    ran = space.undo(*BECAUSE, "--health", "/healthz", "--health-timeout", "3s").expect(4)

    assert 'deployment "shop" successfully rolled out' in ran.out.splitlines()
    assert "rolled out, and unhealthy: service shop:web/healthz: HTTP 503" in ran.err
    record = space.records()[-1]
    assert (record["state"], record["verdict"], record["health"]) == (
        "FAILED",
        "Complete",
        "Unhealthy",
    )
    assert [e["reason"] for e in space.events()] == ["RollbackFailed"]


def test_a_url_is_asked_as_a_user_asks_it(space: Space) -> None:
    space.deploy(space.version("v1"))
    address = space.get("Service")["spec"]["clusterIP"]
    space.roll(space.version("missing"))
    url = f"http://{address}/healthz"

    ran = space.undo("--health", url, "--health-successes", "2", "--soak", "0.5s").expect(0)

    assert f"healthy: {url} answered well 2 times in a row" in ran.outcome
    assert space.audited("get", "services") == []


def test_port_and_path_are_asked_through_the_service(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))

    ran = space.undo("--health", "8080/healthz").expect(0)

    assert "healthy: service shop:web/healthz answered well" in ran.outcome
    asked = [e["requestURI"] for e in space.audited("get", "services")]
    assert any(u.endswith("shop:web/proxy/healthz") for u in asked), asked
    pods = [e["requestURI"] for e in space.audited("get", "pods")]
    assert any(u.endswith(":8080/proxy/healthz") for u in pods), pods


@pytest.mark.every_case
def test_a_404_on_a_guessed_path_is_inconclusive(space: Space) -> None:
    version = space.version("v1", probe=None, env={"HEALTH_PATH": "/elsewhere"})
    space.deploy(version)
    space.roll(space.version("missing"))

    ran = space.undo().expect(5)

    assert "; health is inconclusive: service shop:web/healthz: HTTP 404" in ran.outcome
    assert "on a guessed path" in ran.err
    assert space.image_now() == space.image("v1")
    assert space.records()[-1]["state"] == "UNDECIDED"


@pytest.mark.every_case
def test_a_404_on_a_path_that_somebody_named_is_unhealthy(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)
    gone(space, "v1")

    ran = space.undo(*BECAUSE, "--health", "/nothing-here", "--health-timeout", "2s").expect(4)

    assert "unhealthy: service shop:web/nothing-here: HTTP 404" in ran.err


def test_a_redirect_is_not_followed(space: Space) -> None:
    space.deploy(space.version("v1", env={"HEALTH_STATUS": "302"}))
    space.roll(space.version("v2"), up=True)
    gone(space, "v1")

    ran = space.undo(*BECAUSE, "--health", "/healthz", "--health-timeout", "2s").expect(5)

    assert "HTTP 302: redirects are not followed" in ran.err


def test_with_nothing_to_ask_health_is_not_claimed(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    ran = space.undo().expect(0)

    assert "not verified end to end: no Service leads to port 8080" in ran.out
    assert "healthy:" not in ran.both
    assert space.records()[-1]["health"] == "NotVerified"


@pytest.mark.every_case
def test_with_nothing_to_ask_and_require_health_nothing_is_changed(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    ran = space.undo("--require-health").expect(3)

    assert "PF118" in ran.findings()
    assert space.image_now() == space.image("missing")


@pytest.mark.every_case
def test_a_service_without_endpoints_of_its_own_is_left_out(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "metrics"},
            "spec": {"selector": {"app": "shop"}, "ports": [{"port": 9090}]},
        }
    )
    space.roll(space.version("missing"))

    ran = space.undo().expect(0)

    assert "healthy: service shop:web/ready answered well" in ran.outcome
    assert "metrics" not in ran.both


def test_a_half_started_target_is_refused(space: Space) -> None:
    space.deploy(space.version("v1", env={"READY": "never"}), up=False)
    until("its Pod runs", lambda: running(space))
    space.roll(space.version("missing"))

    ran = space.undo("--to-revision", "1").expect(3)

    assert "every running Pod of revision 1 that was asked (1) answers badly (Pod shop-" in ran.err
    assert "HTTP 503" in ran.err
    assert "✗ Not rolled back (PF121). Nothing was changed." in ran.err
    assert "no Pod of deployment/shop is Ready: refusing leaves the outage as it is" in ran.err
    assert "--accept PF121 --reason 'WHY'" in ran.line("to roll back anyway: ")
    assert space.wrote() == []


@pytest.mark.every_case
def test_ready_pods_that_fail_on_the_health_path_are_half_started_too(space: Space) -> None:
    space.deploy(space.version("v1", env=SICK))
    space.roll(space.version("missing"))

    ran = space.undo("--health", "/healthz").expect(3)

    assert "PF121" in ran.findings()
    assert "HTTP 503" in ran.err


@pytest.mark.every_case
def test_some_unhealthy_pods_are_a_warning_with_their_count(space: Space) -> None:
    # Each Pod tells its health at a path of its own name, so one of two knows the path.
    named = [
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "HEALTH_PATH", "value": "/$(POD)"},
    ]
    space.deploy(space.version("v1", container={"env": named}), replicas=2)
    first, _ = (p["metadata"]["name"] for p in space.pods())
    space.roll(space.version("missing"))

    ran = space.undo("--health", f"/{first}", "--dry-run").expect(0)

    assert "WARN PF122: 1 of 2 running Pods of revision 1 do not answer well" in ran.err


def running(space: Space) -> bool:
    return any(
        "running" in status["state"]
        for pod in space.pods()
        for status in pod["status"].get("containerStatuses", [])
    )
