"""When a suspected cause is final, and for each that can be, what looks the same and recovers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.diagnosis import finality
from backout.core.diagnosis.before import Before
from backout.core.diagnosis.finality import hastened
from backout.core.diagnosis.groups import TABLE, Found, Group, Patience, Rule, patience
from backout.core.diagnosis.readiness import Others
from backout.core.kinds.stateful_set import STATEFUL_SET
from tests.core.diagnosis.looks import PEER, causes, changing, final_at, scene, stuck
from tests.objects.controller_revisions import controller_revision
from tests.objects.deployments import deployment
from tests.objects.events import event
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.stateful_sets import ordinal, stateful_set
from tests.objects.templates import template
from tests.objects.times import NOW, stamp
from tests.objects.workloads import UID

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.diagnosis.diagnosis import Scene

    At = Scene | Callable[[float], Scene]

POD = "uid-web-3-a"
IMAGE = "reg.example/app:v9"
GONE = f'failed to resolve reference "{IMAGE}": {IMAGE}: not found'
DENIED = f'failed to resolve reference "{IMAGE}": unexpected status: 401 Unauthorized'
PLATFORM = f'failed to pull and unpack image "{IMAGE}": no match for platform: not found'
NO_BINARY = 'exec: "/no": stat /no: no such file or directory'
BACK_OFF = "back-off 10s restarting failed container=app pod=web-3-a_shop"
WELL = scene(None, replica_set(3), [pod()])
PROBED = template(readinessProbe={"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1})
UNBOUND = 'pod has unbound immediate PersistentVolumeClaims; claim "c"'
SECRET = waiting("CreateContainerConfigError", 'secret "tls" not found')


def unplaced(text: str, *events: Any, others: Any = (), **status: Any) -> Scene:
    made = pod(ready=False, conditions=[condition("PodScheduled", "False", "Unschedulable", text)])
    made["status"] |= status
    return scene(None, replica_set(3), [made], events, others=others)


def refused(text: str, *events: Any, others: Any = ()) -> Scene:
    failure = condition("ReplicaFailure", "True", "FailedCreate", text)
    current = replica_set(3, status={"conditions": [failure]})
    return scene(None, current, [], events, others=others)


def refused_again(text: str, after: float) -> Callable[[float], Scene]:
    """Return a refusal that is repeated at once, as the controller does, and later on."""

    def at(second: float) -> Scene:
        told = [event("uid-web-3", "FailedCreate", text, at=NOW)]
        told += [event("uid-web-3", "FailedCreate", text, at=NOW + timedelta(milliseconds=5))]
        if second >= after:
            told.append(event("uid-web-3", "FailedCreate", text, at=NOW + timedelta(seconds=after)))
        return refused(text, *told)

    return at


def until(second: float, bad: At, then: Scene = WELL) -> Callable[[float], Scene]:
    """Return what is bad until it is well."""

    def at(now: float) -> Scene:
        if now >= second:
            return then
        return bad(now) if callable(bad) else bad

    return at


def crashing(*, restarts_at: tuple[float, ...] = (1, 13, 36, 76), **made: Any) -> At:
    """Return a container that restarts at these seconds and ends at once each time."""

    def at(second: float) -> Scene:
        count = sum(second >= one for one in restarts_at)
        status = waiting(
            "CrashLoopBackOff", BACK_OFF, lastState=terminated("Error", 3), restartCount=count
        )
        given: dict[str, Any] = {"others": [PEER], **made}
        return stuck(status, **given)

    return at


def unready(**made: Any) -> Scene:
    given: dict[str, Any] = {"others": [PEER], **made}
    return stuck(container_status(), spec=PROBED["spec"], **given)


FORBIDDEN = 'Error creating: pods "web-x" is forbidden: '
DENIES = 'Error creating: admission webhook "policy.example" denied the request: no latest'


@dataclass(frozen=True, kw_only=True)
class Twins:
    """A cause that is final at `at` seconds, and what looks the same and never is."""

    fails: Any
    at: float
    recovers: Any
    found: Found = Found.CONFIRMED
    refuted: Found = Found.CONFIRMED


def started_again(*states: Any) -> Callable[[float], Scene]:
    """Return a container whose start fails at 0, 1 and 14 s."""

    def at(second: float) -> Scene:
        count = sum(second >= one for one in (1, 14))
        return stuck({**states[0], "restartCount": count})

    return at


def killed_by_probe(second: float) -> Scene:
    failed = event(POD, "Unhealthy", "Liveness probe failed: HTTP probe failed")
    ended = terminated("Completed", 0)
    count = sum(second >= one for one in (3, 10, 30, 70))
    status = waiting("CrashLoopBackOff", BACK_OFF, lastState=ended, restartCount=count)
    return stuck(status, events=[failed], others=[PEER])


def out_of_memory(second: float) -> Scene:
    count = sum(second >= one for one in (3, 10, 30, 70))
    ended = terminated("OOMKilled", 137)
    status = waiting("CrashLoopBackOff", BACK_OFF, lastState=ended, restartCount=count)
    return stuck(status, others=[PEER])


def first_fails(second: float) -> Scene:
    count = sum(second >= one for one in (1, 13, 36, 76))
    init = waiting(
        "CrashLoopBackOff",
        BACK_OFF,
        name="init",
        lastState=terminated("Error", 3),
        restartCount=count,
    )
    return stuck(waiting("PodInitializing"), init=[init], others=[PEER])


SANDBOX = event(POD, "FailedCreatePodSandBox", 'no runtime for "kata" is configured')
CREATING = waiting("ContainerCreating")
PULLED_BY = waiting("ErrImagePull", GONE, image=IMAGE)
NON_ROOT = "container's runAsUser breaks non-root policy (pod: web)"
SERVICES = "services have not yet been read at least once, cannot construct envvars"


def held_up(**probe: Any) -> Scene:
    """Return a StatefulSet that has gone back, and waits for a Pod of the template before."""
    pods = template(readinessProbe={"httpGet": {"path": "/", "port": 8080}, **probe})
    return replace(
        scene(
            stateful_set(pods),
            controller_revision(3, pods=pods, name="web-new"),
            [ordinal(0, "web-new"), ordinal(1, "web-new")],
            others=[
                ordinal(
                    2,
                    "web-bad",
                    ready=False,
                    spec=pods["spec"],
                    containers=[container_status()],
                )
            ],
        ),
        kind=STATEFUL_SET,
    )


TWINS: dict[tuple[str, Rule], Twins] = {
    ("STUCK_POD", Rule.PATIENCE): Twins(
        fails=held_up(periodSeconds=1),
        at=30,
        recovers=held_up(initialDelaySeconds=120),
    ),
    ("QUOTA", Rule.PATIENCE): Twins(
        fails=refused(FORBIDDEN + "exceeded quota: q"),
        at=30,
        recovers=refused(
            FORBIDDEN + "exceeded quota: q",
            others=[pod("old", of="web-2", metadata={"deletionTimestamp": "now"})],
        ),
    ),
    ("QUOTA", Rule.AGAIN): Twins(
        fails=refused_again(FORBIDDEN + "failed quota: q: must specify limits.cpu for: app", 12),
        at=12,
        recovers=until(11, refused_again(FORBIDDEN + "failed quota: q: must specify cpu", 12)),
    ),
    ("ADMISSION", Rule.AGAIN): Twins(
        fails=refused_again(DENIES, 11), at=11, recovers=until(10, refused_again(DENIES, 11))
    ),
    ("ADMISSION", Rule.AT_ONCE): Twins(
        fails=refused(FORBIDDEN + 'violates PodSecurity "restricted:latest": runAsNonRoot'),
        at=0,
        recovers=refused("Error creating: Internal error: failed calling webhook: timeout"),
    ),
    ("ADMISSION", Rule.PATIENCE): Twins(
        fails=refused(FORBIDDEN + "error looking up service account shop/late: not found"),
        at=30,
        recovers=refused(FORBIDDEN + "error looking up service account shop/late: not found"),
        refuted=Found.REFUTED,
    ),
    ("UNSCHEDULABLE", Rule.PATIENCE): Twins(
        fails=unplaced("0/1 nodes are available: 1 Insufficient cpu."),
        at=30,
        recovers=unplaced("0/1 nodes: 1 Insufficient cpu.", nominatedNodeName="n1"),
    ),
    ("VOLUME", Rule.PATIENCE): Twins(
        fails=unplaced('persistentvolumeclaim "disk" not found'),
        at=30,
        recovers=until(29, unplaced('persistentvolumeclaim "disk" not found')),
    ),
    ("SANDBOX", Rule.PATIENCE): Twins(
        fails=stuck(CREATING, events=[SANDBOX]),
        at=30,
        recovers=until(29, stuck(CREATING, events=[SANDBOX])),
    ),
    ("IMAGE_NOT_FOUND", Rule.PATIENCE): Twins(
        fails=stuck(PULLED_BY),
        at=30,
        recovers=stuck(PULLED_BY),
        refuted=Found.REFUTED,
    ),
    ("IMAGE_AUTH", Rule.PATIENCE): Twins(
        fails=stuck(waiting("ErrImagePull", DENIED, image=IMAGE)),
        at=30,
        recovers=until(29, stuck(waiting("ErrImagePull", DENIED, image=IMAGE))),
        found=Found.UNTOLD,
    ),
    ("IMAGE_PLATFORM", Rule.AGAIN): Twins(
        fails=started_again(waiting("RunContainerError", "exec /app: exec format error")),
        at=14,
        recovers=until(
            13, started_again(waiting("RunContainerError", "exec /app: exec format error"))
        ),
    ),
    ("IMAGE_NEVER_PULL", Rule.PATIENCE): Twins(
        fails=stuck(waiting("ErrImageNeverPull", "is not present with pull policy of Never")),
        at=30,
        recovers=until(29, stuck(waiting("ErrImageNeverPull", "is not present"))),
    ),
    ("IMAGE_INVALID", Rule.AT_ONCE): Twins(
        fails=stuck(waiting("InvalidImageName", "invalid reference format")),
        at=0,
        recovers=stuck(waiting("ImageInspectError", "context deadline exceeded")),
    ),
    ("CONFIG_MISSING", Rule.PATIENCE): Twins(
        fails=stuck(waiting("CreateContainerConfigError", 'configmap "late" not found')),
        at=30,
        recovers=stuck(waiting("CreateContainerConfigError", 'configmap "late" not found')),
        refuted=Found.REFUTED,
    ),
    ("CONTAINER_START", Rule.AGAIN): Twins(
        fails=started_again(waiting("RunContainerError", NO_BINARY)),
        at=14,
        recovers=until(13, started_again(waiting("RunContainerError", NO_BINARY))),
    ),
    ("CONTAINER_START", Rule.AT_ONCE): Twins(
        fails=stuck(waiting("CreateContainerConfigError", NON_ROOT)),
        at=0,
        recovers=stuck(waiting("CreateContainerConfigError", SERVICES)),
    ),
    ("CRASH_LOOP", Rule.PEERS): Twins(
        fails=crashing(), at=76, recovers=crashing(restarts_at=(1, 13, 36))
    ),
    ("OOM_KILLED", Rule.PEERS): Twins(
        fails=out_of_memory, at=70, recovers=until(69, out_of_memory)
    ),
    ("INIT_FAILED", Rule.PEERS): Twins(fails=first_fails, at=76, recovers=until(75, first_fails)),
    ("PROBE_LIVENESS", Rule.PEERS): Twins(
        fails=killed_by_probe, at=70, recovers=until(69, killed_by_probe)
    ),
    ("PROBE_READINESS", Rule.PEERS): Twins(fails=unready(), at=150, recovers=until(149, unready())),
}
FINAL = {(code, r.rule) for code, rows in TABLE.items() for r in rows} - {
    (code, Rule.DEADLINE) for code in TABLE
}


def test_every_rule_that_makes_a_class_final_has_a_twin_that_recovers() -> None:
    assert set(TWINS) == FINAL


@pytest.mark.parametrize("row", TWINS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_cause_is_final_when_its_rule_says_and_not_before(row: tuple[str, Rule]) -> None:
    twins = TWINS[row]
    found = Found.UNTOLD if row[0] == "IMAGE_NOT_FOUND" else twins.found

    assert final_at(twins.fails, found=found) == twins.at
    seen = changing(at_each(twins.fails), seconds=range(int(twins.at) + 1), found=found)
    assert {(c.code, c.ground.row.rule) for c in seen if c.is_final} == {row}


def at_each(one: At) -> Callable[[float], Scene]:
    return one if callable(one) else lambda _: one


@pytest.mark.parametrize("row", TWINS, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_looks_the_same_and_recovers_is_never_final(row: tuple[str, Rule]) -> None:
    assert final_at(TWINS[row].recovers, found=TWINS[row].refuted) is None


def at_once(second: float) -> Scene:
    """Return a container that ends in the second in which it starts: at 0, 1 and 14 s."""
    told = stamp(NOW)
    ended = {"exitCode": 1, "reason": "Error", "startedAt": told, "finishedAt": told}
    count = sum(second >= one for one in (1, 14))
    last = {"terminated": ended}
    return stuck(waiting("CrashLoopBackOff", BACK_OFF, lastState=last, restartCount=count))


def test_a_program_that_cannot_be_run_is_told_by_its_log_alone_and_final_when_it_is_again() -> None:
    (told,) = causes(at_once(1), found=Found.CONFIRMED)
    assert (told.code, told.is_final) == ("IMAGE_PLATFORM", False)
    assert "exec format error: its program is built for another platform" in told.message

    assert final_at(at_once) == 14
    assert final_at(until(13, at_once)) is None
    (told,) = causes(at_once(1), found=Found.REFUTED)
    assert told.code == "CRASH_LOOP"
    assert final_at(at_once, found=Found.REFUTED) is None


def test_a_program_that_runs_elsewhere_or_ran_before_is_not_of_another_platform() -> None:
    """One node has unpacked the image badly (containerd#5854, #12243, bottlerocket#2352)."""
    elsewhere = pod("web-3-b")

    def beside(second: float) -> Scene:
        one = at_once(second)
        return replace(one, pods=[*one.pods, elsewhere])

    def ran(second: float) -> Scene:
        return replace(at_once(second), earlier=Before(others=Others(ran=True)))

    for one in (beside, ran):
        assert final_at(one) is None
        (told,) = causes(one(1.0))
        assert told.code == "IMAGE_PLATFORM"
        assert "may have unpacked the image badly" in told.message


def test_a_webhook_whose_cache_is_behind_denies_nothing_for_good() -> None:
    """open-policy-agent/gatekeeper#558 and #289: a namespace that was made just now."""
    start = 'Error creating: admission webhook "validation.gatekeeper.sh" denied the request: '
    for why in ('Namespace "shop" not found', "Namespace is not cached in OPA"):
        assert final_at(refused_again(start + why, 11)) is None
    assert final_at(refused_again(start + "no latest tags", 11)) == 11


def test_a_runtime_that_a_new_node_lacks_is_given_three_minutes() -> None:
    """NVIDIA/gpu-operator#759, #349: it is installed on the node that was just added."""
    added = event(POD, "TriggeredScaleUp", "pod triggered scale-up", at=NOW - timedelta(seconds=60))
    assert final_at(stuck(CREATING, events=[added, SANDBOX])) == 180
    assert final_at(stuck(CREATING, events=[SANDBOX])) == 30


def test_a_log_is_read_where_a_container_ends_at_once_and_not_with_exit_0() -> None:
    at = NOW + timedelta(seconds=2)
    for change in ({"finishedAt": stamp(at)}, {"exitCode": 0}, {"startedAt": None}):
        ended = {"exitCode": 1, "startedAt": stamp(NOW), "finishedAt": stamp(NOW), **change}
        one = stuck(waiting("CrashLoopBackOff", BACK_OFF, lastState={"terminated": ended}))
        assert [c.code for c in causes(one)] == ["CRASH_LOOP"]


def test_each_cause_is_suspected_at_the_first_sight_and_says_when_it_is_final() -> None:
    (told,) = causes(stuck(waiting("CreateContainerConfigError", 'configmap "c" not found')))

    assert not told.is_final
    assert told.final_in == 30
    assert told.outlook == "counts as failed in 30 s unless it appears"


def test_a_secret_that_is_new_with_the_revision_is_given_three_minutes() -> None:
    known = Before(others=Others(secrets=frozenset({"tls"})))
    old = replace(stuck(SECRET), earlier=known)

    assert final_at(stuck(SECRET)) == 180
    assert final_at(old) == 30


def test_a_registry_that_misses_it_to_us_as_well_makes_the_kubelets_second_answer_final() -> None:
    def failed(*seconds: int) -> list[Any]:
        words = f'Failed to pull image "{IMAGE}": {GONE}'
        return [event(POD, "Failed", words, at=NOW + timedelta(seconds=s)) for s in seconds]

    def at(second: float) -> Scene:
        return stuck(PULLED_BY, events=failed(0, 14) if second >= 14 else failed(0))

    assert final_at(at) == 14
    assert final_at(at, found=Found.UNTOLD) == 30
    assert final_at(at, found=Found.REFUTED) is None


def test_an_image_that_its_registry_has_for_us_is_not_final() -> None:
    (told,) = causes(stuck(PULLED_BY), seconds=(0, 60), found=Found.REFUTED)
    assert "is there by our own look" in told.outlook


def test_the_users_patience_is_one_for_all_and_none_does_not_wait() -> None:
    assert final_at(stuck(SECRET), patience=patience(5)) == 5
    assert final_at(stuck(SECRET), patience=patience(0)) == 0
    assert final_at(stuck(SECRET), patience=patience(0), found=Found.REFUTED) is None
    assert patience(None) == Patience()


def test_an_autoscaler_at_work_is_given_three_minutes() -> None:
    text = "0/1 nodes are available: 1 Insufficient cpu."
    works = event(POD, "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size")
    coming = event(POD, "TriggeredScaleUp", "pod triggered scale-up: [{pool 1->2 (max: 5)}]")

    assert final_at(unplaced(text, works)) == 180
    assert final_at(unplaced(text, works, coming)) is None


@pytest.mark.parametrize("of", ["web-2", "web-3"])
def test_a_pod_of_the_workload_that_still_terminates_may_hold_what_is_missing(of: str) -> None:
    text = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    going = pod("old", of=of, metadata={"deletionTimestamp": stamp(NOW)})
    (told,) = causes(unplaced(text, others=[going]), seconds=(0, 60))

    assert told.outlook == "on its way: Pod old of this workload still terminates"
    assert final_at(unplaced(text, others=[going])) is None


def test_a_claim_that_is_provisioned_or_waits_for_its_pod_is_on_its_way() -> None:
    made = pod(
        ready=False,
        conditions=[condition("PodScheduled", "False", "Unschedulable", UNBOUND)],
        spec={"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}]},
    )
    said = event("uid-disk", "WaitForFirstConsumer", "waiting for first consumer to be created")
    said["involvedObject"] |= {"kind": "PersistentVolumeClaim", "name": "disk"}
    assert final_at(scene(None, replica_set(3), [made], [said])) is None


@pytest.mark.parametrize(
    "text",
    [
        "Error creating: pods is forbidden: status unknown for quota: q, resources: pods",
        'Error creating: pods "w" is forbidden: no API token found for service account "late"',
        "Error creating: Timeout: request did not complete within requested timeout",
    ],
)
def test_a_refusal_that_says_that_it_may_pass_is_not_final(text: str) -> None:
    assert final_at(refused(text)) is None


def test_a_deployment_without_a_replica_set_tells_by_its_own_condition() -> None:
    text = 'replicasets.apps "web-x" is forbidden: exceeded quota: q, used: count/replicasets=2'
    failed = condition("Progressing", "False", "ReplicaSetCreateError", text)
    one = scene(deployment(status={"conditions": [failed]}), None)
    (told,) = causes(one)

    assert (told.code, told.uid, told.subject) == ("QUOTA", UID, "Deployment web")
    assert "refuses its ReplicaSet" in told.message
    assert final_at(one) == 30


def test_without_a_peer_the_surroundings_may_be_to_blame() -> None:
    restarted = pod("old", of="web-2", containers=[container_status(restartCount=1)])
    for others in ([], [pod("old", of="web-2", ready=False)], [restarted]):
        assert final_at(crashing(others=others)) is None
        assert final_at(unready(others=others)) is None


def test_a_peer_that_may_hold_what_the_target_needs_shows_nothing() -> None:
    disk = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}]}
    port = {"containers": [{"name": "app", "ports": [{"hostPort": 80}]}]}
    path = {"volumes": [{"name": "v", "hostPath": {"path": "/lock"}}]}
    for shared in (disk, port, path):
        assert final_at(crashing(spec=shared, others=[pod("o", of="web-2", spec=shared)])) is None
        assert final_at(crashing(spec=shared, others=[pod("o", of="web-2")])) == 76


def test_a_ready_pod_of_the_target_itself_proves_the_template() -> None:
    def with_ready(second: float) -> Scene:
        one = crashing()(second)  # type: ignore[operator]
        return replace(one, pods=[*one.pods, pod("web-3-b")])

    assert final_at(with_ready) is None


def test_one_that_comes_and_goes_proves_nothing() -> None:
    flaps = pod("web-3-b", containers=[container_status(ready=True, restartCount=3)])

    def with_flapping(second: float) -> Scene:
        one = crashing()(second)  # type: ignore[operator]
        return replace(one, pods=[*one.pods, flaps])

    assert final_at(with_flapping) == 76


def test_a_revision_that_ran_before_is_given_a_minute_and_a_slow_one_its_own_numbers() -> None:
    def one(**others: Any) -> Scene:
        return replace(unready(), earlier=Before(others=Others(**others)))

    assert final_at(one(ran=True)) == 60
    assert final_at(one(ran=True, warm_up=timedelta(seconds=25))) == 75
    assert final_at(one(deadline=timedelta(seconds=400))) == 100


def test_pods_of_which_some_are_not_ready_by_design_are_not_called_failed() -> None:
    by_design = replace(unready(), earlier=Before(standing=1))
    assert final_at(by_design) is None


def test_a_pod_that_failed_before_our_patch_and_again_since_needs_no_new_count() -> None:
    known = Before(restarts={(POD, "app"): 5}, broken=frozenset({POD}))

    def at(second: float) -> Scene:
        count = 5 if second < 20 else 6
        ended = terminated("Error", 3)
        status = waiting("CrashLoopBackOff", BACK_OFF, lastState=ended, restartCount=count)
        return replace(stuck(status, others=[PEER]), earlier=known)

    assert final_at(at) == 20


def test_a_trouble_that_was_gone_for_a_while_counts_anew() -> None:
    def at(second: float) -> Scene:
        is_back = second < 20 or second >= 40
        return stuck(SECRET) if is_back else WELL

    assert final_at(at, patience=patience(25)) == 65


def test_in_a_hurry_what_is_suspected_is_final_but_for_pods_that_were_broken_before() -> None:
    told = causes(stuck(SECRET))
    assert [c.is_final for c in hastened(told, frozenset())] == [True]
    assert [c.is_final for c in hastened(told, frozenset({POD}))] == [False]


def test_what_the_cluster_itself_tells_of_the_past_counts() -> None:
    """Who looks late need not wait as long again: two stamps of one kubelet, or of the server."""
    first = {"firstTimestamp": stamp(NOW - timedelta(minutes=9))}
    told = event(POD, "Failed", 'Error: configmap "late" not found', at=NOW, **first)
    gone = waiting("CreateContainerConfigError", 'configmap "late" not found')
    assert final_at(stuck(gone, events=[told])) == 0

    entry = {"subresource": "status", "time": stamp(NOW - timedelta(minutes=1))}
    assert final_at(stuck(gone, metadata={"managedFields": [entry]})) == 0
    fresh = {**entry, "time": stamp(NOW - timedelta(seconds=10))}
    one = stuck(gone, metadata={"managedFields": [fresh]})
    assert final_at(lambda s: replace(one, now=NOW + timedelta(seconds=s))) == 20


def test_a_nodes_clock_that_is_wrong_makes_nothing_late() -> None:
    behind = {"running": {"startedAt": stamp(NOW - timedelta(minutes=20))}}
    one = stuck(container_status(state=behind), spec=PROBED["spec"], others=[PEER])
    assert causes(one) == ()
    assert final_at(one) == 150


def test_who_could_make_it_right_is_told_of_every_class() -> None:
    groups = {code: {r.group for r in rows} for code, rows in TABLE.items()}
    assert groups["CONFIG_MISSING"] == {Group.SOMEBODY}
    assert groups["CRASH_LOOP"] == {Group.PROCESS}
    assert groups["NODE_LOST"] == {Group.NONE}
    assert finality.FINAL_EXITS == 4
