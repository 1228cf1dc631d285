"""Objects without what no rule reads: addresses, ids of containers, defaults that all share.

What a later rule may want stays: specs, conditions, states of containers, owners, all of a
template (its digest is taken of the whole), and of an event all that tells what, of whom and when.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

METADATA = {"managedFields", "generateName", "resourceVersion"}
SPEC = {"dnsPolicy", "enableServiceLinks", "serviceAccount"}
STATUS = {"hostIP", "hostIPs", "podIP", "podIPs"}
CONTAINER = {"containerID", "volumeMounts"}
CONDITION = {"lastProbeTime"}
ABOUT = {"apiVersion", "namespace", "resourceVersion"}
TOKEN = "kube-api-access-"
"""How the volume is named that the API server adds to every Pod."""


def workload(obj: Object, *, writers: bool = False) -> Object:
    """Return a workload or a ReplicaSet; with `writers`, who wrote which field stays."""
    unread = METADATA - {"managedFields"} if writers else METADATA
    return {**obj, "metadata": _without(obj["metadata"], unread)}


def pod(obj: Object) -> Object:
    spec, status = _without(obj["spec"], SPEC), _without(obj["status"], STATUS)
    for key in ("containers", "initContainers"):
        _each(spec, key, _without_token)
    _each(spec, "volumes", lambda v: None if v["name"].startswith(TOKEN) else v)
    for key in ("containerStatuses", "initContainerStatuses"):
        _each(status, key, lambda c: _without(c, CONTAINER))
    _each(status, "conditions", lambda c: _without(c, CONDITION))
    return {**obj, "metadata": _without(obj["metadata"], METADATA), "spec": spec, "status": status}


def event(obj: Object) -> Object:
    """Return an event; its version stays, by which events of one second have an order."""
    said = {k: v for k, v in obj.items() if v or v == 0}
    if said.get("source", {}).get("component") == said.get("reportingComponent"):
        said.pop("source", None)
    return {
        **said,
        "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
        "involvedObject": _without(obj["involvedObject"], ABOUT),
    }


def _without(given: Object, unread: set[str]) -> Object:
    return {k: v for k, v in given.items() if k not in unread}


def _without_token(container: Object) -> Object:
    made = dict(container)
    _each(made, "volumeMounts", lambda m: None if m["name"].startswith(TOKEN) else m)
    return made


def _each(within: Object, key: str, change: Any) -> None:
    """Change each of a list, and take those out that become None; then an empty list, too."""
    if key not in within:
        return
    within[key] = [made for one in within[key] if (made := change(one)) is not None]
    if not within[key]:
        del within[key]
