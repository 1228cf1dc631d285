"""OpenShift's image triggers: whose image is set again, and the command that pauses one.

Source: openshift/oc, pkg/cli/set/triggers.go (NewAnnotationTriggers, updateTriggers). There
`--manual` alone pauses the whole Deployment (measured): the trigger must be named.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.model import Object

ANNOTATION = "image.openshift.io/triggers"
_FIELD = (
    r"spec\.template\.spec\.containers"
    r"""\[(?:(\d{1,3})|\?\(@\.name==\s*["'](.+)["']\s*\))\]\.image"""
)


class Trigger(Struct, frozen=True, kw_only=True):
    """A trigger that is not paused; `container` is empty where its path tells none."""

    source: str
    container: str


def active(workload: Object) -> tuple[Trigger, ...]:
    """Return the triggers that set an image again; raise ValueError where that cannot be read."""
    text = str(objects.annotations_of(workload).get(ANNOTATION, ""))
    try:
        listed = json.loads(text) if text else []
        return tuple(
            Trigger(source=_source(one), container=_container(workload, one))
            for one in listed
            if str(one.get("paused", "")).lower() != "true"
        )
    except (AttributeError, TypeError, RecursionError):
        raise ValueError("not a list of triggers") from None


def pause(workload: Object, trigger: Trigger) -> str:
    """Return the command that pauses one trigger, or shows all where it cannot be named."""
    namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
    words = ["oc", "set", "triggers", f"deploy/{objects.name(workload)}"]
    if trigger.source and trigger.container:
        words += ["--from-image", trigger.source, "-c", trigger.container, "--manual"]
    return shlex.join([*words, *(["-n", namespace] if namespace else [])])


def _source(trigger: Object) -> str:
    name, namespace = (objects.dig(trigger, "from", k, default="") for k in ("name", "namespace"))
    return f"{namespace}/{name}" if name and namespace else str(name)


def _container(workload: Object, trigger: Object) -> str:
    found = re.fullmatch(_FIELD, str(objects.dig(trigger, "fieldPath", default="")))
    if found is None:
        return ""
    if found[2]:
        return found[2]
    path = ("spec", "template", "spec", "containers", int(found[1]), "name")
    return str(objects.dig(workload, *path, default=""))
