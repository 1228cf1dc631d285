"""What proves that a revision works: a deploy that was verified, a record, a rehearsal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.checks.test_permissions import RIGHTS, rule, user_with
from tests.cluster.command import BECAUSE, accepting
from tests.cluster.manifests import SHOP
from tests.cluster.memory.test_memory import memory
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"
TRIAL = "backout.dev/rehearsal"


def trials(space: Space) -> list[Object]:
    """Return the trial Pods that are there and are not on their way out."""
    return [p for p in space.every("Pod", TRIAL) if "deletionTimestamp" not in p["metadata"]]


def test_a_verified_deploy_is_what_an_undo_to_the_last_healthy_goes_back_to(space: Space) -> None:
    """Revision 2 is newer, its Pods run, and nobody ever verified it."""
    space.deploy(space.version("v1"))
    verified = space.backout("verify", DEPLOY, "--reason", "build 311").expect(0)
    one = memory(space)[1]
    space.roll(space.version("v2"), up=True)
    space.roll(space.version("missing"))
    ran = space.undo("--to-last-healthy").expect(0)

    assert verified.outcome == (
        "deployment/shop is rolled out and healthy: service shop:web/ready answered well"
    )
    assert (
        verified.line("recorded healthy")
        == "recorded healthy: revision 1; a later rollback may return to it"
    )
    assert one["told"].startswith("verified by root (as admin): build 311; service shop:web/ready")
    assert one["images"]["app"].startswith("sha256:")
    assert space.audited("patch", "deployments")[:-1] == []
    assert "not chosen: revision 2, it was not recorded healthy" in ran.out
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_without_a_record_an_undo_to_the_last_healthy_is_refused(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    ran = space.undo("--to-last-healthy").expect(3)
    checked = space.backout("check", DEPLOY, "--to-last-healthy").expect(3)

    assert ran.findings() == checked.findings() == {"PF113"}
    assert space.wrote() == []


def test_status_records_in_the_same_go_and_what_the_deploy_names(space: Space) -> None:
    settings = space.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {}}
    )
    source = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    space.deploy(space.version("v1", container=source))
    ran = space.backout("status", DEPLOY, "--record").expect(0)
    version = settings["metadata"]["resourceVersion"]

    assert "recorded healthy: revision 1" in ran.out
    assert memory(space)[1]["references"] == {"ConfigMap/settings": version}


@pytest.mark.every_case
def test_a_deploy_that_hangs_is_not_remembered(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    ran = space.backout("verify", DEPLOY).expect(4)

    assert "the rollout of deployment/shop failed" in ran.outcome
    assert space.lease() is None


@pytest.mark.every_case
def test_who_may_not_write_the_ledger_is_told_that_it_is_healthy_and_not_recorded(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    rules = [r for r in RIGHTS if r["resources"] != ["leases"]]
    ran = space.backout("verify", DEPLOY, env=user_with(space, rules)).expect(0)

    assert "WARN: it was verified, and not recorded: leases.coordination.k8s.io" in ran.err
    assert space.lease() is None


def test_the_annotation_says_what_is_asked_and_a_url_there_is_refused(space: Space) -> None:
    space.deploy(space.version("v1"))
    annotated = {"metadata": {"annotations": {"backout.dev/health": "http/healthz"}}}
    space.merge(annotated)
    ran = space.backout("verify", DEPLOY).expect(0)
    assert "service shop:web/healthz answered well" in ran.outcome

    space.merge({"metadata": {"annotations": {"backout.dev/health": "http://192.0.2.1/"}}})
    space.roll(space.version("v2"), up=True)
    checked = space.backout("check", DEPLOY).expect(0)
    assert "PF126" in checked.findings()


@pytest.mark.every_case
def test_where_the_probe_is_not_http_the_kubelets_answer_is_told(space: Space) -> None:
    tcp = {"readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1}}
    space.deploy(space.version("v1", probe=None, container=tcp))
    ran = space.backout("verify", DEPLOY, "--soak", "1s").expect(0)
    space.roll(space.version("missing", probe=None, container=tcp))
    checked = space.backout("check", DEPLOY).expect(0)

    assert "healthy: the kubelet's own TCP probe held for 1 s" in ran.outcome
    assert "by the kubelet's own TCP probe" in checked.out


def unproven(space: Space, **how: Any) -> None:
    """Revision 1 has no Pod any more, and no record; revision 2 hangs."""
    space.deploy(space.version("v1", **how), up=not how)
    space.roll(space.version("v2"), up=True)
    until("no Pod of v1 runs", lambda: not space.pods(image=space.image("v1")))


@pytest.mark.every_case
def test_an_unproven_target_is_refused_where_proof_is_required(space: Space) -> None:
    unproven(space)
    ran = space.undo(env={"BACKOUT_REQUIRE_PROOF": "1"}).expect(3)

    assert "PF114" in ran.findings()
    assert "PF110" not in ran.findings()
    assert space.wrote() == []


@pytest.mark.every_case
def test_a_target_that_was_never_proven_is_gone_to_all_the_same_and_fails(space: Space) -> None:
    unproven(space, probe="/not-there")
    space.undo("--require-proof").expect(3)
    failed = space.undo("--require-proof", *accepting("PF114")).expect(4)

    assert "/not-there" in failed.outcome
    assert space.records()[-1]["accepted"] == ["PF114"]


def endpoints(space: Space) -> set[str]:
    path = f"/apis/discovery.k8s.io/v1/namespaces/{space.name}/endpointslices"
    slices = space.api.call("GET", path)["items"]
    return {e["targetRef"]["name"] for one in slices for e in one.get("endpoints") or []}


def test_a_good_target_is_proven_by_a_trial_pod_that_no_service_ever_sends_to(
    space: Space,
) -> None:
    unproven(space)
    started = space.start_undo("--rehearse", "--require-proof", "--health-successes", "4")
    name = started.until("rehearsing revision 1 in trial Pod").split()[6].rstrip(",")
    seen: set[str] = set()

    def is_ready() -> bool:
        seen.update(endpoints(space))
        status = space.get("Pod", name)["status"]
        return any(
            c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()
        )

    until("the trial Pod is ready", is_ready)
    pod = space.get("Pod", name)
    seen |= endpoints(space)
    ran = started.ended().expect(0)

    assert name not in seen
    assert seen
    assert "app" not in pod["metadata"]["labels"]
    assert "rehearsed just now: its trial Pod was Ready after " in ran.out
    assert space.image_now() == space.image("v1")
    assert trials(space) == []
    deleted, patched = space.audited("delete", "pods"), space.audited("patch", "deployments")
    assert len(deleted) == len(patched) == 1
    assert deleted[0]["requestReceivedTimestamp"] < patched[0]["requestReceivedTimestamp"]


@pytest.mark.parametrize(
    ("env", "seconds", "why"),
    [
        pytest.param(
            {"CRASH": "3"},
            "60s",
            "container app ends with exit 3",
            id="crashing",
            marks=pytest.mark.every_case,
        ),
        pytest.param({"READY": "never"}, "6s", "was not Ready within 6 s", id="never ready"),
    ],
)
def test_a_target_that_does_not_come_up_is_refused_and_nothing_is_switched(
    space: Space, env: dict[str, str], seconds: str, why: str
) -> None:
    unproven(space, env=env)
    ran = space.undo("--rehearse", "--rehearse-timeout", seconds).expect(3)

    assert "PF124" in ran.findings()
    assert why in ran.err
    assert space.image_now() == space.image("v2")
    assert trials(space) == []
    assert space.audited("patch", "deployments") == []


@pytest.mark.every_case
def test_an_image_that_is_gone_is_told_in_seconds(space: Space) -> None:
    space.deploy(space.version("missing"), up=False)
    space.roll(space.version("v2"), up=True)
    ran = space.undo("--rehearse", *accepting("PF301")).expect(3)

    assert "PF124" in ran.findings()
    assert "missing" in ran.line("PF124    the rehearsal of revision 1 failed")
    assert trials(space) == []

    failed = space.undo("--rehearse", *accepting("PF301", "PF124")).expect(4)
    assert "missing" in failed.outcome
    assert space.records()[-1]["accepted"] == ["PF124", "PF301"]


def test_a_dry_run_rehearses_only_where_it_is_asked(space: Space) -> None:
    unproven(space)
    space.undo("--dry-run", *BECAUSE).expect(0)
    assert space.wrote() == []

    ran = space.undo("--dry-run", "--rehearse").expect(0)
    assert "rehearsed just now" in ran.out
    assert [e["verb"] for e in space.wrote()] == ["create", "delete"]


@pytest.mark.never_again
def test_a_rehearsal_that_was_killed_leaves_nothing_after_the_next_run(space: Space) -> None:
    unproven(space, env={"READY": "never"})
    started = space.start_undo("--rehearse")
    started.until("rehearsing revision 1")
    started.send(signal.SIGKILL)
    started.ended()
    [left] = trials(space)
    assert left["spec"]["activeDeadlineSeconds"] == 90

    space.undo("--to-revision", "1", *BECAUSE, "--timeout", "12s").expect(5)

    until("no trial Pod is left", lambda: not space.every("Pod", TRIAL))
    assert len(space.audited("delete", "pods")) == 1


@pytest.mark.never_again
def test_an_interrupted_rehearsal_takes_its_pod_with_it(space: Space) -> None:
    unproven(space, env={"READY": "never"})
    started = space.start_undo("--rehearse")
    started.until("rehearsing revision 1")
    started.send(signal.SIGINT)
    ran = started.ended().expect(130)

    assert ran.outcome == "ERROR: interrupted: nothing was changed"
    until("no trial Pod is left", lambda: not space.every("Pod", TRIAL))
    assert space.audited("patch", "deployments") == []


@pytest.mark.every_case
def test_without_the_right_to_pods_the_demand_refuses_and_the_rule_is_named(
    space: Space,
) -> None:
    unproven(space)
    env = user_with(space, [*RIGHTS, rule("", "pods", "create")])
    ran = space.undo("--rehearse", env=env).expect(3)

    assert "PF127" in ran.findings()
    assert f"you may not delete pods in namespace {space.name}" in ran.err
    assert "resources: [pods], verbs: [create, delete, list, watch]" in ran.err
    assert space.audited("create", "pods") == []


@pytest.mark.every_case
def test_where_a_pod_more_is_unwelcome_none_is_made(space: Space) -> None:
    space.deploy(space.version("v1"), strategy={"type": "Recreate"})
    space.roll(space.version("v2"), up=True)
    ran = space.undo("--rehearse", *BECAUSE).expect(0)

    assert "PF125" in ran.findings()
    assert "the strategy is Recreate" in ran.err
    assert space.audited("create", "pods") == []
