"""PF8xx: may we, and have we done so too often? The lock, the limit, the permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core import breaker, permissions
from backout.core.checks.check import Check, Fact
from backout.core.ledger import Ledger, UnreadableLedger, lock
from backout.core.model import Severity
from backout.core.snapshot import Need, Preflight, Snapshot
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RATE_LIMIT = "rollback rate limit exceeded — manual intervention required"
"""The product's own wording; scripts rely on it behind `ERROR: `."""


def too_many_rollbacks(preflight: Preflight) -> Iterator[Fact]:
    """More than the allowed rollbacks in the window: going round in circles."""
    ledger = preflight.snapshot.ledger
    policy, now = preflight.policy, preflight.snapshot.now
    if not isinstance(ledger, Ledger):
        return
    state = breaker.judge(ledger.records, now=now, limit=policy.limit, window=policy.window)
    if isinstance(state, breaker.Open):
        told = "; ".join(
            f"{span(now, since=r.intent_at)} ago revision {r.source.revision} -> "
            f"{r.destination.revision} by {r.actor} ({r.state})"
            for r in state.counted
        )
        yield Fact(
            message=RATE_LIMIT,
            detail=f"{len(state.counted)} in the last {span(now, since=now - policy.window)}, "
            f"{policy.limit} allowed: {told}; it closes again at {state.until:%Y-%m-%dT%H:%M:%SZ}",
            remedy="find out why the rollbacks did not help before making another",
            risk="one more rollback that does not help; the cause is likely elsewhere",
        )


def another_rollback_is_under_way(preflight: Preflight) -> Iterator[Fact]:
    """The Lease is held and its holder is alive: two at once would fight."""
    yield from under_way(preflight.snapshot)


def under_way(snapshot: Snapshot) -> Iterator[Fact]:
    """Yield who holds the lock, where somebody does; asked before a target is chosen, too.

    The open record of a rollback under way makes its source look bad and its target current.
    """
    held, now = lock(snapshot.lease), snapshot.now
    if held.holder and not held.is_expired(now):
        ledger = snapshot.ledger
        record = (
            next((r for r in ledger.records if r.op == held.holder), None)
            if isinstance(ledger, Ledger)
            else None
        )
        who = f"{record.actor} on {record.host}" if record else held.holder
        since = f" for {span(now, since=held.acquired)}" if held.acquired else ""
        yield Fact(
            message=f"another rollback is under way: {who} has held the lock{since}"
            + (f", in state {record.state}" if record else ""),
            remedy="wait for it; a lock whose holder has died expires "
            f"{held.duration.total_seconds():.0f} s after its last sign of life",
        )


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
    yield from _denied(preflight, permissions.WORKLOAD, "deployments", "")


def lease_is_not_allowed(preflight: Preflight) -> Iterator[Fact]:
    """Without Leases there is neither lock nor breaker nor memory."""
    why = ": backout keeps its lock and its record in a Lease"
    yield from _denied(preflight, permissions.LEDGER, "leases", why)


def _denied(
    preflight: Preflight, needed: Iterable[permissions.Permission], resource: str, why: str
) -> Iterator[Fact]:
    told = preflight.snapshot.permissions
    denied = [str(p) for p in needed if told.get(str(p)) is False]
    if denied:
        yield Fact(
            message=f"you may not {', '.join(denied)} in namespace "
            f"{preflight.snapshot.target.namespace}{why}",
            remedy=permissions.remedy(resource),
        )


UNDER_WAY = Check(
    id="PF802",
    severity=Severity.BLOCK,
    title="another rollback is under way",
    find=another_rollback_is_under_way,
    needs=frozenset({Need.LEDGER}),
    acceptable=False,
)

CHECKS = (
    Check(
        id="PF801",
        severity=Severity.BLOCK,
        title="more rollbacks than allowed in the window",
        find=too_many_rollbacks,
        needs=frozenset({Need.LEDGER}),
    ),
    UNDER_WAY,
    Check(
        id="PF803",
        severity=Severity.BLOCK,
        title="not allowed to patch the workload",
        find=patch_is_not_allowed,
        needs=frozenset({Need.PERMISSIONS}),
        acceptable=False,
    ),
    Check(
        id="PF804",
        severity=Severity.BLOCK,
        title="not allowed to keep the ledger",
        find=lease_is_not_allowed,
        needs=frozenset({Need.PERMISSIONS}),
        acceptable=False,
    ),
    Check(
        id="PF805",
        severity=Severity.BLOCK,
        title="the ledger cannot be read",
        find=ledger_is_unreadable,
        needs=frozenset({Need.LEDGER}),
        acceptable=False,
    ),
)
