"""Generated triples of manifests: an old one, a bad one, and the next one after the rollback.

A manifest is a choice for each of many features: fields that exclude each other, lists by key and
atomic ones, structs that may be empty, fields that the API server fills in. The next one goes back
to the old choice, stays with the bad one, or makes a third. No Pod is ever started.

No container has an empty securityContext: where another one had fields there, server-side apply
drops it from what it was told to write (seen on 1.34.4), and the old manifest is no measure then.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cluster.api import Object

ABSENT: Any = None
KINDS = ("Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet")
"""Of each five triples three are about a Deployment: all kinds have the same template."""
CHANGED_BY_BAD = 0.4


@dataclass(frozen=True, kw_only=True)
class Triple:
    old: Object
    bad: Object
    next: Object


def triples(seed: int, count: int, images: list[str]) -> list[Triple]:
    """Return so many triples of the seed; their workloads are named t0, t1 ..."""
    chances = (Random(f"{seed}/{n}") for n in range(count))  # noqa: S311 (no secret)
    return [
        _triple(chance, KINDS[n % len(KINDS)], f"t{n}", images) for n, chance in enumerate(chances)
    ]


def _triple(chance: Random, kind: str, name: str, images: list[str]) -> Triple:
    menu = _menu(images)
    old = {feature: chance.choice(options) for feature, options in menu.items()}
    bad = {
        feature: chance.choice(menu[feature]) if chance.random() < CHANGED_BY_BAD else choice
        for feature, choice in old.items()
    }
    while bad == old:
        feature = chance.choice(list(menu))
        bad[feature] = chance.choice(menu[feature])
    following = {
        feature: chance.choice(
            [old[feature], bad[feature], bad[feature], chance.choice(menu[feature])]
        )
        for feature in menu
    }
    old, bad, following = (_workload(kind, name, choice) for choice in (old, bad, following))
    return Triple(old=old, bad=bad, next=following)


def _menu(images: list[str]) -> dict[str, list[Any]]:
    env = [
        ABSENT,
        {"value": "one"},
        {"value": "two"},
        {"value": ""},
        {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
        {"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ]
    probe = [
        ABSENT,
        {"httpGet": {"path": "/healthz", "port": 8080}},
        {"httpGet": {"path": "/wrong", "port": "http"}, "failureThreshold": 1},
        {"tcpSocket": {"port": 8080}, "periodSeconds": 5},
        {"exec": {"command": ["true"]}},
        {"grpc": {"port": 8080}},
    ]
    source = [
        ABSENT,
        {"emptyDir": {}},
        {"emptyDir": {"medium": "Memory"}},
        {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        {"configMap": {"name": "c", "optional": True}},
        {"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}], "optional": True}},
        {"secret": {"secretName": "s", "optional": True}},
        {"projected": {"sources": [{"configMap": {"name": "c", "optional": True}}]}},
        {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    return {
        "image": list(images),
        **{f"env {name}": env for name in "ABCD"},
        "envFrom": [ABSENT, [{"configMapRef": {"name": "c", "optional": True}}]],
        "args": [ABSENT, ["--fast"], ["--fast", "--loud"]],
        "ports": [
            ABSENT,
            [{"containerPort": 8080, "name": "http"}],
            [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}],
            [{"containerPort": 9090, "protocol": "UDP"}],
        ],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "startupProbe": [*probe[:2], probe[3]],
        "lifecycle": [
            ABSENT,
            {"preStop": {"exec": {"command": ["true"]}}},
            {"preStop": {"sleep": {"seconds": 2}}},
            {"postStart": {"httpGet": {"path": "/", "port": 8080}}},
        ],
        "resources": [
            ABSENT,
            {"requests": {"cpu": "100m"}},
            {"requests": {"cpu": "0.5", "memory": "1Gi"}, "limits": {"memory": "1024Mi"}},
        ],
        "container security": [
            ABSENT,
            {"runAsNonRoot": True},
            {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        ],
        "volume data": source,
        "volume scratch": source,
        "mounts": ["/data", "/var/data"],
        "sidecar": [ABSENT, {}, {"env": [{"name": "S", "value": "1"}]}, {"args": ["x"]}],
        "init": [ABSENT, ["first"], ["first", "second"], ["second"]],
        "tolerations": [
            ABSENT,
            [{"key": "gpu", "operator": "Exists"}],
            [{"key": "gpu", "value": "a", "effect": "NoSchedule"}],
        ],
        "nodeSelector": [ABSENT, {"disk": "ssd"}, {"disk": "hdd", "zone": "a"}],
        "affinity": [ABSENT, _affinity("a"), _affinity("b")],
        "hostAliases": [
            ABSENT,
            [{"ip": "10.1.1.1", "hostnames": ["one"]}],
            [{"ip": "10.1.1.2", "hostnames": ["two"]}],
        ],
        "topologySpreadConstraints": [ABSENT, [_spread("zone", 1)], [_spread("zone", 2)]],
        "imagePullSecrets": [ABSENT, [{"name": "pull"}], [{"name": "pull"}, {"name": "more"}]],
        "terminationGracePeriodSeconds": [ABSENT, 5, 60],
        "securityContext": [ABSENT, {}, {"fsGroup": 1000}, {"runAsUser": 1, "runAsGroup": 1}],
        "dnsConfig": [ABSENT, {"nameservers": ["10.0.0.1"]}, {"options": [{"name": "ndots"}]}],
        "hostname": [ABSENT, "one", "two"],
        "notes": [ABSENT, {"cfg": "1"}, {"cfg": "2"}, {"cfg": "2", "team": "a"}],
        "cause": [ABSENT, ABSENT, "release 1", "release 2"],
    }


def _workload(kind: str, name: str, choice: dict[str, Any]) -> Object:
    cause = choice["cause"]
    labels = {"app": name}
    if kind == "DaemonSet":
        choice = {**choice, "nodeSelector": {"nowhere": "yes", **(choice["nodeSelector"] or {})}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            **({"annotations": {"kubernetes.io/change-cause": cause}} if cause else {}),
        },
        "spec": {
            **({} if kind == "DaemonSet" else {"replicas": 0}),
            **({"serviceName": name} if kind == "StatefulSet" else {}),
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": _said({"labels": labels, "annotations": choice["notes"]}),
                "spec": _pod(choice),
            },
        },
    }


def _pod(choice: dict[str, Any]) -> Object:
    volumes = {v: choice[f"volume {v}"] for v in ("data", "scratch")}
    image = choice["image"]
    sidecar = choice["sidecar"]
    same = ("tolerations", "nodeSelector", "affinity", "hostAliases", "topologySpreadConstraints")
    more = ("imagePullSecrets", "terminationGracePeriodSeconds", "securityContext", "dnsConfig")
    return _said(
        {
            "initContainers": [{"name": n, "image": image} for n in choice["init"] or []] or ABSENT,
            "containers": [
                _container(choice, volumes),
                *([{"name": "side", "image": image, **sidecar}] if sidecar is not ABSENT else []),
            ],
            "volumes": [{"name": v, **s} for v, s in volumes.items() if s] or ABSENT,
            **{feature: choice[feature] for feature in (*same, *more, "hostname")},
        }
    )


def _container(choice: dict[str, Any], volumes: dict[str, Any]) -> Object:
    root = choice["mounts"]
    mounts = [{"name": v, "mountPath": f"{root}/{v}"} for v, s in volumes.items() if s]
    same = ("args", "ports", "readinessProbe", "livenessProbe", "startupProbe", "lifecycle")
    if not any(p.get("name") == "http" for p in choice["ports"] or []):
        choice = {**choice, **{p: _by_number(choice[p]) for p in same if p.endswith("Probe")}}
    env = [{"name": n, **choice[f"env {n}"]} for n in "ABCD" if choice[f"env {n}"] is not ABSENT]
    return _said(
        {
            "name": "app",
            "image": choice["image"],
            "env": env or ABSENT,
            "volumeMounts": mounts or ABSENT,
            "securityContext": choice["container security"],
            **{feature: choice[feature] for feature in (*same, "envFrom", "resources")},
        }
    )


def _by_number(probe: Any) -> Any:
    """Return a probe that asks no port by its name."""
    get = (probe or {}).get("httpGet")
    return {**probe, "httpGet": {**get, "port": 8080}} if get else probe


def _affinity(zone: str) -> Object:
    said = [{"key": "zone", "operator": "In", "values": [zone]}]
    required = {"nodeSelectorTerms": [{"matchExpressions": said}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _spread(key: str, skew: int) -> Object:
    same = {"topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"}
    return {**same, "maxSkew": skew, "labelSelector": {"matchLabels": {"spread": "yes"}}}


def _said(fields: dict[str, Any]) -> Object:
    return {key: value for key, value in fields.items() if value is not ABSENT}
