"""What the next deploy does: which template it brings, and what it meets if nothing is healed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from backout.core.heal import field_sets, hand_back, last_applied
from backout.core.heal.places import How, differences, holds
from backout.core.kubernetes.template import images, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.heal.places import Differing
    from backout.core.model import Object

SHOWN = 3
"""So many places are named; of the others the number is."""


class Brings(StrEnum):
    """Which template what was applied last would bring, were it applied again as it is."""

    TARGET = "target"
    CURRENT = "current"
    OTHER = "other"
    UNKNOWN = "unknown"


def by_client(workload: Object, target: Object) -> Brings:
    """Return what the manifest of the last client-side apply would bring."""
    applied = last_applied.applied_template(workload)
    if applied is None:
        return Brings.UNKNOWN
    manifest = normalise(applied)
    if holds(manifest, normalise(target)):
        return Brings.TARGET
    is_live = holds(manifest, normalise(workload["spec"]["template"]))
    return Brings.CURRENT if is_live else Brings.OTHER


def by_server(workload: Object, target: Object, manager: str) -> Brings:
    """Return what an applier's manifest would bring, as far as its fields tell."""
    after = {"spec": {"template": target}}
    for owned in hand_back.owners_of(workload):
        if (owned.manager, owned.operation) != (manager, hand_back.APPLY):
            continue
        paths = field_sets.under(owned.paths, hand_back.TEMPLATE)
        inner = {parent for p in paths for parent in field_sets.parents(p, below=1)}
        for path in paths:
            now, then = (field_sets.value_at(o, path) for o in (workload, after))
            is_there = then is not field_sets.ABSENT
            if not is_there or (path not in inner and now != then):
                return Brings.CURRENT
    return Brings.TARGET


def new_images(workload: Object, target: Object) -> str:
    """Return the images that run now and would not after the rollback, in words; may be empty."""
    now, then = images(workload["spec"]["template"]), images(target)
    return ", ".join(dict.fromkeys(i for c, i in now.items() if then.get(c) != i))


def client_harm(workload: Object, target: Object) -> str:
    """Return what a corrected client-side apply meets where nothing is healed; empty for nothing.

    What the bad manifest had dropped stays for good, and where it had put one of several fields
    that exclude each other in another's place, both would be there.
    """
    found = differences(target, workload["spec"]["template"])
    back = [p for p in found if p.how is How.BACK]
    if not back:
        return ""
    choices = [p for p in back if p.is_choice]
    refused = f", and be refused (422) where it sets another field in place of {named(choices)}"
    return f"a corrected deploy would keep {named(back)}{refused if choices else ''}"


def server_harm(workload: Object, target: Object) -> str:
    """Return what a corrected server-side apply meets where nothing is healed."""
    found = differences(target, workload["spec"]["template"])
    taken = [p for p in found if p.how is not How.GONE]
    if not taken:
        return ""
    back = [p for p in taken if p.how is How.BACK]
    kept = f"; with --force-conflicts it would keep {named(back)}" if back else ""
    conflict = f"a corrected deploy would meet a conflict with backout over {named(taken)}"
    return f"{conflict}{kept}"


def named(places: Iterable[Differing]) -> str:
    """Return the first places, and how many others there are."""
    words = [p.words for p in places]
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
