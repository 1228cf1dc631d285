"""Two templates are the same when the controller makes no new ReplicaSet: it is the oracle."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

from backout.core.kubernetes import template

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

Edit = Callable[["Object", "Object", "Object"], None]
"""Changes a template; it gets the template, its Pod spec and its container."""


def with_everything(space: Space) -> Version:
    return space.version(
        "v1",
        env={"FIRST": "1", "SECOND": "2"},
        container={
            "resources": {
                "limits": {"cpu": "1", "memory": "128Mi"},
                "requests": {"cpu": "100m"},
            },
            "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        },
        spec={"volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]},
    )


def cpu_in_milli(_t: Object, _s: Object, c: Object) -> None:
    c["resources"]["limits"]["cpu"] = "1000m"


def memory_in_bytes(_t: Object, _s: Object, c: Object) -> None:
    c["resources"]["limits"]["memory"] = str(128 * 1024 * 1024)


def request_in_fractions(_t: Object, _s: Object, c: Object) -> None:
    c["resources"]["requests"]["cpu"] = "0.1"


def more_memory(_t: Object, _s: Object, c: Object) -> None:
    c["resources"]["limits"]["memory"] = "129Mi"


def size_limit_respelled(_t: Object, s: Object, _c: Object) -> None:
    s["volumes"][0]["emptyDir"]["sizeLimit"] = "1024Mi"


def empty_maps(t: Object, s: Object, _c: Object) -> None:
    t["metadata"]["annotations"] = {}
    s["nodeSelector"] = {}


def empty_lists(_t: Object, s: Object, c: Object) -> None:
    s["tolerations"] = []
    s["initContainers"] = []
    c["envFrom"] = []


def nulls(_t: Object, s: Object, c: Object) -> None:
    s["affinity"] = None
    c["command"] = None


def defaults_left_out(_t: Object, s: Object, c: Object) -> None:
    for key in ("dnsPolicy", "restartPolicy", "schedulerName", "securityContext"):
        s.pop(key)
    for key in ("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy"):
        c.pop(key)
    c["ports"][0].pop("protocol")


def defaults_spelled_out(_t: Object, s: Object, c: Object) -> None:
    s["hostNetwork"] = False
    c["stdin"] = False
    c["readinessProbe"]["timeoutSeconds"] = 1


def env_value_changed(_t: Object, _s: Object, c: Object) -> None:
    c["env"][0]["value"] = "one"


def env_reordered(_t: Object, _s: Object, c: Object) -> None:
    c["env"].reverse()


def empty_env_added(_t: Object, _s: Object, c: Object) -> None:
    c["env"].append({"name": "THIRD", "value": ""})


def empty_dir_added(_t: Object, s: Object, _c: Object) -> None:
    s["volumes"].append({"name": "more", "emptyDir": {}})


def label_added(t: Object, _s: Object, _c: Object) -> None:
    t["metadata"]["labels"]["team"] = "orders"


def annotation_added(t: Object, _s: Object, _c: Object) -> None:
    t["metadata"]["annotations"] = {"example.com/restarted": "now"}


def empty_annotation_added(t: Object, _s: Object, _c: Object) -> None:
    t["metadata"]["annotations"] = {"example.com/restarted": ""}


def empty_security_context_of_the_container(_t: Object, _s: Object, c: Object) -> None:
    c["securityContext"] = {}


def empty_affinity(_t: Object, s: Object, _c: Object) -> None:
    s["affinity"] = {}


def explicit_false_of_a_pointer(_t: Object, s: Object, _c: Object) -> None:
    s["automountServiceAccountToken"] = False


def request_removed(_t: Object, _s: Object, c: Object) -> None:
    c["resources"].pop("requests")


def zero_limit_added(_t: Object, _s: Object, c: Object) -> None:
    c["resources"]["requests"]["ephemeral-storage"] = "0"


EDITS: tuple[Edit, ...] = (
    cpu_in_milli,
    memory_in_bytes,
    request_in_fractions,
    more_memory,
    size_limit_respelled,
    empty_maps,
    empty_lists,
    nulls,
    defaults_left_out,
    defaults_spelled_out,
    env_value_changed,
    env_reordered,
    empty_env_added,
    empty_dir_added,
    label_added,
    annotation_added,
    empty_annotation_added,
    empty_security_context_of_the_container,
    empty_affinity,
    explicit_false_of_a_pointer,
    request_removed,
    zero_limit_added,
)


def test_templates_are_the_same_exactly_when_no_replicaset_is_made(space: Space) -> None:
    wrong = [edit.__name__ for edit in EDITS if not agrees(space, edit)]

    assert wrong == []


def agrees(space: Space, edit: Edit) -> bool:
    """Edit a Deployment of its own; tell whether the controller agrees with us about it."""
    name = edit.__name__.replace("_", "-").strip("-")
    space.deploy(with_everything(space), name=name, serve=False, up=False, replicas=0)
    found = space.get(name=name)
    before = copy.deepcopy(found["spec"]["template"])

    changed = found["spec"]["template"]
    edit(changed, changed["spec"], changed["spec"]["containers"][0])
    found["metadata"].pop("resourceVersion")
    space.replace(found)
    space.observed(name)

    after = space.template(name)
    is_new = len(space.revisions(name)) == 2
    is_same = template.digest(before) == template.digest(after)
    return template.same(before, after) is is_same is not is_new
