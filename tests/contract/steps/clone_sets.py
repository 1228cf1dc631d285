"""A kind that backout does not have: CloneSets, with a group, counters and a history of their own.

Modelled after OpenKruise's, and no more of it than a rollback needs. It is given to backout in a
Target, the one place where a kind comes in; `KINDS` only tells which kinds the command line takes.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from backout.core.kinds.kind import Counters, Pace, Resource, Unmoving
from backout.core.kinds.ordinary import Ordinary
from backout.core.kinds.target import Target
from backout.core.kubernetes import objects
from backout.core.kubernetes.template import digest
from backout.core.model import Revision
from tests.contract.api_server import NAMESPACE, ApiServer
from tests.contract.steps.shop import BAD, GOOD, template
from tests.objects.metadata import Object, owned_by
from tests.objects.pods import pod
from tests.objects.services import service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.kinds.kind import Kind, PodsSeen

HASH = "controller-revision-hash"


class CloneSet(Ordinary, frozen=True, kw_only=True):
    """Its history is ControllerRevisions, which are never annotated after they were made."""

    resource: Resource = Resource(
        group="apps.kruise.io", version="v1alpha1", name="CloneSet", plural="clonesets"
    )
    short: tuple[str, ...] = ("clone",)
    spoken: str = "clone set"
    stored: Resource = Resource(
        group="apps", version="v1", name="ControllerRevision", plural="controllerrevisions"
    )
    marks_history: bool = False
    makes_pods: bool = True
    is_per_node: bool = False
    watched_fields: tuple[str, ...] = ("updateStrategy",)

    def template_of(self, stored: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found = objects.dig(stored, "data", "spec", "template")
        if not isinstance(found, dict):
            return None
        return {key: value for key, value in found.items() if key != "$patch"}

    def revisions(
        self,
        workload: Mapping[str, Any],
        stored: Iterable[Mapping[str, Any]],
        pods: Iterable[Mapping[str, Any]],
    ) -> tuple[Revision, ...]:
        owned = [s for s in stored if objects.is_controlled_by(s, objects.uid(workload))]
        listed = list(pods)
        now = objects.dig(workload, "status", "updateRevision")
        found = [self._revision(s, listed, is_current=objects.name(s) == now) for s in owned]
        return tuple(sorted(found, key=lambda r: r.number, reverse=True))

    def _revision(
        self, stored: Mapping[str, Any], pods: list[Mapping[str, Any]], *, is_current: bool
    ) -> Revision:
        made = self.template_of(stored) or {}
        own = tuple(p for p in pods if objects.labels_of(p).get(HASH) == objects.name(stored))
        return Revision(
            number=stored["revision"],
            stored=stored,
            template=made,
            hash=digest(made),
            change_cause="",
            created=objects.timestamp(objects.dig(stored, "metadata", "creationTimestamp")),
            pods=own,
            ready=sum(map(objects.is_ready, own)),
            is_current=is_current,
        )

    def counters(self, workload: Mapping[str, Any]) -> Counters:
        status = objects.dig(workload, "status", default={})
        wanted, available = objects.replicas(workload), status.get("updatedAvailableReplicas", 0)
        return Counters(
            wanted=wanted,
            updated=status.get("updatedReplicas", 0),
            total=status.get("replicas", 0),
            ready=status.get("readyReplicas", 0),
            available=available,
            unavailable=wanted - available,
        )

    def waiting_for(self, workload: Mapping[str, Any], seen: PodsSeen | None = None) -> str | None:  # noqa: ARG002
        now = self.counters(workload)
        if now.available == now.updated == now.wanted:
            return None
        return f"{now.available} of {now.wanted} clones are up..."

    def rolled_out(self, workload: Mapping[str, Any]) -> str:
        return f"all clones of {objects.name(workload)} are up"

    def unmoving(self, workload: Mapping[str, Any]) -> Unmoving | None:
        if objects.dig(workload, "spec", "updateStrategy", "paused") is not True:
            return None
        lift = {"op": "replace", "path": "/spec/updateStrategy/paused", "value": False}
        return Unmoving(why="the CloneSet rests", until="it is woken", lift=lift)

    def idle(self, workload: Mapping[str, Any]) -> str:
        return "" if objects.replicas(workload) else "no clone is asked for"

    def pace(self, workload: Mapping[str, Any]) -> Pace:
        return Pace(replicas=objects.replicas(workload), unavailable=0, surge=1)

    def deadline(self, workload: Mapping[str, Any]) -> int | None:
        seconds = objects.dig(workload, "spec", "patience")
        return None if seconds is None else int(seconds)


CLONE_SET: Kind = CloneSet()
TARGET = Target(kind=CLONE_SET, namespace=NAMESPACE, name="web")


def clones(api: ApiServer) -> ApiServer:
    """Fill an API server with a CloneSet: a good rollout, then a bad one that hangs."""
    api.controller = control
    api.add("services", service())
    api.add("serviceaccounts", {"metadata": {"name": "default"}})
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(GOOD),
        "updateStrategy": {},
    }
    api.add("clonesets", {"metadata": {"name": "web", "annotations": {}}, "spec": spec})
    api.edit("clonesets", "web", lambda web: web["spec"].update(template=template(BAD)))
    return api


def control(api: ApiServer, obj: Object) -> None:
    """Do what its controller and the kubelet do, at once; images named bad hang."""
    generation = obj["metadata"].get("generation")
    if obj["kind"] != "CloneSet" or _observed(obj) == generation:
        return
    status = {**obj.get("status", {}), "observedGeneration": generation}
    if obj["spec"]["updateStrategy"].get("paused") is not True:
        status |= _roll_out(api, obj)
    api.edit("clonesets", "web", lambda web: web.update(status=status))


def _observed(obj: Object) -> int:
    return int(obj.get("status", {}).get("observedGeneration", 0))


def _roll_out(api: ApiServer, web: Object) -> Object:
    wanted = {"$patch": "replace", **copy.deepcopy(web["spec"]["template"])}
    kept = api.all("controllerrevisions")
    top = max([k["revision"] for k in kept], default=0)
    found = next((k for k in kept if k["data"]["spec"]["template"] == wanted), None)
    if found is None:
        found = api.add("controllerrevisions", _stored(web, wanted, top + 1))
    elif found["revision"] < top:
        name = found["metadata"]["name"]
        found = api.edit("controllerrevisions", name, lambda k: k.update(revision=top + 1))
    name = found["metadata"]["name"]
    is_good = "bad" not in wanted["spec"]["containers"][0]["image"]
    for old in api.all("pods") if is_good else ():
        api.remove("pods", old["metadata"]["name"])
    api.add("pods", _pod(web, name, ready=is_good))
    up = {"updatedReplicas": 1, "updatedAvailableReplicas": int(is_good)}
    return {"replicas": len(api.all("pods")), "updateRevision": name, **up}


def _stored(web: Object, wanted: Object, number: int) -> Object:
    owners = owned_by(web["metadata"]["uid"], kind="CloneSet", name="web")
    metadata = {"name": f"web-{number}", "labels": {"app": "web"}, "ownerReferences": owners}
    return {"metadata": metadata, "revision": number, "data": {"spec": {"template": wanted}}}


def _pod(web: Object, revision: str, *, ready: bool) -> Object:
    owners = owned_by(web["metadata"]["uid"], kind="CloneSet", name="web")
    return pod(
        f"{revision}-{web['metadata']['generation']}",
        ready=ready,
        metadata={"labels": {"app": "web", HASH: revision}, "ownerReferences": owners},
        spec=web["spec"]["template"]["spec"],
        phase="Running" if ready else "Pending",
    )


def image(api: ApiServer) -> str:
    web = api.get("clonesets", "web")
    return str(web["spec"]["template"]["spec"]["containers"][0]["image"])
