"""A StatefulSet in order, on the fake API server: a good rollout, then a bad one that is stuck."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.kinds.target import Target
from tests.contract.api_server import NAMESPACE, ApiServer
from tests.contract.steps.shop import BAD, GOOD, template
from tests.objects.controller_revisions import controller_revision
from tests.objects.metadata import Object, owned_by
from tests.objects.pods import pod
from tests.objects.services import service
from tests.objects.stateful_sets import HASH, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Target(kind=STATEFUL_SET, namespace=NAMESPACE, name="web")


def stateful(api: ApiServer, *, broken: int = 1) -> ApiServer:
    """Fill an API server: of three Pods the `broken` highest are of the bad template."""
    api.controller = control
    api.add("services", service())
    api.add("serviceaccounts", {"metadata": {"name": "default"}})
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    api.add(
        "statefulsets",
        manifest(
            template(GOOD),
            metadata={"annotations": {}},
            podManagementPolicy="OrderedReady",
            updateStrategy=rolling,
        ),
    )
    api.edit("statefulsets", "web", lambda web: web["spec"].update(template=template(BAD)))
    web = api.get("statefulsets", "web")
    for place in range(3 - broken, 3):
        api.remove("pods", f"web-{place}")
        api.add("pods", _pod(web, place, "web-v2"))
    return api


def control(api: ApiServer, obj: Object) -> None:
    """Do what its controller and the kubelet do, at once; images named bad are never Ready."""
    if obj["kind"] != "StatefulSet":
        return
    generation = obj["metadata"].get("generation")
    if obj.get("status", {}).get("observedGeneration") == generation:
        return
    current = _revision(api, obj)
    ready = sum(made(p) for p in api.all("pods"))
    counted = {"replicas": 3, "readyReplicas": ready, "availableReplicas": ready}
    status = {**counted, "observedGeneration": generation, "updateRevision": current}
    first = obj.get("status", {}).get("currentRevision", current)
    api.edit(
        "statefulsets", "web", lambda web: web.update(status={**status, "currentRevision": first})
    )
    fill(api)


def fill(api: ApiServer) -> None:
    """Make the lowest Pod that is missing, and the next, while all below them are Ready."""
    web = api.get("statefulsets", "web")
    revision = web["status"]["updateRevision"]
    for place in range(3):
        there = api.find("pods", f"web-{place}")
        there = there or api.add("pods", _pod(web, place, revision))
        if not made(there):
            break
    ready = sum(made(p) for p in api.all("pods"))
    counted = {"readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": ready}
    api.edit("statefulsets", "web", lambda now: now["status"].update(counted))


def made(one: Object) -> bool:
    """Tell whether a Pod is Ready."""
    return any(c["status"] == "True" for c in one["status"]["conditions"] if c["type"] == "Ready")


def deleted(api: ApiServer) -> Iterator[str]:
    """Yield the names of the Pods that were asked to be deleted."""
    for request in api.writes:
        if request.method == "DELETE" and "/pods/" in request.path:
            yield request.path.rpartition("/")[2]


def _revision(api: ApiServer, web: Object) -> str:
    """Return the name of the revision of its template, numbered highest."""
    kept = api.all("controllerrevisions")
    wanted = {"$patch": "replace", **copy.deepcopy(web["spec"]["template"])}
    top = max([k["revision"] for k in kept], default=0)
    found = next((k for k in kept if k["data"]["spec"]["template"] == wanted), None)
    if found is None:
        uid = web["metadata"]["uid"]
        found = api.add(
            "controllerrevisions",
            controller_revision(top + 1, pods=web["spec"]["template"], owner=uid),
        )
    elif found["revision"] < top:
        name = found["metadata"]["name"]
        found = api.edit("controllerrevisions", name, lambda k: k.update(revision=top + 1))
    return str(found["metadata"]["name"])


def _pod(web: Object, place: int, revision: str) -> Object:
    spec = web["spec"]["template"]["spec"]
    is_good = "bad" not in spec["containers"][0]["image"]
    owners = owned_by(web["metadata"]["uid"], kind="StatefulSet", name="web")
    return pod(
        f"web-{place}",
        ready=is_good,
        metadata={"labels": {"app": "web", HASH: revision}, "ownerReferences": owners},
        spec=spec,
        phase="Running" if is_good else "Pending",
    )
