"""Reading plain Kubernetes objects: the few paths that everybody walks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backout.core.model import Object


def dig(obj: Any, *path: str | int, default: Any = None) -> Any:
    """Return what stands at `path`, or `default` where any step is absent or null."""
    for step in path:
        try:
            obj = obj[step]
        except (KeyError, IndexError, TypeError):
            return default
    return default if obj is None else obj


def name(obj: Object) -> str:
    """Return `metadata.name`."""
    return str(dig(obj, "metadata", "name", default=""))


def uid(obj: Object) -> str:
    """Return `metadata.uid`."""
    return str(dig(obj, "metadata", "uid", default=""))


def others(found: Iterable[Object], those: Iterable[Object]) -> list[Object]:
    """Return the objects that are not among those, told apart by UID.

    To compare thousands of Pods with each other takes half a second.
    """
    known = {uid(one) for one in those}
    return [one for one in found if uid(one) not in known]


def resource_version(obj: Object) -> str:
    """Return `metadata.resourceVersion`, opaque."""
    return str(dig(obj, "metadata", "resourceVersion", default=""))


def generation(obj: Object) -> int:
    """Return `metadata.generation`: how often the spec has changed."""
    return int(dig(obj, "metadata", "generation", default=0))


def observed_generation(obj: Object) -> int:
    """Return `status.observedGeneration`: the generation the controller has seen."""
    return int(dig(obj, "status", "observedGeneration", default=0))


def is_observed(obj: Object) -> bool:
    """Tell whether the controller has seen the newest spec."""
    return observed_generation(obj) >= generation(obj)


def replicas(workload: Object) -> int:
    """Return `spec.replicas`: how many Pods it asks for; 1 where it says nothing."""
    return int(dig(workload, "spec", "replicas", default=1))


def annotations_of(obj: Object) -> Mapping[str, str]:
    """Return `metadata.annotations`, empty where there are none."""
    return dict(dig(obj, "metadata", "annotations", default={}))


def labels_of(obj: Object) -> Mapping[str, str]:
    """Return `metadata.labels`, empty where there are none."""
    return dict(dig(obj, "metadata", "labels", default={}))


def is_controlled_by(obj: Object, owner_uid: str) -> bool:
    """Tell whether the controlling ownerReference names this UID (metav1.IsControlledBy)."""
    return controller_uid(obj) == owner_uid != ""


def controller_uid(obj: Object) -> str:
    """Return the UID of what controls it, empty where nothing does; there is one at most."""
    owners = dig(obj, "metadata", "ownerReferences", default=[])
    return next((str(o.get("uid", "")) for o in owners if dig(o, "controller") is True), "")


def age(obj: Object) -> tuple[str, str]:
    """Return what sorts objects as the API's controllers do: oldest first, then by name."""
    return str(dig(obj, "metadata", "creationTimestamp", default="")), name(obj)


def condition(obj: Object, kind: str) -> Object | None:
    """Return the status condition of this type, or None."""
    found: Iterable[Object] = dig(obj, "status", "conditions", default=[])
    return next((c for c in found if c.get("type") == kind), None)


def is_ready(pod: Object) -> bool:
    """Tell whether a Pod is Ready and not being deleted."""
    for one in dig(pod, "status", "conditions", default=()):
        if one.get("type") == "Ready":
            is_true = one.get("status") == "True"
            return is_true and not dig(pod, "metadata", "deletionTimestamp")
    return False


def is_available(pod: Object, seconds: int, now: datetime) -> bool:
    """Tell whether a Pod has been Ready for so many seconds, as its controller asks for it.

    `now` is the server's; the controller compares its own clock with the same stamp
    (IsPodAvailable in kubernetes pkg/api/v1/pod/util.go).
    """
    since = timestamp(dig(condition(pod, "Ready"), "lastTransitionTime"))
    has_held = seconds == 0 or (since is not None and since + timedelta(seconds=seconds) <= now)
    return is_ready(pod) and has_held


def is_active(pod: Object) -> bool:
    """Tell whether a Pod is to run on (IsPodActive, pkg/controller/controller_utils.go)."""
    is_over = dig(pod, "status", "phase") in {"Failed", "Succeeded"}
    return not is_over and not dig(pod, "metadata", "deletionTimestamp")


def node_of(pod: Object) -> str:
    """Return the name of a Pod's node; of one that waits the node that it alone may run on.

    A DaemonSet's Pod is bound by an affinity to one node's name.
    """
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = ("spec", "affinity", "nodeAffinity", required, "nodeSelectorTerms")
    bound = dig(pod, *terms, 0, "matchFields", 0, "values", 0, default="")
    return str(dig(pod, "spec", "nodeName", default=bound))


def containers(template_or_pod: Object) -> list[Object]:
    """Return the containers and init containers of a Pod or Pod template, in that order."""
    spec = dig(template_or_pod, "spec", default={})
    return [*dig(spec, "containers", default=[]), *dig(spec, "initContainers", default=[])]


def serving_containers(template_or_pod: Object) -> list[Object]:
    """Return the containers and sidecars: what runs, and is asked, while a Pod serves."""
    return [*dig(template_or_pod, "spec", "containers", default=[]), *sidecars(template_or_pod)]


def sidecars(template_or_pod: Object) -> list[Object]:
    """Return the init containers that are always restarted (KEP-753)."""
    listed = dig(template_or_pod, "spec", "initContainers", default=[])
    return [one for one in listed if one.get("restartPolicy") == "Always"]


def container_statuses(pod: Object) -> Iterator[tuple[Object, bool]]:
    """Yield each container's status and whether it is an init container's, in start order."""
    for key, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for status in dig(pod, "status", key, default=[]):
            yield status, is_init


def timestamp(text: Any) -> datetime | None:
    """Return an API timestamp (RFC 3339, with or without microseconds) as aware UTC, or None."""
    if not isinstance(text, str) or not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def matches_labels(selector: Mapping[str, str], present: Mapping[str, str]) -> bool:
    """Tell whether equality selector `selector` (a Service's) selects these labels."""
    return bool(selector) and all(present.get(k) == v for k, v in selector.items())


def selects(selector: Object | None, present: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector selects these labels; an empty one all, none at all nothing."""
    if selector is None:
        return False
    wanted = dig(selector, "matchLabels", default={})
    return all(present.get(k) == v for k, v in wanted.items()) and all(
        {
            "In": present.get(e.get("key")) in (e.get("values") or []),
            "NotIn": present.get(e.get("key")) not in (e.get("values") or []),
            "Exists": e.get("key") in present,
            "DoesNotExist": e.get("key") not in present,
        }.get(e.get("operator"), False)
        for e in dig(selector, "matchExpressions", default=[])
    )


def selector_text(selector: Object) -> str:
    """Return a LabelSelector as the API's query text (metav1.LabelSelectorAsSelector)."""
    terms = [f"{k}={v}" for k, v in sorted(dig(selector, "matchLabels", default={}).items())]
    for expression in dig(selector, "matchExpressions", default=[]):
        key, values = expression.get("key"), ",".join(expression.get("values") or [])
        terms.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": f"{key}",
                "DoesNotExist": f"!{key}",
            }[expression["operator"]]
        )
    return ",".join(terms)
