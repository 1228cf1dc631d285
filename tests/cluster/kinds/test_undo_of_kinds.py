"""StatefulSets and DaemonSets: the whole way back, and what every other command says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.command import accepting
from tests.cluster.kinds.sets import DAEMON, STATEFUL, Shop, is_ready
from tests.cluster.space import CHANGE_CAUSE, until

if TYPE_CHECKING:
    from tests.cluster.space import Space

EVERY_CASE = pytest.mark.every_case
PARALLEL: dict[str, Any] = {"podManagementPolicy": "Parallel"}
KINDS = [pytest.param(STATEFUL, PARALLEL, id="sts"), pytest.param(DAEMON, {}, id="ds")]
DONE = {
    STATEFUL: "partitioned roll out complete: 3 new pods have been updated...",
    DAEMON: 'daemon set "shop" successfully rolled out',
}


@pytest.mark.parametrize(("kind", "spec"), KINDS)
def test_a_bad_deploy_is_undone_and_told_by_every_command(
    space: Space, kind: str, spec: dict[str, Any]
) -> None:
    shop = Shop(space, kind, **spec)
    shop.deploy()
    good = shop.history[1]["metadata"]["uid"]
    shop.roll(space.version("missing"), cause="the hasty one")
    noun = kind.lower()

    assert f"{noun}/shop could be rolled back to revision 1" in shop.backout("check").expect(0).out
    assert f"{noun}/shop is progressing" in shop.backout("explain").expect(5).out
    assert "undo goes here" in shop.backout("history").expect(0).out
    assert "image app:missing -> app:v1" in shop.backout("diff").expect(0).out

    ran = shop.undo().expect(0)

    announced = rf"rollback triggered for {noun}/shop to revision=1, traceID=[0-9a-f]{{32}}"
    assert len(re.findall(announced, ran.out)) == 1, str(ran)
    assert ran.out.splitlines().count(DONE[kind]) == 1, str(ran)
    assert ran.outcome.startswith(
        f"{noun}/shop rolled back to revision 1, now revision 3; healthy: "
    ), str(ran)
    assert shop.image == space.image("v1")
    assert all(map(is_ready, shop.pods(space.image("v1"))))
    # The controller has taken the same object of the history again.
    assert shop.history[3]["metadata"]["uid"] == good
    assert CHANGE_CAUSE not in shop.now["metadata"]["annotations"]
    (record,) = shop.records()
    assert (record["state"], record["health"]) == ("SUCCEEDED", "Healthy")
    assert len(space.audited("patch", f"{noun}s")) == 1
    assert not space.audited("delete", "pods")

    status = shop.kubectl("rollout", "status", shop.target).expect(0)
    assert status.out.splitlines()[-1] == DONE[kind], "kubectl has other words for it"
    assert "is rolled out" in shop.backout("status").expect(0).outcome
    assert "recorded healthy: revision 3" in shop.backout("verify").expect(0).out
    assert " healthy " in shop.backout("ledger").expect(0).out
    assert f"{noun}/shop" in shop.space.backout("report", shop.target).expect(0).out
    assert "no rollback of" in shop.backout("resume").expect(0).outcome
    again = shop.undo().expect(3)
    assert "already rolled back to revision" in again.err


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        pytest.param(STATEFUL, PARALLEL, id="sts"),
        pytest.param(DAEMON, {}, id="ds", marks=EVERY_CASE),
    ],
)
def test_on_delete_is_refused_with_the_pods_to_delete_and_goes_on_once_they_are(
    space: Space, kind: str, spec: dict[str, Any]
) -> None:
    strategy = {"updateStrategy": {"type": "OnDelete"}}
    shop = Shop(space, kind, **{**spec, **strategy, **({"replicas": 1} if spec else {})})
    shop.deploy()
    old = shop.pods()[0]["metadata"]["name"]
    shop.change({"template": {"metadata": {"labels": {"build": "2"}}}})
    space.api.delete(space.name, "Pod", old)
    shop.until_ready()
    until("the new one", lambda: [p for p in shop.pods() if p["metadata"]["labels"].get("build")])
    (pod,) = [p["metadata"]["name"] for p in shop.pods()]

    refused = shop.undo("--reason", "try").expect(3)
    assert "PF608" in refused.findings()
    assert f"kubectl delete pod {pod} -n {space.name}" in refused.both

    shop.undo(*accepting("PF608"), "--timeout", "20s").expect(5)
    assert shop.records()[-1]["state"] == "APPLIED"
    space.api.delete(space.name, "Pod", pod)
    until("its end", lambda: not [p for p in shop.pods() if p["metadata"]["labels"].get("build")])

    shop.backout("resume", "--timeout", "60s").expect(0)
    assert shop.records()[-1]["state"] == "SUCCEEDED"


def test_what_is_below_a_partition_stays_and_that_is_said(space: Space) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    shop = Shop(space, STATEFUL, **PARALLEL, replicas=2, updateStrategy=rolling)
    shop.deploy()
    shop.roll(space.version("missing"))

    ran = shop.undo().expect(0)

    assert "PF610" in ran.findings()
    assert "partitioned roll out complete: 2 new pods have been updated..." in ran.out


def test_a_daemon_set_that_no_node_runs_goes_back_and_is_verified_where_it_then_runs(
    space: Space,
) -> None:
    shop = Shop(space, DAEMON)
    shop.deploy()
    shop.change({"template": {"spec": {"nodeSelector": {"no-such": "label"}}}})
    until("none", lambda: not shop.pods())

    alone = shop.backout("verify").expect(0)
    assert "not verified end to end: no node is to run it" in alone.outcome

    ran = shop.undo().expect(0)
    assert "PF112" in ran.findings()
    assert "healthy: service shop:web/ready" in ran.outcome, str(ran)


def test_two_bad_templates_in_a_row_go_to_the_good_one_and_not_where_kubectl_would(
    space: Space,
) -> None:
    shop = Shop(space, STATEFUL, **PARALLEL, replicas=2)
    shop.deploy()
    shop.roll(space.version("missing"))
    shop.change({"template": {"metadata": {"labels": {"build": "2"}}}})

    ran = shop.undo().expect(0)

    assert "kubectl rollout undo would go to revision 2" in ran.both
    assert shop.image == space.image("v1")


@EVERY_CASE
@pytest.mark.parametrize("kind", [STATEFUL, DAEMON])
def test_a_quota_that_refuses_its_pods_is_told_from_its_own_events(space: Space, kind: str) -> None:
    space.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "full"},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    shop = Shop(space, kind)
    shop.deploy(up=False)
    until("an event", lambda: [e for e in space.every("Event") if e["reason"] == "FailedCreate"])

    ran = shop.backout("status", "--patience", "2s", "--timeout", "30s").expect(4)
    assert "exceeded quota: full" in ran.both
    assert "[QUOTA]" in ran.both
