"""A bad deploy of each kind, the way back, and what scripts and people read about it."""

from __future__ import annotations

import re

import pytest

from tests.cluster.manifests import Version
from tests.cluster.space import CHANGE_CAUSE, Space, until

EVERY_CASE = pytest.mark.every_case
BAD_ENV = {"REQUIRE_ENV": "NOT_SET_BY_THE_NEW_TEMPLATE"}
FROM_CONFIG = {"envFrom": [{"configMapRef": {"name": "never-made"}}]}


def test_a_bad_image_is_undone_and_the_shop_is_healthy_again(space: Space) -> None:
    space.deploy(space.version("v1"), replicas=2)
    space.roll(space.version("missing"))

    ran = space.undo().expect(0)

    lines = ran.out.splitlines()
    announced = re.compile(
        r"rollback triggered for deployment/shop to revision=1, traceID=([0-9a-f]{32})"
    )
    triggered = [m for m in map(announced.fullmatch, lines) if m]
    assert len(triggered) == 1, str(ran)
    assert lines.count('deployment "shop" successfully rolled out') == 1, str(ran)
    done = "deployment/shop rolled back to revision 1, now revision 3; healthy: "
    assert ran.outcome.startswith(done), str(ran)
    assert "service shop:web/ready" in ran.outcome
    assert f"namespace {space.name}" in lines[0]

    assert space.image_now() == space.image("v1")
    assert space.get()["spec"]["replicas"] == 2
    assert len(space.pods(image=space.image("v1"))) == 2
    record = space.records()[-1]
    assert (record["state"], record["health"], record["closedAt"] is None) == (
        "SUCCEEDED",
        "Healthy",
        False,
    )
    lease = space.lease()
    assert lease is not None
    assert lease["spec"].get("holderIdentity", "") == ""
    assert lease["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "backout"


def test_one_undo_is_one_patch_and_one_event_and_touches_no_pod(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))

    trace = re.search(r"traceID=(\w+)", space.undo().expect(0).out)

    assert trace is not None
    assert len(space.audited("patch", "deployments")) == 1
    assert {e["objectRef"]["resource"] for e in space.wrote()} == {
        "deployments",
        "leases",
        "events",
    }
    [event] = space.events()
    assert (event["type"], event["reason"]) == ("Normal", "RollbackSucceeded")
    assert trace.group(1) in event["message"]
    assert event["involvedObject"]["uid"] == space.get()["metadata"]["uid"]
    assert "RollbackSucceeded" in space.kubectl("describe", "deploy/shop").expect(0).out


@pytest.mark.parametrize(
    ("env", "probe", "container"),
    [
        pytest.param({"CRASH": "3"}, "/ready", {}, id="crash", marks=EVERY_CASE),
        pytest.param(BAD_ENV, "/ready", {}, id="a variable it needs is gone", marks=EVERY_CASE),
        pytest.param({"READY": "never"}, "/ready", {}, id="never ready"),
        pytest.param({}, "/health/v2", {}, id="readiness path changed", marks=EVERY_CASE),
        pytest.param({}, "/ready", FROM_CONFIG, id="missing ConfigMap", marks=EVERY_CASE),
    ],
)
def test_a_bad_deploy_of_each_kind_is_undone(
    space: Space, env: dict[str, str], probe: str, container: dict[str, object]
) -> None:
    space.deploy(space.version("v1"))
    space.roll(Version(image=space.image("v2"), env=env, probe=probe, container=container))
    until("a Pod of the bad version", lambda: space.pods(image=space.image("v2")))

    ran = space.undo().expect(0)

    assert 'deployment "shop" successfully rolled out' in ran.out.splitlines()
    assert "healthy: service shop:web/ready" in ran.outcome, str(ran)
    spec = space.template()["spec"]["containers"][0]
    assert spec["image"] == space.image("v1")
    assert spec["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert "envFrom" not in spec


def test_the_good_revision_keeps_its_change_cause(space: Space) -> None:
    space.deploy(space.version("v1"), cause="v1: the good one")
    space.roll(space.version("missing"), cause="v2: the hasty one")

    ran = space.undo().expect(0)
    space.observed()

    assert "change-cause: v1: the good one" in ran.out
    assert space.get()["metadata"]["annotations"][CHANGE_CAUSE] == "v1: the good one"
    good, bad = space.revisions()[3], space.revisions()[2]
    assert good["metadata"]["annotations"][CHANGE_CAUSE] == "v1: the good one"
    assert bad["metadata"]["annotations"][CHANGE_CAUSE] == "v2: the hasty one"


@pytest.mark.every_case
def test_a_good_revision_without_a_change_cause_does_not_inherit_the_bad_one(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"), cause="the hasty one")

    space.undo().expect(0)
    space.observed()

    assert CHANGE_CAUSE not in space.get()["metadata"]["annotations"]
    assert CHANGE_CAUSE not in space.revisions()[3]["metadata"]["annotations"]


def test_a_dry_run_shows_the_diff_and_changes_nothing(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    before = space.get()

    ran = space.undo("--dry-run").expect(0)

    assert "would be rolled back to revision 1 (server dry run); nothing was changed" in ran.outcome
    for line in (f"│ - {space.image('missing')}", f"│ + {space.image('v1')}"):
        assert line in ran.out.splitlines(), str(ran)
    assert "rollback triggered" not in ran.both
    after = space.get()
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert space.lease() is None
    assert space.wrote() == []


def test_json_is_one_event_a_line_and_the_last_one_is_the_outcome(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))

    ran = space.undo("-o", "json").expect(0)

    kinds = [e["event"] for e in ran.events]
    assert kinds.index("triggered") < kinds.index("rolled_out") < kinds.index("outcome")
    assert kinds[-1] == "outcome"
    last = ran.events[-1]
    assert (last["result"], last["exit"], last["health"]) == ("succeeded", 0, "Healthy")
    announced = next(e["message"] for e in ran.events if e["event"] == "triggered")
    assert announced.startswith("rollback triggered for deployment/shop to revision=1, traceID=")
    assert announced in ran.err.splitlines()
    assert len({e["op"] for e in ran.events if "op" in e}) == 1


def test_a_refusal_in_json_ends_with_its_outcome_too(space: Space) -> None:
    space.deploy(space.version("v1"), up=False, replicas=0)

    ran = space.undo("-o", "json").expect(3)

    last = ran.events[-1]
    assert (last["event"], last["result"], last["exit"]) == ("outcome", "refused", 3)
    assert [e["id"] for e in ran.events if e["event"] == "blocked"] == ["PF104"]


def test_replicas_zero_is_said_aloud_and_stays_zero(space: Space) -> None:
    space.deploy(space.version("v1"), up=False, replicas=0)
    space.roll(space.version("v2"))

    ran = space.undo("--health-timeout", "5s").expect(0)

    assert "WARN PF112: replicas is 0" in ran.err
    assert "not verified end to end" in ran.outcome
    assert space.image_now() == space.image("v1")
    assert space.get()["spec"]["replicas"] == 0
    assert "healthy: " not in ran.both


def test_it_runs_as_a_plugin_of_kubectl(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))

    ran = space.kubectl_plugin("undo", "deploy/shop", "--yes").expect(0)

    assert 'deployment "shop" successfully rolled out' in ran.out.splitlines()
    assert space.image_now() == space.image("v1")
