"""The measured table of failures.md: what the cluster says, verbatim, and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.diagnosis import diagnosis
from backout.core.diagnosis.causes import REMEDIES, Cause
from backout.core.kinds.deployment import DEPLOYMENT
from tests.objects.deployments import deployment
from tests.objects.events import event
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW
from tests.objects.workloads import UID

if TYPE_CHECKING:
    from datetime import datetime

POD = "uid-web-3-a"
IMAGE = "127.0.0.1:5000/app:v9"
PULL = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
GONE = f"rpc error: code = NotFound desc = {PULL}{IMAGE}: not found"
REFUSED = (
    f'rpc error: code = Unknown desc = {PULL}failed to do request: Head "http://{IMAGE}": '
    "dial tcp 127.0.0.1:5000: connect: connection refused"
)
DENIED = (
    f"rpc error: code = Unknown desc = {PULL}unexpected status from HEAD request to "
    "http://127.0.0.1:5000/v2/app/manifests/v9: failed with status code [manifests v1]: "
    "401 Unauthorized"
)
NO_BINARY = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    'exec: "/no-such-binary": stat /no-such-binary: no such file or directory'
)
BACK_OFF = "back-off 10s restarting failed container=app pod=web-3-a_shop"


LATER = NOW + timedelta(seconds=45)
"""Later than a default probe's own arithmetic, 31 s; earlier than twice that."""


def causes(
    *containers: Any, events: Any = (), now: datetime = NOW, **made: Any
) -> tuple[Cause, ...]:
    stuck = pod(ready=False, containers=containers, **made)
    return diagnosis.causes(deployment(), DEPLOYMENT, replica_set(3), [stuck], events, now=now)


WAITING: list[tuple[str, dict[str, Any], str, bool]] = [
    ("missing tag", waiting("ErrImagePull", GONE, image=IMAGE), "IMAGE_NOT_FOUND", True),
    (
        "missing tag after the back-off",
        waiting(
            "ImagePullBackOff",
            f'Back-off pulling image "{IMAGE}": ErrImagePull: {GONE}',
            image=IMAGE,
        ),
        "IMAGE_NOT_FOUND",
        True,
    ),
    (
        "manifest unknown",
        waiting("ErrImagePull", f"{PULL}manifest unknown", image=IMAGE),
        "IMAGE_NOT_FOUND",
        True,
    ),
    (
        "an index without the node's platform",
        waiting(
            "ErrImagePull",
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
            "no match for platform in manifest: not found",
            image=IMAGE,
        ),
        "IMAGE_PLATFORM",
        True,
    ),
    ("registry 401", waiting("ErrImagePull", DENIED, image=IMAGE), "IMAGE_AUTH", True),
    (
        "Docker Hub hides what one may not see",
        waiting(
            "ErrImagePull",
            'failed to resolve reference "docker.io/library/nope:1": pull access denied, '
            "repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
            image="nope:1",
        ),
        "IMAGE_AUTH",
        True,
    ),
    ("registry refused", waiting("ErrImagePull", REFUSED, image=IMAGE), "IMAGE_PULL", False),
    (
        "rate limit",
        waiting(
            "ErrImagePull",
            f"{PULL}429 Too Many Requests - Server message: toomanyrequests: You have reached "
            "your unauthenticated pull rate limit.",
            image=IMAGE,
        ),
        "IMAGE_RATE_LIMIT",
        False,
    ),
    (
        "back-off without its cause",
        waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"', image=IMAGE),
        "IMAGE_PULL",
        False,
    ),
    (
        "invalid image name",
        waiting(
            "InvalidImageName",
            'Failed to apply default image tag "Holdout": couldn\'t parse image name "Holdout": '
            "invalid reference format: repository name (Holdout) must be lowercase",
        ),
        "IMAGE_INVALID",
        True,
    ),
    (
        "pull policy Never",
        waiting(
            "ErrImageNeverPull",
            f'Container image "{IMAGE}" is not present with pull policy of Never',
        ),
        "IMAGE_NEVER_PULL",
        True,
    ),
    (
        "bad command",
        waiting("RunContainerError", NO_BINARY, lastState=terminated("StartError", 128, NO_BINARY)),
        "CONTAINER_START",
        True,
    ),
    (
        "bad command in its back-off",
        waiting(
            "CrashLoopBackOff",
            BACK_OFF,
            lastState=terminated("StartError", 128, NO_BINARY),
            restartCount=1,
        ),
        "CONTAINER_START",
        True,
    ),
    (
        "bad command found on no path",
        waiting("CreateContainerError", 'exec: "web": executable file not found in $PATH'),
        "CONTAINER_START",
        True,
    ),
    (
        "a start that may yet succeed",
        waiting("CreateContainerError", "context deadline exceeded"),
        "CONTAINER_START",
        False,
    ),
    (
        "ConfigMap envFrom",
        waiting("CreateContainerConfigError", 'configmap "nocm" not found'),
        "CONFIG_MISSING",
        True,
    ),
    (
        "Secret key",
        waiting("CreateContainerConfigError", "couldn't find key b in Secret shop/s"),
        "CONFIG_MISSING",
        True,
    ),
    (
        "the kubelet's cache",
        waiting(
            "CreateContainerConfigError",
            "failed to sync configmap cache: timed out waiting for the condition",
        ),
        "CONFIG_MISSING",
        False,
    ),
    (
        "runAsNonRoot",
        waiting(
            "CreateContainerConfigError",
            "container's runAsUser breaks non-root policy (pod: web, container: app)",
        ),
        "CONTAINER_START",
        True,
    ),
    (
        "postStart",
        waiting("PostStartHookError", "Exec lifecycle hook ([/nope]) for Container failed"),
        "CONTAINER_START",
        False,
    ),
    (
        "first crash",
        container_status(state=terminated("Error", 3)),
        "CRASH_LOOP",
        False,
    ),
    (
        "third restart",
        waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Error", 3), restartCount=3),
        "CRASH_LOOP",
        True,
    ),
    (
        "a command that ends well by itself",
        waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Completed", 0), restartCount=2),
        "CRASH_LOOP",
        False,
    ),
    ("OOM", container_status(state=terminated("OOMKilled", 137)), "OOM_KILLED", False),
    (
        "OOM in a loop",
        waiting(
            "CrashLoopBackOff", BACK_OFF, lastState=terminated("OOMKilled", 137), restartCount=3
        ),
        "OOM_KILLED",
        True,
    ),
]


@pytest.mark.parametrize(
    ("status", "code", "final"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING]
)
def test_a_containers_state_tells_the_cause(
    status: dict[str, Any], code: str, *, final: bool
) -> None:
    (found,) = causes(status)
    assert (found.code, found.is_final) == (code, final)
    assert (found.uid, found.subject) == (POD, "Pod web-3-a")
    filled = {"POD": "web-3-a", "NAMESPACE": "shop", "CONTAINER": "app"}
    remedy = " ".join(filled.get(word, word) for word in REMEDIES[code].split(" "))
    assert found.remedy == remedy
    assert found.message
    assert found.evidence


def test_the_words_name_the_image_the_container_the_exit_code_and_the_missing_object() -> None:
    def message(status: Any) -> str:
        return causes(status)[0].message

    assert IMAGE in message(waiting("ErrImagePull", GONE, image=IMAGE))
    assert "is gone" in message(waiting("ErrImagePull", GONE, image=IMAGE))
    assert "does not let the node pull" in message(waiting("ErrImagePull", DENIED, image=IMAGE))
    missing = waiting("CreateContainerConfigError", 'configmap "nocm" not found')
    assert 'container app needs what is missing: configmap "nocm" not found' in message(missing)
    crashed = container_status(state=terminated("Error", 3))
    assert message(crashed) == "container app ends with exit 3"
    long = waiting(
        "ImagePullBackOff",
        f'Back-off pulling image "{IMAGE}": ErrImagePull: {REFUSED}',
        image=IMAGE,
    )
    assert "Back-off" not in message(long)
    assert "connection refused" in message(long)


@pytest.mark.parametrize(
    "image",
    [
        "127.0.0.1:5000/notfound-page:v1",
        "127.0.0.1:5000/app:401",
        "127.0.0.1:5000/denied/unauthorized:403",
        "127.0.0.1:5000/manifest-unknown:does-not-exist",
    ],
)
def test_words_in_the_images_own_name_prove_nothing(image: str) -> None:
    for text in (REFUSED.replace(IMAGE, image), REFUSED.replace(f'"{IMAGE}"', image)):
        (found,) = causes(waiting("ErrImagePull", text, image=image))
        assert (found.code, found.is_final) == ("IMAGE_PULL", False)


def test_the_first_pull_error_is_kept_when_the_back_off_has_lost_it() -> None:
    lost = waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"', image=IMAGE)
    first = event(POD, "Failed", f'Failed to pull image "{IMAGE}": {GONE}')
    (found,) = causes(lost, events=[first, event(POD, "Failed", "Error: ImagePullBackOff")])
    assert (found.code, found.is_final) == ("IMAGE_NOT_FOUND", True)


def test_an_init_container_that_crashes_is_told_and_one_that_is_done_is_not() -> None:
    main = waiting("PodInitializing")
    crashed = container_status(name="init", state=terminated("Error", 3))
    (found,) = causes(main, init=[crashed])
    assert (found.code, found.is_final) == ("INIT_FAILED", False)
    assert "container init" in found.message
    done = container_status(name="init", ready=True, state=terminated("Completed", 0))
    assert causes(main, init=[done]) == ()
    pulled = waiting("ErrImagePull", GONE, name="init", image=IMAGE)
    assert [c.code for c in causes(main, init=[pulled])] == ["IMAGE_NOT_FOUND"]


PROBING = template(readinessProbe={"httpGet": {"path": "/nope", "port": 8080}})["spec"]
RUNNING = container_status()
CREATING = waiting("ContainerCreating")


def test_a_readiness_probe_is_told_by_its_event_with_path_and_port() -> None:
    text = "HTTP probe failed with statuscode: 404"
    failed = event(POD, "Unhealthy", f"Readiness probe failed: {text}")
    (found,) = causes(RUNNING, events=[failed], spec=PROBING, now=LATER)
    assert (found.code, found.is_final) == ("PROBE_READINESS", False)
    assert "asks /nope on 8080" in found.message
    assert text in found.message


@pytest.mark.parametrize(
    "kind", ["Liveness probe failed: …", "Startup probe failed: HTTP probe failed"]
)
@pytest.mark.parametrize("ended", [terminated("Completed", 0), terminated("Error", 137)])
def test_a_probe_that_kills_is_told_although_its_kill_is_normal_and_ends_with_exit_0(
    kind: str, ended: dict[str, Any]
) -> None:
    killing = event(
        POD, "Killing", "Container app failed liveness probe, will be restarted", type="Normal"
    )
    status = waiting("CrashLoopBackOff", BACK_OFF, lastState=ended, restartCount=2)
    (found,) = causes(status, events=[event(POD, "Unhealthy", kind), killing])
    assert (found.code, found.is_final) == ("PROBE_LIVENESS", False)


def test_a_liveness_probe_is_suspected_before_its_first_kill() -> None:
    failed = event(POD, "Unhealthy", "Liveness probe failed: HTTP probe failed")
    assert [c.code for c in causes(RUNNING, events=[failed])] == ["PROBE_LIVENESS"]


def test_a_missing_volume_object_is_told_only_by_an_event() -> None:
    text = 'MountVolume.SetUp failed for volume "v" : configmap "nocm" not found'
    (found,) = causes(CREATING, events=[event(POD, "FailedMount", text)])
    assert (found.code, found.is_final) == ("CONFIG_MISSING", True)
    slow = 'AttachVolume.Attach failed for volume "pv" : rpc error: code = DeadlineExceeded'
    (found,) = causes(CREATING, events=[event(POD, "FailedAttachVolume", slow)])
    assert (found.code, found.is_final) == ("VOLUME", False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            "UNSCHEDULABLE",
        ),
        ("0/1 nodes are available: 1 Insufficient cpu.", "UNSCHEDULABLE"),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            "VOLUME",
        ),
    ],
)
def test_a_pod_that_no_node_takes_is_routed_by_the_message(text: str, code: str) -> None:
    (found,) = causes(conditions=[condition("PodScheduled", "False", "Unschedulable", text)])
    assert (found.code, found.is_final) == (code, False)
    assert text in found.message


@pytest.mark.parametrize(
    "why",
    ["not found", "is being deleted", 'bound to non-existent persistentvolume "pv"'],
)
def test_a_claim_that_can_never_be_used_is_final(why: str) -> None:
    text = f'0/1 nodes are available: persistentvolumeclaim "zz" {why}.'
    (found,) = causes(conditions=[condition("PodScheduled", "False", "Unschedulable", text)])
    assert (found.code, found.is_final) == ("VOLUME", True)


def test_a_readiness_gate_that_nobody_sets_is_told_by_the_ready_condition() -> None:
    text = 'corresponding condition of pod readiness gate "example.com/ok" does not exist.'
    made = pod(ready=False, containers=[container_status(ready=True)])
    made["status"]["conditions"] = [condition("Ready", "False", "ReadinessGatesNotReady", text)]
    (found,) = diagnosis.causes(deployment(), DEPLOYMENT, None, [made], now=NOW)
    assert (found.code, found.is_final) == ("READINESS_GATE", False)


FORBIDDEN = 'Error creating: pods "web-x" is forbidden: '


@pytest.mark.parametrize(
    ("text", "code", "final"),
    [
        (FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods=2", "QUOTA", True),
        (FORBIDDEN + "failed quota: q: must specify limits.cpu for: app", "QUOTA", True),
        (
            FORBIDDEN + "maximum memory usage per Container is 64Mi, but limit is 128Mi",
            "ADMISSION",
            True,
        ),
        (FORBIDDEN + 'violates PodSecurity "restricted:latest": runAsNonRoot', "ADMISSION", True),
        (FORBIDDEN + "error looking up service account shop/x: not found", "ADMISSION", True),
        (FORBIDDEN + "no PriorityClass with name high was found", "ADMISSION", True),
        (
            "Error creating: Internal error occurred: failed calling webhook: i/o timeout",
            "ADMISSION",
            False,
        ),
    ],
)
def test_pods_that_cannot_be_created_are_told_by_the_replica_sets_condition(
    text: str, code: str, *, final: bool
) -> None:
    refused = replica_set(
        3, status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", text)]}
    )
    (found,) = diagnosis.causes(deployment(), DEPLOYMENT, refused, [], now=NOW)
    assert (found.code, found.is_final) == (code, final)
    assert (found.uid, found.subject) == (UID, "ReplicaSet web-3")
    assert text in found.message


def quota_while(
    others: list[Any], *, own: tuple[Any, ...] = (), unavailable: int = 0, **status: int
) -> bool:
    text = FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods=4"
    full = replica_set(3, status={"conditions": [condition("ReplicaFailure", "True", "", text)]})
    strategy = {"rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": 1}}
    web = deployment(status=status, replicas=3, strategy=strategy)
    (found,) = diagnosis.causes(web, DEPLOYMENT, full, own, now=NOW, others=others)
    return found.is_final


def test_a_full_quota_is_not_final_while_the_rollout_itself_will_free_some_of_it() -> None:
    well = [pod(f"web-2-{x}", of="web-2") for x in "abc"]
    bad, going = pod("bad", ready=False), pod("going", metadata={"deletionTimestamp": "now"})
    assert quota_while(well, availableReplicas=3)
    assert not quota_while([*well, pod("web-2-d", of="web-2")], availableReplicas=4)
    assert not quota_while([*well, bad], availableReplicas=3)
    assert not quota_while([*well, going], availableReplicas=3)
    # One may go: what is refused now is made at the ReplicaSet's next attempt.
    assert not quota_while(well[:2], unavailable=1, availableReplicas=2)
    # One was made already: what is left of the failure may be of an attempt before the last went.
    made = (pod("web-3-a", of="web-3"),)
    assert not quota_while([], own=made, availableReplicas=1)
    assert not quota_while(well[:2], own=made, availableReplicas=3)
    assert quota_while([], availableReplicas=0)


def test_the_replica_sets_event_words_a_condition_that_says_nothing() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    refused = replica_set(3, status={"conditions": [failure]})
    told = event("uid-web-3", "FailedCreate", FORBIDDEN + "exceeded quota: q")
    (found,) = diagnosis.causes(deployment(), DEPLOYMENT, refused, [], [told], now=NOW)
    assert found.code == "QUOTA"
    nameless = {"involvedObject": {"uid": "uid-web-3"}, "message": "an event without a reason"}
    assert len(diagnosis.causes(deployment(), DEPLOYMENT, refused, [], [nameless], now=NOW)) == 1
