"""Reads, chooses, asks and checks: everything before the first write, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core import checks
from backout.core.checks.proof import UNPROVEN
from backout.core.difference.words import changes
from backout.core.events.planning import (
    AskedBefore,
    Blocked,
    FindingMade,
    HealAnnounced,
    ImagesPinned,
    KubectlDiffers,
    NotChecked,
    PassedOver,
    TargetChosen,
)
from backout.core.heal.healing import sentences
from backout.core.history import revisions
from backout.core.kubernetes import template
from backout.core.model import Finding, Skipped
from backout.core.plan.plan import Plan, Refusal, decide, refuse
from backout.core.plan.selection import select
from backout.core.preflight import proof
from backout.core.preflight.snapshot import Preflight, Snapshot
from backout.core.rights import permissions
from backout.core.room.startability import must_start
from backout.steps.preflight.inquire import inquire
from backout.steps.reading.read import read
from backout.steps.reading.where import tell_where
from backout.steps.rehearsing.rehearse import rehearse

if TYPE_CHECKING:
    from backout.steps.run import Run


async def prepare(run: Run, snapshot: Snapshot | None = None) -> Plan | Refusal:
    """Return what would be done, or why not. Changes nothing, but for a rehearsal if asked for.

    The `snapshot` is read now where none is given.
    """
    snapshot = snapshot or await read(run)
    choice = select(snapshot, run.policy)
    if isinstance(choice, Finding):
        return refuse(snapshot, choice)
    snapshot = await inquire(run, snapshot, choice)
    preflight = Preflight(
        snapshot=snapshot, policy=run.policy, revisions=snapshot.revisions, choice=choice
    )
    preflight = replace(preflight, choice=proof.shown(choice, snapshot, preflight.endpoints))
    plan = _decided(preflight)
    if not run.policy.rehearse or not _would_go(plan):
        return plan
    snapshot = replace(snapshot, rehearsal=await rehearse(run, preflight))
    chosen = proof.rehearsed(preflight.choice, snapshot)
    return _decided(replace(preflight, snapshot=snapshot, choice=chosen))


def _decided(preflight: Preflight) -> Plan | Refusal:
    findings, skipped = checks.run_all(preflight)
    return decide(preflight, findings, skipped)


def _would_go(plan: Plan | Refusal) -> bool:
    """Tell whether at most a proof is missing: for a refused plan no Pod is started."""
    return isinstance(plan, Plan) or {b.id for b in plan.blocks} <= UNPROVEN


def is_same(one: Plan, other: Plan) -> bool:
    """Tell whether two plans would do the same for the same reasons."""
    return (
        one.preflight.destination.hash == other.preflight.destination.hash
        and template.same(_wanted(one), _wanted(other))
        and {f.id for f in one.findings} == {f.id for f in other.findings}
    )


def tell(run: Run, plan: Plan) -> None:
    """Say where the workload stands, where it will go and why, and everything that was found."""
    tell_choice(run, plan.preflight)
    tell_findings(run, plan.findings, plan.skipped, {f.id for f in plan.accepted})
    for sentence in sentences(plan.preflight.healing):
        run.say(HealAnnounced(message=sentence))


def tell_choice(run: Run, preflight: Preflight) -> None:
    """Say where the workload stands, which revision was chosen and why, and where kubectl goes."""
    tell_where(run, preflight.snapshot)
    wanted = preflight.snapshot.workload["spec"]["template"]
    destination, choice = preflight.destination, preflight.choice
    cause = f"; change-cause: {destination.change_cause}" if destination.change_cause else ""
    images = template.images_in_words(destination.template)
    run.say(
        TargetChosen(
            message=f"target: revision {destination.number}, {choice.why}; {images}{cause}",
            revision=destination.number,
            proven=choice.proven,
            why=choice.why,
            images=template.images(destination.template),
            changes=changes(wanted, destination.template),
            must_start=must_start(preflight.snapshot.pace, ready=destination.ready),
        )
    )
    tell_pinned(run, preflight)
    for number, why in choice.passed_over:
        run.say(PassedOver(message=f"not chosen: revision {number}, {why}", revision=number))
    if choice.kubectl is not None and choice.kubectl != destination.number:
        theirs = revisions.numbered(preflight.revisions, choice.kubectl)
        is_bad = theirs is not None and theirs.hash in preflight.snapshot.known.bad
        which = ", which is known to be bad" if is_bad else ""
        run.say(
            KubectlDiffers(
                message=f"kubectl rollout undo would go to revision {choice.kubectl}{which}",
                revision=choice.kubectl,
            )
        )
    tell_baseline(run, preflight)


def tell_baseline(run: Run, preflight: Preflight) -> None:
    """Say what the service answered before anything was changed."""
    for sample in preflight.snapshot.baseline:
        run.say(
            AskedBefore(
                message=f"{sample.subject}: {sample.detail}",
                subject=sample.subject,
                answer=str(sample.answer),
                status=sample.status,
                milliseconds=sample.milliseconds,
            )
        )


def tell_pinned(run: Run, preflight: Preflight) -> None:
    """Say that pinned images make a revision of their own, and which images they are."""
    if preflight.choice.unpinned is None:
        return
    before = template.images(preflight.origin.template)
    after = template.images(preflight.destination.template)
    images = {c: i for c, i in after.items() if i != before[c]}
    number = preflight.destination.number
    run.say(
        ImagesPinned(
            message=f"pinned: a new revision, not {number}, with the images that revision "
            f"{number} ran: {', '.join(images.values())}",
            revision=number,
            images=images,
        )
    )


def tell_findings(
    run: Run,
    findings: tuple[Finding, ...],
    skipped: tuple[Skipped, ...],
    accepted: set[str],
) -> None:
    """Say each finding and each check that could not be made."""
    for found in findings:
        run.say(
            FindingMade(
                message=found.message,
                id=found.id,
                severity=str(found.severity),
                detail=found.detail,
                remedy=found.remedy,
                accepted=found.id in accepted,
                reason=run.policy.reason if found.id in accepted else "",
            )
        )
    tell_skipped(run, skipped)


def tell_skipped(run: Run, skipped: tuple[Skipped, ...]) -> None:
    """Say each check that could not be made, the permission it lacks, and last how to get it."""
    reasons = list(dict.fromkeys(one.reason for one in skipped))
    denied = {reason: permissions.denied(reason) for reason in reasons}
    last = next((r for r in reversed(reasons) if denied[r]), None)
    for reason in reasons:
        lacks = f" (lacks: {denied[reason]})" if denied[reason] else ""
        run.say(
            NotChecked(
                message=f"not checked: {reason}{lacks}",
                ids=tuple(one.id for one in skipped if one.reason == reason),
                lacks=denied[reason],
                remedy=permissions.ROLE if reason == last else "",
            )
        )


def tell_aim(run: Run, refusal: Refusal) -> None:
    """Say where the workload stands, and where it would have gone if that could be chosen."""
    if refusal.preflight is not None:
        tell_choice(run, refusal.preflight)
    else:
        tell_where(run, refusal.snapshot)


def tell_refusal(run: Run, refusal: Refusal) -> None:
    """Say what blocks, what else was found, and the line that goes on anyway."""
    others = tuple(f for f in refusal.findings if f not in refusal.blocks)
    tell_findings(run, others, refusal.skipped, set())
    for block in refusal.blocks:
        run.say(
            Blocked(
                message=block.message,
                id=block.id,
                detail=block.detail,
                remedy=block.remedy,
                risk=block.risk,
                acceptable=block.acceptable,
            )
        )


def _wanted(plan: Plan) -> dict[str, object]:
    return dict(plan.preflight.snapshot.workload["spec"]["template"])
