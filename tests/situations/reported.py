"""What people reported: rollouts that look alike, one of which recovers (issues beside each).

`k/k` is kubernetes/kubernetes. Each stands for its kind.
"""

from __future__ import annotations

import base64
import struct
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.cluster.space import until
from tests.situations.failing import env_from, volume
from tests.situations.situation import OFTEN, Situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.space import Space

ONE_BY_ONE = {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}
RECREATE = {"strategy": {"type": "Recreate"}}
HELD_PORT = 28080
LEEWAY = 10.0


def made(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def new_pods(space: Space) -> list[dict[str, Any]]:
    return space.pods(image=space.image("v2"))


def after(
    seconds: float, act: Callable[[Space], object], *, pods: bool = True
) -> Callable[[Space], None]:
    """Return what acts once a new Pod is there and has been for so long: what comes late."""

    def meanwhile(space: Space) -> None:
        if pods:
            until("a new Pod", lambda: new_pods(space))
        since = time.monotonic()
        until(
            "it has lasted",
            lambda: time.monotonic() - since >= seconds,
            within=seconds + LEEWAY,
        )
        act(space)

    return meanwhile


def a_secret(space: Space) -> None:
    space.create(made("Secret", "tls", stringData={"key": "value"}))


def a_config_map(space: Space) -> None:
    space.create(made("ConfigMap", "late", data={"KEY": "value"}))


def a_service_account(space: Space) -> None:
    space.create(made("ServiceAccount", "late"))


def it_is_evicted_three_times(space: Space) -> None:
    """Leave three Pods behind that have ended, as a node's shutdown does, and delete the fourth."""
    for _ in range(3):
        ready = until("a Ready Pod", lambda: ready_pod(space))
        path = f"/api/v1/namespaces/{space.name}/pods/{ready['metadata']['name']}"
        ended = {"spec": {"activeDeadlineSeconds": 1}}
        space.api.call("PATCH", path, ended, "strategic-merge-patch+json")
        until("it has ended", partial(has_ended, space, ready["metadata"]["name"]))
    last = until("a Ready Pod", lambda: ready_pod(space))["metadata"]["name"]
    space.api.call("DELETE", f"/api/v1/namespaces/{space.name}/pods/{last}")


def has_ended(space: Space, name: str) -> bool:
    return any(
        p["metadata"]["name"] == name and p["status"].get("phase") == "Failed" for p in space.pods()
    )


def ready_pod(space: Space) -> dict[str, Any] | None:
    for pod in space.pods():
        conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
        if conditions.get("Ready") == "True" and pod["status"]["phase"] == "Running":
            return pod
    return None


def a_quota_of_replica_sets(space: Space) -> None:
    hard = {"count/replicasets.apps": "1"}
    space.create(made("ResourceQuota", "q", spec={"hard": hard}))
    until(
        "the quota is counted",
        lambda: space.get("ResourceQuota", "q").get("status", {}).get("used"),
    )


def a_finalizer(space: Space) -> None:
    """Let the first version's Pod be held until the test ends."""
    name = until("a Pod", space.pods)[0]["metadata"]["name"]
    path = f"/api/v1/namespaces/{space.name}/pods/{name}"

    def held(by: list[str]) -> None:
        finalizers = {"metadata": {"finalizers": by}}
        space.api.call("PATCH", path, finalizers, "merge-patch+json")

    held(["example.com/hold"])
    stack = ExitStack()
    stack.callback(held, [])
    space.until_closed(stack)


def a_program_of_arm(space: Space) -> None:
    """Make a ConfigMap with the head of an executable for AArch64: this kernel refuses it."""
    head = struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + head + bytes(56)
    space.create(made("ConfigMap", "arm", binaryData={"app": base64.b64encode(elf).decode()}))


def go(space: Space) -> None:
    space.merge({"data": {"GO": "yes"}}, kind="ConfigMap", name="gate")


def a_gate(space: Space) -> None:
    space.create(made("ConfigMap", "gate", data={"WAIT": "yes"}))


SIDE = {"name": "side", "image": "", "restartPolicy": "Always"}
SIDE_ENV = [{"name": "PORT", "value": "8081"}]
HOST_PORT = {"ports": [{"containerPort": 8080, "name": "http", "hostPort": HELD_PORT}]}
NEEDS_GO = {
    "env": [
        {"name": "REQUIRE_ENV", "value": "GO"},
        {
            "name": "GO",
            "valueFrom": {"configMapKeyRef": {"name": "gate", "key": "GO", "optional": True}},
        },
    ]
}
SHORT = {"progressDeadlineSeconds": 20}
SLOW_TO_GO = {"env": {"TERM_DELAY": "100s"}, "spec": {"terminationGracePeriodSeconds": 120}}

RECOVERING = {
    # R8: kubernetes-sigs/kubebuilder#1023, linkerd/linkerd2#309
    "a Secret that comes later": Situation(
        change=volume(secret={"secretName": "tls"}), meanwhile=after(10, a_secret)
    ),
    # R8: k/k#105204
    "a ConfigMap that comes later": Situation(
        change={"container": env_from("configMap", "late", "KEY")},
        meanwhile=after(10, a_config_map),
    ),
    # R8: k/k#66689, sigstore/scaffolding#615
    "a ServiceAccount that comes later": Situation(
        change={"spec": {"serviceAccountName": "late"}},
        meanwhile=after(6, a_service_account, pods=False),
    ),
    # R2: k/k#97227, openshift/origin#7270
    "an old Pod that keeps the port": Situation(
        first={
            "env": {"TERM_DELAY": "38s"},
            "container": HOST_PORT,
            "spec": {"terminationGracePeriodSeconds": 60},
        },
        change={"container": HOST_PORT},
        spec=ONE_BY_ONE,
    ),
    # R4: kubernetes/k8s.io#6706, Shopify/krane#139
    "a slow start under Recreate": Situation(
        change={"env": {"SLOW_START": "45s"}}, spec=RECREATE, plays=OFTEN
    ),
    # R5: hashicorp/terraform-provider-kubernetes#1896
    "a rollout longer than its deadline that moves": Situation(
        spec={
            "replicas": 5,
            "minReadySeconds": 6,
            "progressDeadlineSeconds": 15,
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        },
    ),
    # R16: k/k#54525, k/k#113278
    "Pods that ended last week": Situation(
        first={"env": {"SLOW_START": "4s"}},
        change={"tag": "v1", "env": {"SLOW_START": "4s"}},
        prepare=it_is_evicted_three_times,
    ),
    # R32: pachyderm/pachyderm#6510, backstage/backstage#2892
    "crashes until its dependency is there": Situation(
        change={"container": NEEDS_GO}, prepare=a_gate, meanwhile=after(45, go)
    ),
}
"""Each looked like a failure to a rule that was final at the first sight."""

FAILING = {
    # R12: argoproj/argo-rollouts#3366, k/k#142145
    "a sidecar that ends again and again": Situation(
        code="CRASH_LOOP",
        change={
            "spec": {
                "initContainers": [{**SIDE, "env": [{"name": "CRASH", "value": "0"}]}],
            }
        },
        says="container side ends with exit 0",
        ends=4,
    ),
    "a sidecar that is never ready": Situation(
        code="PROBE_READINESS",
        final=False,
        change={
            "spec": {
                "initContainers": [
                    {
                        **SIDE,
                        "env": [*SIDE_ENV, {"name": "READY", "value": "never"}],
                        "readinessProbe": {
                            "httpGet": {"path": "/ready", "port": 8081},
                            "periodSeconds": 1,
                        },
                    }
                ]
            }
        },
        spec=SHORT,
        says="the readinessProbe of container side asks /ready on 8081",
    ),
    # R20: k/k#102841
    "a hook that fails": Situation(
        code="CONTAINER_START",
        change={"container": {"lifecycle": {"postStart": {"exec": {"command": ["/no-such"]}}}}},
        says="postStart hook fails",
    ),
    # R43: kubernetes/node-problem-detector#797, aquasecurity/tracee#2757
    "a program of another platform": Situation(
        code="IMAGE_PLATFORM",
        change={
            "spec": {
                "volumes": [{"name": "w", "configMap": {"name": "arm", "defaultMode": 0o755}}]
            },
            "container": {
                "command": ["/w/app"],
                "volumeMounts": [{"name": "w", "mountPath": "/w"}],
            },
        },
        prepare=a_program_of_arm,
        says="exec format error",
    ),
    # R21: pulumi/pulumi#5157, Systemorph/MeshWeaver#1794
    "an old Pod that takes its grace period": Situation(
        code="TERMINATING",
        final=False,
        first=SLOW_TO_GO,
        spec={**RECREATE, **SHORT},
        says="its grace period is 120 s",
    ),
    # R21: k/k#32567; one whose containers have ended holds the controller up in some runs only
    "an old Pod that a finalizer holds too": Situation(
        code="TERMINATING",
        final=False,
        first=SLOW_TO_GO,
        prepare=a_finalizer,
        spec={**RECREATE, **SHORT},
        says="finalizer example.com/hold holds it",
    ),
    # R30: k/k#74732, k/k#106682
    "a probe that cannot run": Situation(
        code="PROBE_READINESS",
        final=False,
        change={
            "probe": None,
            "container": {
                "readinessProbe": {"exec": {"command": ["/no-such"]}, "periodSeconds": 1}
            },
        },
        spec=SHORT,
        says="/no-such",
    ),
    # R7 of use: a quota on ReplicaSets, where there is no ReplicaSet to look at
    "a quota of ReplicaSets": Situation(
        code="QUOTA",
        prepare=a_quota_of_replica_sets,
        observed=False,
        says="refuses its ReplicaSet",
    ),
    # kyverno/kyverno#3430 and the like: denied by admission, here by a plugin of the API server
    "a Pod that admission denies": Situation(
        code="ADMISSION",
        change={"spec": {"priority": 7}},
        says="refuses its Pods",
    ),
}

COMES_AND_GOES = {
    # false success, measured: rolled out in 4 of 9 runs, between two of its exits
    "exits a few seconds after each start": Situation(
        code="CRASH_LOOP",
        change={"env": {"CRASH": "3", "CRASH_AFTER": "3500ms"}},
        spec={"progressDeadlineSeconds": 60, **RECREATE},
        final=False,
        soak="5s",
        says="ends with exit 3",
        plays=OFTEN,
    ),
}
"""Ready for a while after each start, and never for long."""

REPORTED = {**RECOVERING, **FAILING}
RECORDED = {n: s for n, s in REPORTED.items() if s.observed and (s.final or not s.code)}
"""What one look at the objects tells: not where there is no revision, nor what a deadline ends."""
