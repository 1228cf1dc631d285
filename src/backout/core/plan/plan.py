"""snapshot + policy + findings -> Plan | Refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from backout.core.checks import lines
from backout.core.checks.breaker import (
    BACK_AND_WELL,
    LEDGER_DENIED,
    PATCH_DENIED,
    UNDER_WAY,
    under_way,
)
from backout.core.checks.check import Check, Fact, finding
from backout.core.checks.history import BARRIER, PAUSED, barrier_fact
from backout.core.checks.relevance import RISKED
from backout.core.history import revisions
from backout.core.history.choice import Choice, NoChoice, asked_for, choose
from backout.core.images import names
from backout.core.kubernetes import template
from backout.core.ledger.records import Ledger, by_op, lock
from backout.core.model import Finding, Revision, Severity, Skipped
from backout.core.plan import absent
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.model import Object
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Preflight, Snapshot

ALREADY_THERE = "already on target revision"
"""The product's own wording; scripts rely on it."""

_LONGEST_REASON = 1000
_LIFTED = {PAUSED: ("--unpause",), RISKED: (), BACK_AND_WELL.id: ()}
"""Findings that are not accepted by their id: what lifts them, beside the reason."""


class Plan(Struct, frozen=True, kw_only=True):
    """What will be done, and everything that was found on the way; `accepted` was gone past."""

    preflight: Preflight
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    accepted: tuple[Finding, ...]

    @property
    def reason(self) -> str:
        """Why, for the record: the run's own reason, and a standing one of each finding."""
        policy, passed = self.preflight.policy, {f.id for f in self.accepted}
        standing = [a for a in policy.accepted if a.id in passed and a.reason != policy.reason]
        words = [policy.reason, *(f"{a.id}: {a.reason}" for a in standing)]
        return "; ".join(w for w in words if w)[:_LONGEST_REASON]


class Refusal(Struct, frozen=True, kw_only=True):
    """Nothing will be changed. `way_on` is the line that goes on anyway, empty if there is none.

    `outage` says what refusing leaves, empty where Pods are Ready; `preflight` is None where no
    target could be chosen. `handed_over` is the revision that somebody who may patch could go to
    now, None where that would not be safe.
    """

    findings: tuple[Finding, ...]
    blocks: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    way_on: str
    outage: str
    preflight: Preflight | None
    workload: Object | None = None
    handed_over: Revision | None = None


def _nothing(_: Preflight) -> tuple[Fact, ...]:
    return ()


NO_SUCH_REVISION = Check(
    id="PF101",
    severity=Severity.BLOCK,
    title="no such revision",
    find=_nothing,
    acceptable=False,
)
ON_TARGET = Check(
    id="PF102",
    severity=Severity.BLOCK,
    title="already on the target revision",
    find=_nothing,
    acceptable=False,
)
NO_HISTORY = Check(
    id="PF103",
    severity=Severity.BLOCK,
    title="no rollout history",
    find=_nothing,
    acceptable=False,
)
NOTHING_TO_GO_BACK_TO = Check(
    id="PF104",
    severity=Severity.BLOCK,
    title="nothing to go back to",
    find=_nothing,
    acceptable=False,
)
NONE_RECORDED = Check(
    id="PF113",
    severity=Severity.BLOCK,
    title="no other revision was recorded healthy",
    find=_nothing,
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


def decide(
    preflight: Preflight, findings: Sequence[Finding], skipped: Sequence[Skipped]
) -> Plan | Refusal:
    """Return the plan, or the refusal where a BLOCK was found that is not accepted."""
    accepted_ids = {a.id for a in preflight.policy.accepted}
    accepted = tuple(f for f in findings if f.id in accepted_ids and f.acceptable)
    refusing = {Severity.BLOCK, *([Severity.WARN] if preflight.policy.strict else [])}
    blocks = tuple(f for f in findings if f.severity in refusing and f not in accepted)
    if not blocks:
        return Plan(
            preflight=preflight,
            findings=tuple(findings),
            skipped=tuple(skipped),
            accepted=accepted,
        )
    return Refusal(
        findings=tuple(findings),
        blocks=blocks,
        skipped=tuple(skipped),
        way_on=way_on(preflight.policy, blocks),
        outage=_outage(preflight.snapshot),
        preflight=preflight,
        workload=preflight.snapshot.workload,
        handed_over=preflight.destination if _only_permission(blocks) else None,
    )


def refuse(snapshot: Snapshot, found: Finding) -> Refusal:
    """Return the refusal for a target that could not be chosen."""
    return Refusal(
        findings=(found,),
        blocks=(found,),
        skipped=(),
        way_on="",
        outage=_outage(snapshot),
        preflight=None,
        workload=snapshot.workload,
        handed_over=_holders_target(snapshot) if found.id == UNDER_WAY.id else None,
    )


def _only_permission(blocks: Sequence[Finding]) -> bool:
    """Tell whether nothing stands against the patch but who sends it."""
    ids = {b.id for b in blocks}
    return PATCH_DENIED.id in ids and ids <= {PATCH_DENIED.id, LEDGER_DENIED.id}


def _holders_target(snapshot: Snapshot) -> Revision | None:
    """Return where the holder of the lock wants to go, if its PATCH has not landed."""
    ledger = snapshot.ledger
    record = by_op(ledger, lock(snapshot.lease).holder) if isinstance(ledger, Ledger) else None
    if record is None or record.source.hash != template.digest(
        snapshot.workload["spec"]["template"]
    ):
        return None
    return next((r for r in snapshot.revisions if r.hash == record.destination.hash), None)


def next_candidate(preflight: Preflight) -> str:
    """Return where to go after a rollback that failed, as a sentence with the line to run.

    Neither where it came from nor where it went.
    """
    snapshot, tried = preflight.snapshot, preflight.destination
    wanted = template.digest(snapshot.workload["spec"]["template"])
    known = snapshot.known
    failed = "its rollout failed just now"
    bad = {
        **known.bad,
        tried.hash: failed,
        preflight.origin.hash: failed,
        wanted: "rolled back",
    }
    choice = choose(
        preflight.revisions,
        replace(known, bad=bad),
        wanted=snapshot.workload["spec"]["template"],
    )
    line = lines.of("backout undo", preflight.policy, snapshot, "--to-revision")
    if not isinstance(choice, NoChoice):
        number = choice.revision.number
        return f"next candidate: revision {number}, {choice.why}: {line} {number}"
    source = revisions.current(preflight.revisions)
    if source is None:
        return "no other revision is left: deploy the last good version again from its source"
    return f"no other revision is left; back to where it was: {line} {source.number}"


def way_on(policy: Request, blocks: Sequence[Finding]) -> str:
    """Return the exact command line that goes on anyway; empty where a block cannot be lifted."""
    if not all(b.acceptable for b in blocks):
        return ""
    ids = sorted({b.id for b in blocks})
    words = [*policy.program.split(), *policy.command]
    more = [w for one in ids for w in _LIFTED.get(one, ("--accept", one))]
    needs_reason = ids != [PAUSED] and not policy.reason
    # What stands behind `--` is no option.
    end = words.index("--") if "--" in words else len(words)
    parts = [
        lines.joined([*words[:end], *more]),
        *(["--reason 'WHY'"] if needs_reason else []),
        *([lines.joined(words[end:])] if words[end:] else []),
    ]
    return " ".join(parts)


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
        remedy="leave --to-last-healthy out, and backout goes by Ready Pods too; after the next "
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


def _outage(snapshot: Snapshot) -> str:
    """Return what refusing leaves, where no Pod of the workload is Ready; else empty."""
    is_seen = Need.PODS not in snapshot.unreadable
    if snapshot.pace.replicas and is_seen and not any(r.ready for r in snapshot.revisions):
        return f"no Pod of {snapshot.target} is Ready: refusing leaves the outage as it is"
    return ""
