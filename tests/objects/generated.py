"""Generated templates: one that uses much of the API, and others that are the same or are not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import SearchStrategy

CHANCE = st.randoms(use_true_random=False)
FULL: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "web", "divisor": "1"},
        "annotations": {"prometheus.io/port": "8080", "sizeLimit": "1Gi"},
    },
    "spec": {
        "initContainers": [{"name": "init", "image": "reg.example/init:v1"}],
        "containers": [
            {
                "name": "app",
                "image": "reg.example/app:v1",
                "args": ["--port", "8080"],
                "env": [
                    {"name": "CPU", "value": "1000m"},
                    {
                        "name": "LIMIT",
                        "valueFrom": {
                            "resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}
                        },
                    },
                ],
                "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                "resources": {
                    "limits": {"cpu": "1", "memory": "512Mi"},
                    "requests": {"cpu": "1500m"},
                },
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5},
                "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            },
            {"name": "side", "image": "reg.example/side@sha256:" + "a" * 64, "stdin": True},
        ],
        "overhead": {"memory": "64Mi"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "terminationGracePeriodSeconds": 30,
        "volumes": [
            {"name": "cache", "emptyDir": {"sizeLimit": "2Gi"}},
            {
                "name": "data",
                "ephemeral": {
                    "volumeClaimTemplate": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"resources": {"requests": {"storage": "10Gi"}}},
                    }
                },
            },
        ],
    },
}

QUANTITIES: dict[tuple[Any, ...], list[Any]] = {
    (*("spec", "containers", 0, "resources", "limits"), "cpu"): ["1", "1000m", "1e0", "0.001k"],
    (*("spec", "containers", 0, "resources", "limits"), "memory"): ["512Mi", "0.5Gi", "524288Ki"],
    (*("spec", "containers", 0, "resources", "requests"), "cpu"): ["1500m", "1.5", 1.5, "15e-1"],
    ("spec", "overhead", "memory"): ["64Mi", "67108864", 67108864],
    ("spec", "volumes", 0, "emptyDir", "sizeLimit"): ["2Gi", "2048Mi", "2147483648"],
    (
        *("spec", "containers", 0, "env", 1, "valueFrom", "resourceFieldRef"),
        "divisor",
    ): ["1", "1000m", 1],
    (
        *("spec", "volumes", 1, "ephemeral", "volumeClaimTemplate", "spec", "resources"),
        *("requests", "storage"),
    ): ["10Gi", "10240Mi"],
}


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values that are neither map nor list."""
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, (*path, i))]
    return [path]


def changed_leaves(value: Any, path: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return copies in which the leaf at `path` has other values of its type."""
    leaf = at(value, path)
    if isinstance(leaf, bool):
        others: list[Any] = [not leaf]
    elif isinstance(leaf, int):
        others = [leaf + 1, 0]
    elif path in QUANTITIES:
        others = ["7", "7Ti"]
    else:
        others = [leaf + "x", leaf + " ", leaf.upper() + "X"]
    copies = []
    for other in others:
        made = copy.deepcopy(value)
        at(made, path[:-1])[path[-1]] = other
        copies.append(made)
    return copies


def reordered(value: Any) -> SearchStrategy[Any]:
    """Generate the same value with the keys of every map in another order."""
    return CHANCE.map(lambda chance: _reordered(value, chance))


def respelled(value: Any) -> SearchStrategy[Any]:
    """Generate the same template with every quantity spelled in some other way."""
    return CHANCE.map(lambda chance: _respelled(value, chance))


def _reordered(value: Any, chance: Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {k: _reordered(value[k], chance) for k in keys}
    if isinstance(value, list):
        return [_reordered(v, chance) for v in value]
    return value


def _respelled(value: Any, chance: Random) -> Any:
    made = copy.deepcopy(value)
    for path, spellings in QUANTITIES.items():
        at(made, path[:-1])[path[-1]] = chance.choice(spellings)
    return made
