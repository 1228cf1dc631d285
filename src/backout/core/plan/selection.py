"""snapshot + policy -> the revision to go to, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.checks import lines
from backout.core.checks.breaker import (
    UNDER_WAY,
    under_way,
)
from backout.core.checks.check import Fact, Objection, finding
from backout.core.checks.history import BARRIER, barrier_fact
from backout.core.history import revisions
from backout.core.history.choice import Choice, NoChoice, asked_for, choose
from backout.core.images import names
from backout.core.kubernetes import template
from backout.core.model import Finding, Revision, Severity
from backout.core.plan import absent
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Snapshot

ALREADY_THERE = "already on target revision"
"""The product's own wording; scripts rely on it."""

NO_SUCH_REVISION = Objection(
    id="PF101",
    severity=Severity.BLOCK,
    title="no such revision",
    acceptable=False,
)
ON_TARGET = Objection(
    id="PF102",
    severity=Severity.BLOCK,
    title="already on the target revision",
    acceptable=False,
)
NO_HISTORY = Objection(
    id="PF103",
    severity=Severity.BLOCK,
    title="no rollout history",
    acceptable=False,
)
NOTHING_TO_GO_BACK_TO = Objection(
    id="PF104",
    severity=Severity.BLOCK,
    title="nothing to go back to",
    acceptable=False,
)
NONE_RECORDED = Objection(
    id="PF113",
    severity=Severity.BLOCK,
    title="no other revision was recorded healthy",
    acceptable=False,
)
CHOICES = (NO_SUCH_REVISION, ON_TARGET, NO_HISTORY, NOTHING_TO_GO_BACK_TO, NONE_RECORDED)
"""Found while the target is chosen: where one holds there is no target to check further."""


def select(snapshot: Snapshot, policy: Request) -> Choice | Finding:
    """Return the revision to go to, its images pinned if asked for, or why there is none."""
    choice = _selected(snapshot, policy)
    if isinstance(choice, Finding) or not policy.pin:
        return choice
    ran = pin.what_ran(snapshot, choice.revision)
    choice = pin.pinned(choice, snapshot.revisions, ran)
    now = template.digest(snapshot.workload["spec"]["template"])
    return _on_target(snapshot, policy, choice.revision) if choice.revision.hash == now else choice


def _selected(snapshot: Snapshot, policy: Request) -> Choice | Finding:
    for fact in under_way(snapshot, policy):
        return finding(UNDER_WAY, fact)
    history = snapshot.revisions
    if policy.to_revision is not None:
        return _asked_for(snapshot, policy, policy.to_revision)
    if not history:
        fact = Fact(
            message=f'no rollout history found for {snapshot.kind.spoken} "{snapshot.target.name}"',
            remedy="deploy it again from its source",
        )
        return finding(NO_HISTORY, fact)
    if policy.to_image:
        return _with_image(snapshot, policy)
    choice = _chosen(snapshot, is_recorded=policy.to_last_healthy)
    if not isinstance(choice, NoChoice):
        return choice
    if choice.beyond is not None:
        return _beyond(snapshot, policy, choice.beyond, choice)
    if policy.to_last_healthy:
        return finding(NONE_RECORDED, _why_none_recorded(snapshot, policy))
    return finding(NOTHING_TO_GO_BACK_TO, _why_none(snapshot, policy, choice))


def _chosen(snapshot: Snapshot, **asked: Any) -> Choice | NoChoice:
    wanted = snapshot.workload["spec"]["template"]
    return choose(snapshot.revisions, snapshot.known, wanted=wanted, **asked)


def _asked_for(snapshot: Snapshot, policy: Request, number: int) -> Choice | Finding:
    history = snapshot.revisions
    revision = revisions.numbered(history, number)
    now = revisions.current(history)
    if revision is None:
        see = f"see what ran when: {lines.of('backout history', policy, snapshot)}"
        fact = Fact(
            message=absent.there_is_no(snapshot, number),
            detail=absent.what_each_changes(snapshot),
            remedy="; ".join(w for w in (absent.meant(snapshot, number), see) if w),
        )
        return finding(NO_SUCH_REVISION, fact)
    if revisions.is_where_we_are(revision, now):
        return _on_target(snapshot, policy, revision)
    return asked_for(revision, snapshot.known, history=history)


def _on_target(snapshot: Snapshot, policy: Request, revision: Revision) -> Finding:
    option = "--to-image" if policy.to_image else "--to-revision"
    fact = Fact(
        message=ALREADY_THERE,
        detail=f"revision {revision.number} is what {snapshot.target} asks for now",
        remedy=f"leave {option} out, and backout chooses the best other one: "
        + lines.chosen_anew(policy, snapshot),
    )
    return finding(ON_TARGET, fact)


def _with_image(snapshot: Snapshot, policy: Request) -> Choice | Finding:
    """Return the best revision with the image that the user named, else the newest with it."""
    history, now = snapshot.revisions, revisions.current(snapshot.revisions)
    found = [
        r
        for r in history
        if any(names.is_named(i, policy.to_image) for i in template.images(r.template).values())
    ]
    others = [r for r in found if not revisions.is_where_we_are(r, now)]
    if not found:
        return finding(NO_SUCH_REVISION, _no_such_image(snapshot, policy))
    if not others:
        return _on_target(snapshot, policy, found[0])
    choice = _chosen(snapshot, only={r.number for r in others})
    if isinstance(choice, NoChoice):
        by = f"--to-image {policy.to_image}"
        return asked_for(others[0], snapshot.known, history=history, by=by)
    return replace(choice, why=f"with image {policy.to_image}: {choice.why}")


def _no_such_image(snapshot: Snapshot, policy: Request) -> Fact:
    there = [
        f"{r.number} ({', '.join(dict.fromkeys(template.images(r.template).values()))})"
        for r in snapshot.revisions
    ]
    return Fact(
        message=f"no revision of {snapshot.target} has an image {policy.to_image}; existing: "
        f"{', '.join(there) or 'none'}",
        remedy=f"see what ran when: {lines.of('backout history', policy, snapshot)}",
    )


def _beyond(snapshot: Snapshot, policy: Request, there: Revision, none: NoChoice) -> Finding:
    """Return that all there is to go to lies beyond a barrier, with the line that goes there."""
    fact = barrier_fact(there, none.barriers)
    words = ("--to-revision", str(there.number), "--accept", BARRIER.id)
    line = lines.chosen_anew(policy, snapshot, *words)
    reason = "" if policy.reason else " --reason 'WHY'"
    return replace(
        finding(BARRIER, fact),
        message=f"every revision to go back to lies beyond a barrier; {fact.message}",
        remedy=f"{fact.remedy}; a person may cross it: {line}{reason}",
        acceptable=False,
    )


def _why_none(snapshot: Snapshot, policy: Request, none: NoChoice) -> Fact:
    others = (*none.known_bad, *none.twins)
    if others:
        newest = str(others[0])
        return Fact(
            message=f"nothing to go back to: {_why_not_others(snapshot, none)}",
            detail=absent.what_each_changes(snapshot),
            remedy=f"if you know that revision {newest} works, roll back to it: "
            + lines.chosen_anew(policy, snapshot, "--to-revision", newest),
        )
    limit = snapshot.workload["spec"].get("revisionHistoryLimit", 10)
    return Fact(
        message=f"nothing to go back to: {snapshot.target} has one revision only "
        f"(revisionHistoryLimit is {limit})",
        remedy="deploy the last good version again from its source",
    )


def _why_not_others(snapshot: Snapshot, none: NoChoice) -> str:
    every = f"every other revision of {snapshot.target}"
    bad, twins = (", ".join(map(str, numbers)) for numbers in (none.known_bad, none.twins))
    alike = "differs from the current one only in annotations that restart Pods or carry checksums"
    if not twins:
        return f"{every} ({bad}) is known to be bad"
    if not bad:
        return f"{every} ({twins}) {alike}"
    return f"{every} is known to be bad ({bad}), or {alike} ({twins})"


def _why_none_recorded(snapshot: Snapshot, policy: Request) -> Fact:
    unread = snapshot.unreadable.get(Need.LEDGER, "")
    return Fact(
        message=f"no other revision of {snapshot.target} was recorded healthy",
        detail=f"the ledger could not be read: {unread}" if unread else "",
        remedy="leave --to-last-healthy out, and backout looks at Ready Pods too; after the next "
        f"good deploy: {lines.of('backout verify', policy, snapshot)}{_mark(snapshot, policy)}",
    )


def _mark(snapshot: Snapshot, policy: Request) -> str:
    """Return how a person who knows better records the revision that would be chosen."""
    choice = _chosen(snapshot)
    if isinstance(choice, NoChoice):
        return ""
    number = choice.revision.number
    words = ("--revision", str(number), "--healthy", "--reason", "WHY")
    line = lines.of("backout ledger mark", policy, snapshot, *words)
    return f"; only if you know that revision {number} works: {line}"
