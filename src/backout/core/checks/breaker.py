"""PF8xx: may we, and have we done so too often? The lock, the limit, the permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from backout.core.checks import lines
from backout.core.checks.check import Check, Fact, finding
from backout.core.health.judgement import Answer
from backout.core.history import revisions
from backout.core.ledger import breaker, once
from backout.core.ledger.edits import side
from backout.core.ledger.foreign import Foreign, rollbacks
from backout.core.ledger.records import Ledger, Lock, State, UnreadableLedger, by_op, called, lock
from backout.core.model import Finding, Severity
from backout.core.preflight.snapshot import Need, Preflight, Snapshot
from backout.core.rights import permissions
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from backout.core.preflight.request import Request

LIMIT_ID = "PF801"
RATE_LIMIT = "rollback rate limit exceeded — manual intervention required"
"""The product's own wording; scripts rely on it behind `ERROR: `."""


def too_many_rollbacks(preflight: Preflight) -> Iterator[Fact]:
    """More than the allowed rollbacks in the window: going round in circles."""
    ledger = preflight.snapshot.ledger
    policy, now = preflight.policy, preflight.snapshot.now
    if not isinstance(ledger, Ledger) or _is_way_back(preflight, ledger):
        return
    state = _judged(preflight.snapshot, policy)
    if isinstance(state, breaker.Open):
        ours = [
            f"{span(now, since=r.intent_at)} ago {called(r.source.revision)} -> "
            f"{r.destination.revision} by {r.actor}: {r.state.lower()}"
            for r in state.counted
        ]
        theirs = [f"{span(now, since=t)} ago by kubectl, without backout" for t in state.others]
        told = "; ".join([*ours, *theirs])
        yield Fact(
            message=RATE_LIMIT,
            detail=f"{len(ours) + len(theirs)} rollbacks in the last "
            f"{span(now, since=now - policy.window)}, {policy.limit} allowed; {told}; "
            f"the next is allowed at {state.until:%Y-%m-%dT%H:%M:%SZ}, "
            f"in {span(state.until, since=now)}",
            remedy="find out first why one rollback was not enough: "
            + lines.of("backout explain", policy, preflight.snapshot),
            risk="the cause may lie outside the Pod template: a rollback would not mend it",
        )


class Beyond(NamedTuple):
    """What one more rollback needs: words that follow others, and what its line ends with."""

    words: str = ""
    flags: str = ""


def beyond_limit(snapshot: Snapshot, policy: Request) -> Beyond:
    """Return what one more rollback would need; empty where it needs nothing."""
    if isinstance(_judged(snapshot, policy), breaker.Open):
        return Beyond(
            words=f"; more than {policy.limit} rollbacks in "
            f"{span(snapshot.now, since=snapshot.now - policy.window)}, so say why",
            flags=f" --accept {LIMIT_ID} --reason 'WHY'",
        )
    return Beyond()


def _judged(snapshot: Snapshot, policy: Request) -> breaker.Closed | breaker.Open:
    ledger = snapshot.ledger
    if not isinstance(ledger, Ledger):
        return breaker.Closed(counted=())
    proven = _foreign(snapshot).proven_at
    return breaker.judge(
        ledger.records,
        now=snapshot.now,
        limit=policy.limit,
        window=policy.window,
        others=() if proven is None else (proven,),
    )


def _is_way_back(preflight: Preflight, ledger: Ledger) -> bool:
    """Tell whether the target is where the last rollback came from, which did not succeed."""
    here = side(0, preflight.snapshot.workload["spec"]["template"])
    there = side(preflight.destination.number, preflight.destination.template)
    return breaker.is_way_back(ledger.records, source=here, to=there)


def rolled_back_and_well(preflight: Preflight) -> Iterator[Fact]:
    """A rollback led here long ago, and the service is well: nothing needs undoing."""
    snapshot, policy = preflight.snapshot, preflight.policy
    ledger, now = snapshot.ledger, revisions.current(preflight.revisions)
    if not isinstance(ledger, Ledger) or now is None or policy.reason:
        return
    if policy.is_named or now.ready < preflight.replicas:
        return
    found = once.standing(
        ledger, snapshot.workload, snapshot.kind, now=snapshot.now, window=policy.window
    )
    is_unwell = any(s.answer is Answer.UNWELL for s in snapshot.baseline)
    if isinstance(found, once.Back) and not is_unwell:
        record = found.record
        yield Fact(
            message=f"{snapshot.target} was rolled back to revision {now.number} "
            f"{span(snapshot.now, since=record.intent_at)} ago, and all its Pods are Ready",
            detail=f"by {record.actor}, from {called(record.source.revision)}",
            remedy="say why it is to go further back: --reason TEXT",
            risk="a service that works is taken to an older revision",
        )


def rollbacks_without_us(preflight: Preflight) -> Iterator[Fact]:
    """Revisions that were made current again, and no record says by whom."""
    found = _foreign(preflight.snapshot)
    if found.count:
        names = ", ".join(map(str, found.revisions))
        times = "once" if found.count == 1 else f"{found.count} times"
        now = preflight.snapshot.now
        counts = "nothing proves when, so it does not count towards the limit"
        if found.proven_at is not None:
            when = span(now, since=found.proven_at)
            counts = f"the newest counts towards the limit: kubectl wrote it {when} ago"
        yield Fact(
            message=f"rolled back without backout {times}: revision {names} was made current again "
            "by kubectl or by deploying it again",
            detail=counts,
            remedy="ask who did, before going round in a circle",
        )


def _foreign(snapshot: Snapshot) -> Foreign:
    ledger = snapshot.ledger
    if not isinstance(ledger, Ledger):
        return Foreign(count=0)
    return rollbacks(snapshot.workload, snapshot.revisions, ledger)


def another_rollback_is_under_way(preflight: Preflight) -> Iterator[Fact]:
    """The Lease is held and its holder is alive: two at once would fight."""
    yield from under_way(preflight.snapshot, preflight.policy)


def under_way(snapshot: Snapshot, policy: Request) -> Iterator[Fact]:
    """Yield who holds the lock, where somebody does; asked before a target is chosen, too.

    The open record of a rollback under way makes its source look bad and its target current.
    """
    held, now = lock(snapshot.lease), snapshot.now
    if held.is_held(now):
        yield Fact(
            message=held_by(held, snapshot.ledger, now),
            detail="a lock whose holder has died expires "
            f"{held.duration.total_seconds():.0f} s after its last sign of life",
            remedy="wait for it (--wait-lock 5m); if you know that it has died: "
            + lines.of("backout resume", policy, snapshot, "--take-over"),
        )


def held_by(held: Lock, ledger: Ledger | UnreadableLedger, now: datetime) -> str:
    """Return who holds the lock, since when, and in which step; `now` is the server's time."""
    holder = ledger.holder if isinstance(ledger, Ledger) else None
    who, step = held.holder, ""
    if isinstance(ledger, Ledger) and holder is not None and holder.op == held.holder:
        who = f"{holder.actor} on {holder.host}"
        record = by_op(ledger, holder.op)
        step = f", {_STEPS.get(record.state, 'closing')}" if record else ", settling another run's"
    since = f" for {span(now, since=held.acquired)}" if held.acquired else ""
    return f"another rollback is under way: {who} has held the lock{since}{step}"


_STEPS = {
    State.INTENT: "about to patch (INTENT)",
    State.APPLIED: "watching the rollout (APPLIED)",
}


def ledger_is_unreadable(preflight: Preflight) -> Iterator[Fact]:
    """A ledger that cannot be understood is never overwritten."""
    ledger = preflight.snapshot.ledger
    if isinstance(ledger, UnreadableLedger):
        yield Fact(
            message=f"the ledger cannot be read: {ledger.why}",
            remedy="use the backout that wrote it, or look at the Lease's annotation "
            "backout.dev/ledger",
        )


def patch_is_not_allowed(preflight: Preflight) -> Iterator[Fact]:
    """Without `patch` nothing can be done; without `watch` its end could not be told."""
    kind = preflight.snapshot.kind
    yield from _denied(preflight, permissions.workload(kind), kind.resource.plural, "")


def lease_is_not_allowed(preflight: Preflight) -> Iterator[Fact]:
    """Without Leases there is neither lock nor breaker nor memory that others see."""
    if not preflight.policy.ledger_is_local:
        why = ": backout keeps its lock and its record in a Lease"
        instead = "; or --ledger local, a file that protects this machine only"
        yield from _denied(preflight, permissions.LEDGER, "leases", why, instead)


def _denied(
    preflight: Preflight,
    needed: Iterable[permissions.Permission],
    resource: str,
    why: str,
    instead: str = "",
) -> Iterator[Fact]:
    told = preflight.snapshot.permissions
    denied = [str(p) for p in needed if told.get(str(p)) is False]
    if denied:
        yield Fact(
            message=f"you may not {', '.join(denied)} in namespace "
            f"{preflight.snapshot.target.namespace}{why}",
            remedy=permissions.remedy(resource, preflight.snapshot.kind) + instead,
        )


TOO_MANY = Check(
    id=LIMIT_ID,
    severity=Severity.BLOCK,
    title="more rollbacks than allowed in the window",
    find=too_many_rollbacks,
    needs=frozenset({Need.LEDGER}),
)

UNREADABLE = Check(
    id="PF805",
    severity=Severity.BLOCK,
    title="the ledger cannot be read",
    find=ledger_is_unreadable,
    needs=frozenset({Need.LEDGER}),
    acceptable=False,
)

BACK_AND_WELL = Check(
    id="PF807",
    severity=Severity.BLOCK,
    title="rolled back before, and well now",
    find=rolled_back_and_well,
    needs=frozenset({Need.LEDGER, Need.PODS}),
    lifted_by=(),
)

UNDER_WAY = Check(
    id="PF802",
    severity=Severity.BLOCK,
    title="another rollback is under way",
    find=another_rollback_is_under_way,
    needs=frozenset({Need.LEDGER}),
    acceptable=False,
)

PATCH_DENIED = Check(
    id="PF803",
    severity=Severity.BLOCK,
    title="not allowed to patch the workload",
    find=patch_is_not_allowed,
    needs=frozenset({Need.PERMISSIONS, Need.INTENT}),
    acceptable=False,
)

LEDGER_DENIED = Check(
    id="PF804",
    severity=Severity.BLOCK,
    title="not allowed to keep the ledger",
    find=lease_is_not_allowed,
    needs=frozenset({Need.PERMISSIONS, Need.INTENT}),
    acceptable=False,
)

CHECKS = (
    TOO_MANY,
    UNDER_WAY,
    PATCH_DENIED,
    LEDGER_DENIED,
    UNREADABLE,
    Check(
        id="PF806",
        severity=Severity.WARN,
        title="rolled back without backout",
        find=rollbacks_without_us,
        needs=frozenset({Need.LEDGER}),
    ),
    BACK_AND_WELL,
)


def of_the_lock(preflight: Preflight) -> tuple[Finding, ...]:
    """Return what the ledger in the snapshot forbids, whatever else could not be read."""
    checks = (TOO_MANY, UNDER_WAY, UNREADABLE)
    return tuple(finding(check, fact) for check in checks for fact in check.find(preflight))
