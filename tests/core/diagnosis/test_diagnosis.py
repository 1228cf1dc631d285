"""What was measured: what the cluster says, verbatim, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.diagnosis.causes import REMEDIES, Cause
from backout.core.diagnosis.groups import Look, Rule
from tests.core.diagnosis import looks
from tests.objects.deployments import deployment
from tests.objects.events import event
from tests.objects.metadata import condition
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.workloads import UID

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


def causes(*containers: Any, events: Any = (), **made: Any) -> tuple[Cause, ...]:
    return looks.causes(looks.stuck(*containers, events=events, **made))


WAITING: list[tuple[str, dict[str, Any], str, Rule]] = [
    ("missing tag", waiting("ErrImagePull", GONE, image=IMAGE), "IMAGE_NOT_FOUND", Rule.PATIENCE),
    (
        "missing tag after the back-off",
        waiting(
            "ImagePullBackOff",
            f'Back-off pulling image "{IMAGE}": ErrImagePull: {GONE}',
            image=IMAGE,
        ),
        "IMAGE_NOT_FOUND",
        Rule.PATIENCE,
    ),
    (
        "manifest unknown",
        waiting("ErrImagePull", f"{PULL}manifest unknown", image=IMAGE),
        "IMAGE_NOT_FOUND",
        Rule.PATIENCE,
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
        Rule.AGAIN,
    ),
    ("registry 401", waiting("ErrImagePull", DENIED, image=IMAGE), "IMAGE_AUTH", Rule.PATIENCE),
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
        Rule.PATIENCE,
    ),
    (
        "registry refused",
        waiting("ErrImagePull", REFUSED, image=IMAGE),
        "IMAGE_PULL",
        Rule.DEADLINE,
    ),
    (
        "rate limit",
        waiting(
            "ErrImagePull",
            f"{PULL}429 Too Many Requests - Server message: toomanyrequests: You have reached "
            "your unauthenticated pull rate limit.",
            image=IMAGE,
        ),
        "IMAGE_RATE_LIMIT",
        Rule.DEADLINE,
    ),
    (
        "back-off without its cause",
        waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"', image=IMAGE),
        "IMAGE_PULL",
        Rule.DEADLINE,
    ),
    (
        "invalid image name",
        waiting(
            "InvalidImageName",
            'Failed to apply default image tag "Holdout": couldn\'t parse image name "Holdout": '
            "invalid reference format: repository name (Holdout) must be lowercase",
        ),
        "IMAGE_INVALID",
        Rule.AT_ONCE,
    ),
    (
        "pull policy Never",
        waiting(
            "ErrImageNeverPull",
            f'Container image "{IMAGE}" is not present with pull policy of Never',
        ),
        "IMAGE_NEVER_PULL",
        Rule.PATIENCE,
    ),
    (
        "bad command",
        waiting("RunContainerError", NO_BINARY, lastState=terminated("StartError", 128, NO_BINARY)),
        "CONTAINER_START",
        Rule.AGAIN,
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
        Rule.AGAIN,
    ),
    (
        "bad command found on no path",
        waiting("CreateContainerError", 'exec: "web": executable file not found in $PATH'),
        "CONTAINER_START",
        Rule.AGAIN,
    ),
    (
        "a start that may yet succeed",
        waiting("CreateContainerError", "context deadline exceeded"),
        "CONTAINER_START",
        Rule.DEADLINE,
    ),
    (
        "ConfigMap envFrom",
        waiting("CreateContainerConfigError", 'configmap "nocm" not found'),
        "CONFIG_MISSING",
        Rule.PATIENCE,
    ),
    (
        "Secret key",
        waiting("CreateContainerConfigError", "couldn't find key b in Secret shop/s"),
        "CONFIG_MISSING",
        Rule.PATIENCE,
    ),
    (
        "the kubelet's cache",
        waiting(
            "CreateContainerConfigError",
            "failed to sync configmap cache: timed out waiting for the condition",
        ),
        "CONFIG_MISSING",
        Rule.PATIENCE,
    ),
    (
        "runAsNonRoot",
        waiting(
            "CreateContainerConfigError",
            "container's runAsUser breaks non-root policy (pod: web, container: app)",
        ),
        "CONTAINER_START",
        Rule.AT_ONCE,
    ),
    (
        "postStart",
        waiting("PostStartHookError", "Exec lifecycle hook ([/nope]) for Container failed"),
        "CONTAINER_START",
        Rule.AGAIN,
    ),
    (
        "first crash",
        container_status(state=terminated("Error", 3)),
        "CRASH_LOOP",
        Rule.PEERS,
    ),
    (
        "third restart",
        waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Error", 3), restartCount=3),
        "CRASH_LOOP",
        Rule.PEERS,
    ),
    (
        "a command that ends well by itself",
        waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Completed", 0), restartCount=2),
        "CRASH_LOOP",
        Rule.PEERS,
    ),
    ("OOM", container_status(state=terminated("OOMKilled", 137)), "OOM_KILLED", Rule.PEERS),
    (
        "OOM in a loop",
        waiting(
            "CrashLoopBackOff", BACK_OFF, lastState=terminated("OOMKilled", 137), restartCount=3
        ),
        "OOM_KILLED",
        Rule.PEERS,
    ),
]


@pytest.mark.parametrize(
    ("status", "code", "rule"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING]
)
def test_a_containers_state_tells_the_cause_and_what_makes_it_final(
    status: dict[str, Any], code: str, rule: Rule
) -> None:
    (found,) = causes(status)
    assert (found.code, found.ground.row.rule) == (code, rule)
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
    assert "ConfigMap nocm does not exist, which container app needs" in message(missing)
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
    assert found.code == "IMAGE_NOT_FOUND"


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
    one = looks.stuck(RUNNING, events=[failed], spec=PROBING)
    (found,) = looks.causes(one, seconds=range(35))
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
    assert (found.code, found.ground.row.rule) == ("CONFIG_MISSING", Rule.PATIENCE)
    slow = 'AttachVolume.Attach failed for volume "pv" : rpc error: code = DeadlineExceeded'
    (found,) = causes(CREATING, events=[event(POD, "FailedAttachVolume", slow)])
    assert (found.code, found.ground.row.rule) == ("VOLUME", Rule.DEADLINE)


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
def test_a_claim_that_cannot_be_used_is_looked_at_again(why: str) -> None:
    text = f'0/1 nodes are available: persistentvolumeclaim "zz" {why}.'
    (found,) = causes(conditions=[condition("PodScheduled", "False", "Unschedulable", text)])
    look = Look(kind="PersistentVolumeClaim", name="zz")
    assert (found.code, found.ground.row.rule) == ("VOLUME", Rule.PATIENCE)
    assert found.ground.look == look


def test_a_readiness_gate_that_nobody_sets_is_told_by_the_ready_condition() -> None:
    text = 'corresponding condition of pod readiness gate "example.com/ok" does not exist.'
    made = pod(ready=False, containers=[container_status(ready=True)])
    made["status"]["conditions"] = [condition("Ready", "False", "ReadinessGatesNotReady", text)]
    (found,) = looks.causes(looks.scene(pods=[made]))
    assert (found.code, found.is_final) == ("READINESS_GATE", False)


PATIENCE = Rule.PATIENCE
FORBIDDEN = 'Error creating: pods "web-x" is forbidden: '


@pytest.mark.parametrize(
    ("text", "code", "rule"),
    [
        (FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods=2", "QUOTA", PATIENCE),
        (FORBIDDEN + "failed quota: q: must specify limits.cpu for: app", "QUOTA", Rule.AGAIN),
        (
            FORBIDDEN + "maximum memory usage per Container is 64Mi, but limit is 128Mi",
            "ADMISSION",
            Rule.AT_ONCE,
        ),
        (FORBIDDEN + 'violates PodSecurity "restricted:latest": x', "ADMISSION", Rule.AT_ONCE),
        ('Error creating: Pod "w" is invalid: spec: Invalid', "ADMISSION", Rule.AT_ONCE),
        (FORBIDDEN + "error looking up service account shop/x: not found", "ADMISSION", PATIENCE),
        (FORBIDDEN + "no PriorityClass with name high was found", "ADMISSION", PATIENCE),
        (FORBIDDEN + 'pod rejected: RuntimeClass "kata" not found', "ADMISSION", PATIENCE),
        (FORBIDDEN + "it is another plugin that says no", "ADMISSION", Rule.AGAIN),
        (
            'Error creating: admission webhook "policy.example" denied the request: no latest',
            "ADMISSION",
            Rule.AGAIN,
        ),
        (
            "Error creating: Internal error occurred: failed calling webhook: i/o timeout",
            "ADMISSION",
            Rule.DEADLINE,
        ),
    ],
)
def test_pods_that_cannot_be_created_are_told_by_the_replica_sets_condition(
    text: str, code: str, rule: Rule
) -> None:
    refused = replica_set(
        3, status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", text)]}
    )
    (found,) = looks.causes(looks.scene(current=refused))
    assert (found.code, found.ground.row.rule) == (code, rule)
    assert (found.uid, found.subject) == (UID, "ReplicaSet web-3")
    assert text in found.message


def quota_while(
    others: list[Any], *, own: tuple[Any, ...] = (), unavailable: int = 0, **status: int
) -> bool:
    text = FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods=4"
    full = replica_set(3, status={"conditions": [condition("ReplicaFailure", "True", "", text)]})
    strategy = {"rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": 1}}
    web = deployment(status=status, replicas=3, strategy=strategy)
    (found,) = looks.causes(looks.scene(web, full, own, others=others), seconds=range(31))
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
    (found,) = looks.causes(looks.scene(current=refused, events=[told]))
    assert found.code == "QUOTA"
    nameless = {"involvedObject": {"uid": "uid-web-3"}, "message": "an event without a reason"}
    assert len(looks.causes(looks.scene(current=refused, events=[nameless]))) == 1


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (
            f"{PULL}unexpected media type text/html; charset=utf-8 for sha256:0: not found",
            "IMAGE_PULL",
            "answers HTML",
        ),
        ("content digest sha256:0: not found", "IMAGE_PULL", "node-1 has lost a part of it"),
        (
            "failed open: content at http://reg/v2/app/blobs/sha256:0 not found: not found",
            "IMAGE_NOT_FOUND",
            "a layer of image",
        ),
        ("invalid reference format", "IMAGE_INVALID", "does not parse"),
    ],
)
def test_not_every_text_that_ends_in_not_found_is_of_the_manifest(
    text: str, code: str, says: str
) -> None:
    spec = {"nodeName": "node-1"}
    (found,) = causes(waiting("ErrImagePull", text, image=IMAGE), spec=spec)
    assert found.code == code
    assert says in found.message


def test_a_post_start_hook_that_fails_is_named_and_not_the_exit_that_follows() -> None:
    hook = event(POD, "FailedPostStartHook", "HTTP lifecycle hook (/no) failed: 404")
    killed = waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Error", 137))
    (found,) = causes({**killed, "restartCount": 1}, events=[hook])
    assert (found.code, found.ground.row.rule) == ("CONTAINER_START", Rule.AGAIN)
    assert "postStart hook fails: HTTP lifecycle hook (/no) failed: 404" in found.message


def test_a_program_of_another_platform_is_told_as_that() -> None:
    text = 'exec: "/app": exec format error'
    for status in (
        waiting("RunContainerError", text),
        waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("StartError", 128, text)),
    ):
        (found,) = causes(status)
        assert (found.code, found.ground.row.rule) == ("IMAGE_PLATFORM", Rule.AGAIN)
        assert "exec format error: its program is built for another platform" in found.message


SIDECAR = {"name": "side", "restartPolicy": "Always"}


def with_sidecar(status: dict[str, Any], *, events: Any = (), **more: Any) -> tuple[Cause, ...]:
    """Return the causes of a Pod whose native sidecar is so, its container not begun."""
    spec = {**template()["spec"], "initContainers": [{**SIDECAR, **more}]}
    one = looks.stuck(RUNNING, init=[{**status, "name": "side"}], events=events, spec=spec)
    return looks.causes(one, seconds=range(35))


def test_a_sidecar_that_ends_counts_also_with_exit_0() -> None:
    ended = waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Completed", 0))
    (found,) = with_sidecar({**ended, "restartCount": 9})
    assert (found.code, found.container) == ("CRASH_LOOP", "side")


def test_a_sidecar_that_its_own_probe_kills_is_told_so() -> None:
    told = event(POD, "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404")
    ended = waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Completed", 0))
    (found,) = with_sidecar({**ended, "restartCount": 1}, events=[told])
    assert (found.code, found.container) == ("PROBE_LIVENESS", "side")


def test_a_sidecar_that_is_not_ready_is_told_with_its_probe() -> None:
    probe = {"httpGet": {"path": "/side", "port": 81}, "periodSeconds": 1}
    (found,) = with_sidecar(container_status(started=True), readinessProbe=probe)
    assert (found.code, found.container) == ("PROBE_READINESS", "side")
    assert "asks /side on 81" in found.message


def test_a_probe_of_another_container_is_not_what_ended_this_one() -> None:
    about = {"uid": POD, "fieldPath": "spec.containers{other}"}
    told = {**event(POD, "Unhealthy", "Liveness probe failed: 500"), "involvedObject": about}
    ended = waiting("CrashLoopBackOff", BACK_OFF, lastState=terminated("Error", 1), restartCount=2)
    assert [c.code for c in causes(ended, events=[told])] == ["CRASH_LOOP"]


def test_a_probe_that_could_not_even_run_says_so() -> None:
    text = "Readiness probe errored and resulted in unknown state: exec: /no-such: not found"
    probing = template(readinessProbe={"exec": {"command": ["/no-such"]}, "periodSeconds": 1})
    one = looks.stuck(RUNNING, events=[event(POD, "Unhealthy", text)], spec=probing["spec"])
    (found,) = looks.causes(one, seconds=range(10))
    assert "runs a command, and it is not ready: errored" in found.message


@pytest.mark.parametrize(
    ("status", "code", "rule"),
    [
        # cloudfoundry/eirini-release#111, elastic/cloud-on-k8s#545: older kubelets say `secrets`
        (
            waiting("CreateContainerConfigError", 'secrets "late" not found'),
            "CONFIG_MISSING",
            Rule.PATIENCE,
        ),
        # apache/airflow#65490: a token server that is down denies nothing
        (
            waiting(
                "ErrImagePull",
                "failed to authorize: failed to fetch anonymous token: unexpected status from GET "
                "request to https://auth.docker.io/token: 502 Bad Gateway",
            ),
            "IMAGE_PULL",
            Rule.DEADLINE,
        ),
        # Shopify/krane#477: a back-off alone is no "not found"
        (waiting("ImagePullBackOff", 'Back-off pulling image "x"'), "IMAGE_PULL", Rule.DEADLINE),
        # kubernetes/kubernetes#59376: a large image whose pull was cancelled
        (waiting("ErrImagePull", "context canceled"), "IMAGE_PULL", Rule.DEADLINE),
    ],
)
def test_what_people_met_that_passes_by_itself(
    status: dict[str, Any], code: str, rule: Rule
) -> None:
    (found,) = causes(status)
    assert (found.code, found.ground.row.rule) == (code, rule)


def test_the_newest_refusal_counts_and_not_the_first_that_the_condition_keeps() -> None:
    """A ReplicaSet's condition keeps its first message (kubernetes/kubernetes#127081)."""
    first = FORBIDDEN + 'violates PodSecurity "restricted:latest": x'
    refused = replica_set(
        3, status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", first)]}
    )
    newest = "Error creating: Internal error occurred: failed calling webhook: no endpoints"
    told = event("uid-web-3", "FailedCreate", newest)
    (found,) = looks.causes(looks.scene(current=refused, events=[told]))
    assert found.ground.row.rule is Rule.DEADLINE


@pytest.mark.parametrize(
    "text",
    [
        "Error creating: ",  # kubernetes/kubernetes#55924: a webhook that says nothing
        "Error creating: Timeout: request did not complete within requested timeout 30s",  # #67662
        'Error creating: Post "https://webhook": the server is currently unable to handle it',
    ],
)
def test_a_refusal_without_a_reason_is_named_and_may_pass(text: str) -> None:
    refused = replica_set(
        3, status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", text)]}
    )
    (found,) = looks.causes(looks.scene(current=refused))
    assert (found.code, found.ground.row.rule) == ("ADMISSION", Rule.DEADLINE)


def test_a_claim_that_waits_for_its_pod_is_not_blamed_for_it() -> None:
    """The scheduler's word on a claim that is being bound is that it is not (kubernetes#79888)."""
    text = "pod has unbound immediate PersistentVolumeClaims"
    (found,) = causes(conditions=[condition("PodScheduled", "False", "Unschedulable", text)])
    assert found.ground.row.rule is Rule.DEADLINE
