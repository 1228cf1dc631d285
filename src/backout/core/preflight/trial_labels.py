"""What in a Pod template needs the labels that a trial Pod must leave off.

With them, Services would send it requests and controllers would count it. Without them a Pod that
reads its own labels, or that a webhook finds by them, is another Pod: its trial shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.kubernetes.template import HASH_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.model import Object

_ADMITTED_BY = (
    *("azure.workload.identity/use", "aadpodidbinding"),
    *("sidecar.istio.io/inject", "istio.io/rev"),
)
"""Labels by which webhooks put into a Pod what it cannot do without."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def needs_labels(template: Object) -> str:
    """Return what needs the template's own labels, in words; empty where nothing does."""
    return next(_reasons(template), "")


def _reasons(template: Object) -> Iterator[str]:
    labels = {k: v for k, v in objects.labels_of(template).items() if k != HASH_LABEL}
    off = "and a trial Pod has none of the template's labels"
    for name in _ADMITTED_BY:
        if name in labels:
            yield f"a webhook acts on Pods with the label {name}, {off}"
    for container in objects.containers(template):
        for one in objects.dig(container, "env", default=[]):
            if _is_label(objects.dig(one, "valueFrom", "fieldRef")):
                yield f"container {container.get('name')} reads a label of its Pod ({off[4:]})"
    for volume in objects.dig(template, "spec", "volumes", default=[]):
        if any(_is_label(item.get("fieldRef")) for item in _items(volume)):
            yield f"volume {volume.get('name')} shows labels of its Pod ({off[4:]})"
    affinity = objects.dig(template, "spec", "affinity", "podAffinity", _REQUIRED, default=[])
    for term in affinity:
        if objects.selects(objects.dig(term, "labelSelector"), labels):
            yield f"its required affinity asks for Pods with its own labels, {off}"


def _items(volume: Object) -> Iterator[Object]:
    """Yield what a volume of the downward API shows, by itself or projected."""
    yield from objects.dig(volume, "downwardAPI", "items", default=[])
    for source in objects.dig(volume, "projected", "sources", default=[]):
        yield from objects.dig(source, "downwardAPI", "items", default=[])


def _is_label(reference: Object | None) -> bool:
    return str(objects.dig(reference, "fieldPath", default="")).startswith("metadata.labels")
