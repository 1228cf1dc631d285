"""Rollouts that fail, one for each class of docs/failures/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.situations.situation import OFTEN, Situation

if TYPE_CHECKING:
    from tests.cluster.space import Space

DEADLINE = {"progressDeadlineSeconds": 12}
"""For what is never final by itself: the user's own deadline ends it."""

NO_PEER = {"progressDeadlineSeconds": 40}
"""For what is Ready at first, so that the old Pod goes: nothing shows then that it is to blame."""


def env_from(kind: str, name: str, key: str) -> dict[str, Any]:
    return {"env": [{"name": "VALUE", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key}}}]}


def volume(**source: Any) -> dict[str, Any]:
    return {
        "spec": {"volumes": [{"name": "v", **source}]},
        "container": {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
    }


def probe(path: str, *, failures: int, **more: Any) -> dict[str, Any]:
    asked = {"path": path, "port": "http"}
    return {"httpGet": asked, "periodSeconds": 1, "failureThreshold": failures, **more}


def an_empty_config(space: Space) -> None:
    for kind in ("ConfigMap", "Secret"):
        space.create(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": "settings"}, "data": {}}
        )


def a_full_quota(space: Space) -> None:
    space.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": {"pods": "1"}},
        }
    )


def a_limit_range(space: Space) -> None:
    limit = {"type": "Container", "max": {"memory": "64Mi"}}
    space.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "small"},
            "spec": {"limits": [limit]},
        }
    )


def pod_security(space: Space) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space.label_namespace(labels)


def a_claim_without_a_class(space: Space) -> None:
    space.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "disk"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "",
            },
        }
    )


def a_runtime_that_no_node_has(space: Space) -> None:
    space.runtime_class(handler="never-installed")


def watched_for_long(space: Space) -> None:
    """The kubelet looks at volumes once a minute: until then nothing is to be available."""
    space.merge({"spec": {"minReadySeconds": 120}})


CRASHING_INIT = {"name": "first", "image": "", "env": [{"name": "CRASH", "value": "7"}]}
SMALL = {"resources": {"limits": {"memory": "32Mi"}}}

AT_ONCE = {
    "image missing": Situation(code="IMAGE_NOT_FOUND", change={"tag": "never-pushed"}),
    "image denied": Situation(code="IMAGE_AUTH", registry=401),
    "image name invalid": Situation(
        code="IMAGE_INVALID", change={"image": "127.0.0.1:25000/Not:Valid:"}
    ),
    "image never pulled": Situation(
        code="IMAGE_NEVER_PULL",
        change={"tag": "never-pushed", "container": {"imagePullPolicy": "Never"}},
    ),
    "command missing": Situation(
        code="CONTAINER_START", change={"container": {"command": ["/no-such-program"]}}
    ),
    "ConfigMap missing": Situation(
        code="CONFIG_MISSING",
        change={"container": env_from("configMap", "gone", "KEY")},
        says='configmap "gone" not found',
    ),
    "ConfigMap key missing": Situation(
        code="CONFIG_MISSING",
        change={"container": env_from("configMap", "settings", "TIMEOUT")},
        prepare=an_empty_config,
        says="ConfigMap settings has no key TIMEOUT, which container app needs",
    ),
    "Secret missing": Situation(
        code="CONFIG_MISSING",
        change={"container": env_from("secret", "gone", "KEY")},
        says='secret "gone" not found',
    ),
    "Secret key missing": Situation(
        code="CONFIG_MISSING",
        change={"container": env_from("secret", "settings", "PASSWORD")},
        prepare=an_empty_config,
        says="Secret settings has no key PASSWORD, which container app needs",
    ),
    "volume missing": Situation(
        code="CONFIG_MISSING",
        change=volume(configMap={"name": "gone"}),
        says='configmap "gone" not found',
    ),
    "claim missing": Situation(
        code="VOLUME", change=volume(persistentVolumeClaim={"claimName": "gone"})
    ),
    "claim never bound": Situation(
        code="VOLUME",
        change=volume(persistentVolumeClaim={"claimName": "disk"}),
        prepare=a_claim_without_a_class,
        says="claim disk: no persistent volumes available",
    ),
    "readiness path": Situation(
        code="PROBE_READINESS",
        change={"probe": "/not-there"},
        says="asks /not-there on 8080, and it is not ready: "
        "HTTP probe failed with statuscode: 404; other revisions answer /ready on 8080",
    ),
    "readiness port": Situation(
        code="PROBE_READINESS",
        change={"container": {"ports": [{"containerPort": 9090, "name": "http"}]}},
        says="other revisions answer /ready on 8080",
    ),
    "quota": Situation(code="QUOTA", prepare=a_full_quota),
    "LimitRange": Situation(
        code="ADMISSION",
        change={"container": {"resources": {"limits": {"memory": "128Mi"}}}},
        prepare=a_limit_range,
    ),
    "Pod Security": Situation(code="ADMISSION", prepare=pod_security),
    "ServiceAccount missing": Situation(
        code="ADMISSION", change={"spec": {"serviceAccountName": "gone"}}
    ),
    "runtime missing": Situation(
        code="SANDBOX",
        change={"spec": {"runtimeClassName": "NAMESPACE"}},
        prepare=a_runtime_that_no_node_has,
    ),
}
"""Final at the first sighting whose message proves it."""

IN_TIME = {
    "crash": Situation(
        code="CRASH_LOOP", change={"env": {"CRASH": "3"}}, says="container app ends with exit 3"
    ),
    "out of memory": Situation(
        code="OOM_KILLED", change={"env": {"ALLOCATE_MB": "200"}, "container": SMALL}
    ),
    "init container": Situation(
        code="INIT_FAILED", change={"spec": {"initContainers": [CRASHING_INIT]}}
    ),
    "liveness loop": Situation(
        code="PROBE_LIVENESS",
        change={"container": {"livenessProbe": probe("/never", failures=2)}},
        final=False,
        spec=NO_PEER,
        soak="6s",
        plays=OFTEN,
    ),
    "start-up probe": Situation(
        code="PROBE_LIVENESS",
        change={"container": {"startupProbe": probe("/never", failures=2)}},
        plays=OFTEN,
    ),
    "flapping": Situation(
        code="CRASH_LOOP",
        change={"env": {"CRASH": "4", "CRASH_AFTER": "3s"}},
        final=False,
        spec=NO_PEER,
        soak="6s",
        plays=OFTEN,
    ),
    "late crash": Situation(
        code="CRASH_LOOP",
        change={"env": {"CRASH": "5", "CRASH_AFTER": "15s"}},
        final=False,
        spec=NO_PEER,
        soak="20s",
        plays=OFTEN,
    ),
    "never ready": Situation(
        code="PROBE_READINESS",
        change={"env": {"READY": "never"}},
        spec={"progressDeadlineSeconds": 240},
    ),
    "no node fits": Situation(
        code="UNSCHEDULABLE", change={"spec": {"nodeSelector": {"disk": "none-has-it"}}}
    ),
}
"""Final when it has lasted, or has happened three times."""

BY_DEADLINE = {
    "image rate-limited": Situation(
        code="IMAGE_RATE_LIMIT", final=False, registry=429, spec=DEADLINE
    ),
    "registry refused": Situation(
        code="IMAGE_PULL", final=False, change={"image": "127.0.0.1:1/app:v2"}, spec=DEADLINE
    ),
    "readiness gate": Situation(
        code="READINESS_GATE",
        final=False,
        change={"spec": {"readinessGates": [{"conditionType": "example.com/ok"}]}},
        spec=DEADLINE,
    ),
    "scheduling gate": Situation(
        code="SCHEDULING_GATED",
        final=False,
        change={"spec": {"schedulingGates": [{"name": "example.com/wait"}]}},
        spec=DEADLINE,
    ),
    "evicted": Situation(
        code="EVICTED",
        final=False,
        change={
            **volume(emptyDir={"sizeLimit": "1Mi"}),
            "env": {"FILL": "/v/full", "FILL_MB": "8"},
        },
        prepare=watched_for_long,
        ends=5,
    ),
}
"""Never final by themselves: only the deadline that the user set ends them."""

FAILING = {**AT_ONCE, **IN_TIME, **BY_DEADLINE}
