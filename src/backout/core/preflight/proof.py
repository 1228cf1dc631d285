"""What shows that a revision works, in words: recorded, live, rehearsed (docs/choice.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.health import asking
from backout.core.health.endpoints import Endpoint, NotAsked
from backout.core.health.judgement import Answer
from backout.core.history.choice import UNPROVEN
from backout.core.kubernetes import objects
from backout.core.preflight.rehearsal import Rehearsed
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backout.core.health.judgement import Sample
    from backout.core.history.choice import Choice
    from backout.core.model import Object, Revision
    from backout.core.preflight.snapshot import Snapshot


def shown(choice: Choice, snapshot: Snapshot, asked: Sequence[Endpoint | NotAsked]) -> Choice:
    """Return the choice with what its running Pods were found to say beside why it was made."""
    said = live(choice.unpinned or choice.revision, asked, snapshot.pod_health, snapshot.now)
    return replace(choice, why=f"{choice.why}; {said}") if said else choice


def rehearsed(choice: Choice, snapshot: Snapshot) -> Choice:
    """Return the choice with what its rehearsal proved.

    What is known to be bad stays unproven: that it starts is not what was wrong with it.
    """
    found = snapshot.rehearsal
    if not isinstance(found, Rehearsed):
        return choice
    why = f"{choice.why.replace(UNPROVEN, '')}; rehearsed just now: {found.words}"
    is_bad = choice.revision.hash in snapshot.known.bad
    return replace(choice, why=why, proven=choice.proven or not is_bad)


def live(
    revision: Revision,
    asked: Sequence[Endpoint | NotAsked],
    samples: Sequence[Sample],
    now: datetime,
) -> str:
    """Return what speaks for the Pods that run, empty where nothing does.

    Answers that are not all well are for the checks to tell. Where the probe is not HTTP, or
    cannot be asked as the kubelet asks, its own answer is the evidence: the Ready condition, and
    since when.
    """
    probe = next((one.probe for one in asked if isinstance(one, NotAsked)), "")
    misasked = next((s.detail for s in samples if s.is_misasked), "")
    if samples and all(s.answer is Answer.WELL for s in samples):
        where = ", ".join(f"{e.path} of {e.port}" for e in asked if isinstance(e, Endpoint))
        told = _pods(len(samples), asking.out_of(revision.pods, len(samples)))
        return f"{told} well now, on {where}"
    if any(s.answer is not Answer.WELL and not s.is_misasked for s in samples):
        return ""
    probe = "HTTP" if misasked else probe
    if not probe:
        return ""
    since = [t for p in revision.pods if objects.is_ready(p) and (t := _ready_since(p)) is not None]
    if not since:
        return ""
    told = f" (asked by backout: {misasked})" if misasked else ""
    return f"Ready for {span(now, since=min(since))} by the kubelet's own {probe} probe{told}"


def _pods(count: int, out_of: str) -> str:
    if out_of:
        return f"{out_of} Pods, and all answer"
    return "its Pod answers" if count == 1 else f"all {count} Pods answer"


def _ready_since(pod: Object) -> datetime | None:
    return objects.timestamp(objects.dig(objects.condition(pod, "Ready"), "lastTransitionTime"))
