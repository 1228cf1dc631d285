"""snapshot + policy + findings -> Plan | Refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.checks import lines
from backout.core.checks.breaker import (
    LEDGER_DENIED,
    PATCH_DENIED,
    UNDER_WAY,
    beyond_limit,
)
from backout.core.history import revisions
from backout.core.history.choice import NoChoice, choose
from backout.core.kubernetes import template
from backout.core.ledger.records import Ledger, by_op, lock
from backout.core.model import Finding, Revision, Severity, Skipped
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Preflight, Snapshot

_LONGEST_REASON = 1000


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
    snapshot: Snapshot
    preflight: Preflight | None
    handed_over: Revision | None = None


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
        snapshot=preflight.snapshot,
        preflight=preflight,
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
        snapshot=snapshot,
        preflight=None,
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


def next_candidate(preflight: Preflight, now: Snapshot) -> str:
    """Return where to go after a rollback that failed, as a sentence with the line to run.

    Neither where it came from nor where it went. `now` is the workload after it, with its ledger,
    in which this rollback stands.
    """
    tried, policy = preflight.destination, preflight.policy
    before = preflight.snapshot.workload["spec"]["template"]
    known = now.known
    failed = "its rollout failed just now"
    bad = {
        **known.bad,
        tried.hash: failed,
        preflight.origin.hash: failed,
        template.digest(before): "rolled back",
    }
    choice = choose(now.revisions, replace(known, bad=bad), wanted=before)
    line = lines.of("backout undo", policy, now, "--to-revision")
    if not isinstance(choice, NoChoice):
        number = choice.revision.number
        beyond = beyond_limit(now, policy)
        words = f"try the next candidate, revision {number} ({choice.why}){beyond.words}"
        return f"{words}: {line} {number}{beyond.flags}"
    source = revisions.current(preflight.revisions)
    if source is None:
        return "no other revision is left: deploy the last good version again from its source"
    return f"no other revision is left; return to where it was before: {line} {source.number}"


def way_on(policy: Request, blocks: Sequence[Finding]) -> str:
    """Return the exact command line that goes on anyway; empty where a block cannot be lifted."""
    if not all(b.acceptable for b in blocks):
        return ""
    lifts = {b.id: ("--accept", b.id) if b.lifted_by is None else b.lifted_by for b in blocks}
    words = [*policy.program.split(), *policy.command]
    more = [w for one in sorted(lifts) for w in lifts[one]]
    needs_reason = not policy.reason and not all(b.lifted_by for b in blocks)
    # What stands behind `--` is no option.
    end = words.index("--") if "--" in words else len(words)
    parts = [
        lines.joined([*words[:end], *more]),
        *(["--reason 'WHY'"] if needs_reason else []),
        *([lines.joined(words[end:])] if words[end:] else []),
    ]
    return " ".join(parts)


def _outage(snapshot: Snapshot) -> str:
    """Return what refusing leaves, where no Pod of the workload is Ready; else empty."""
    is_seen = Need.PODS not in snapshot.unreadable
    if snapshot.pace.replicas and is_seen and not any(r.ready for r in snapshot.revisions):
        return f"no Pod of {snapshot.target} is Ready: refusing leaves the outage as it is"
    return ""
