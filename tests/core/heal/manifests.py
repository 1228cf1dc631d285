"""Generated Pod templates as somebody applies them, and as the API server has them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from tests.objects.metadata import Object

_TEXT = st.sampled_from(["a", "b", "c"])
_SOURCES = st.one_of(
    st.builds(lambda v: {"value": v}, _TEXT),
    st.builds(lambda v: {"valueFrom": {"fieldRef": {"fieldPath": v}}}, _TEXT),
)
_PROBES = st.one_of(
    st.builds(lambda p: {"httpGet": {"path": p, "port": 80}}, _TEXT),
    st.builds(lambda s: {"tcpSocket": {"port": 80}, "periodSeconds": s}, st.integers(1, 3)),
)
_VOLUMES = st.sampled_from([{"emptyDir": {}}, {"emptyDir": {"medium": "Memory"}}, {"secret": {}}])


def _named(items: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    """Generate a list keyed by name."""
    found = st.dictionaries(_TEXT, items, min_size=1, max_size=3)
    return found.map(lambda d: [{"name": n, **copy.deepcopy(i)} for n, i in d.items()])


_CONTAINERS = st.fixed_dictionaries(
    {"image": _TEXT},
    optional={
        "env": _named(_SOURCES),
        "args": st.lists(_TEXT, min_size=1, max_size=2),
        "readinessProbe": _PROBES,
        "ports": st.sampled_from([[{"containerPort": 80}], [{"containerPort": 81}]]),
    },
)


def manifests() -> SearchStrategy[Object]:
    """Generate a template as it stands in a manifest: no field of it is a default."""
    pod = st.fixed_dictionaries(
        {"containers": _named(_CONTAINERS)},
        optional={"volumes": _named(_VOLUMES), "hostname": _TEXT},
    )
    notes = st.dictionaries(_TEXT, _TEXT, min_size=1, max_size=2)
    metadata = st.fixed_dictionaries(
        {"labels": st.just({"app": "web"})}, optional={"annotations": notes}
    )
    return st.builds(lambda m, s: {"metadata": m, "spec": s}, metadata, pod)


def live(manifest: Object) -> Object:
    """Return what the API server makes of a manifest: with defaults, and something injected."""
    made: Object = copy.deepcopy(manifest)
    made["spec"] |= {"restartPolicy": "Always", "securityContext": {}}
    made["metadata"]["labels"]["pod-template-hash"] = "77d"
    for container in made["spec"]["containers"]:
        container |= {"imagePullPolicy": "Always", "resources": {}}
        if "readinessProbe" in container:
            container["readinessProbe"]["failureThreshold"] = 3
    made["spec"]["containers"].append({"name": "mesh", "image": "proxy", "args": ["x"]})
    return made
