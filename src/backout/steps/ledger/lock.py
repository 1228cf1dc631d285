"""Takes the lock and writes the intent: one compare-and-swap, judged on what it replaces.

An expired lock means that the successor recovers first, never that it may simply proceed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.checks import CHECKS
from backout.core.checks.check import run as run_check
from backout.core.errors import Unreachable
from backout.core.history import revisions
from backout.core.kubernetes import objects, template
from backout.core.ledger import records
from backout.core.ledger.records import Record, Side, State
from backout.core.model import Finding, Severity, Skipped
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.value import dataclass
from backout.steps.ledger.lease import ATTEMPTS, Held, Seen, put, see
from backout.steps.ledger.recover import settle_all

if TYPE_CHECKING:
    from backout.core.plan.plan import Plan
    from backout.steps.run import Run

A_DAY = timedelta(days=1)
"""What counts for the breaker is kept so long, for others with a longer window than ours."""


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What others had left open was settled first; a plan made before knows nothing of it."""


async def take(
    run: Run, plan: Plan, *, deadline: timedelta
) -> Held | Recovered | tuple[Finding, ...]:
    """Take the lock and append the INTENT; return what forbids it where something does.

    The breaker and the lock are judged again on the ledger that the write replaces, so that of two
    runs exactly one gets through. `deadline` is the time that the whole rollback may take.
    """
    clock = asyncio.get_running_loop().time
    sent_at = clock()
    for _ in range(ATTEMPTS):
        seen = await see(run)
        if seen.lock.holder == run.op and records.by_op(seen.ledger, run.op):
            return Held(epoch=seen.lock.epoch, record=run.op, confirmed=sent_at)
        blocks = _blocks(plan, seen)
        if blocks:
            return blocks
        if records.left_open(seen.ledger):
            if await settle_all(run, seen):
                return Recovered()
            continue
        record = _intent(run, plan, seen, deadline)
        content = records.appended(
            seen.ledger, record, keep_after=seen.now - max(plan.preflight.policy.window, A_DAY)
        )
        sent_at = clock()
        if await put(run, seen, content, holds=True, takes=True):
            return Held(epoch=seen.lock.epoch + 1, record=run.op, confirmed=sent_at)
    raise Unreachable(
        "the lock could not be taken: the Lease changed under every attempt, or no answer came",
        remedy="run the same command again",
    )


def _blocks(plan: Plan, seen: Seen) -> tuple[Finding, ...]:
    """Return what the ledger as just read forbids, by the very checks of the preflight."""
    snapshot = replace(plan.preflight.snapshot, lease=seen.lease, now=seen.now)
    preflight: Preflight = replace(plan.preflight, snapshot=snapshot)
    accepted = {a.id for a in preflight.policy.accepted}
    found: list[Finding] = []
    for check in CHECKS:
        if Need.LEDGER in check.needs and check.severity is Severity.BLOCK:
            result = run_check(check, preflight)
            found += () if isinstance(result, Skipped) else result
    return tuple(f for f in found if not (f.acceptable and f.id in accepted))


def _intent(run: Run, plan: Plan, seen: Seen, deadline: timedelta) -> Record:
    snapshot, destination = plan.preflight.snapshot, plan.preflight.destination
    workload = snapshot.workload
    wanted = workload["spec"]["template"]
    now = revisions.current(plan.preflight.revisions)
    return Record(
        op=run.op,
        actor=run.identity.actor,
        reason=plan.reason,
        accepted=tuple(f.id for f in plan.accepted),
        trace_id=run.trace_id,
        host=run.identity.host,
        boot_id=run.identity.boot_id,
        pid=run.identity.pid,
        uid=objects.uid(workload),
        source=Side(
            revision=now.number if now else 0,
            hash=template.digest(wanted),
            images=template.images(wanted),
            generation=objects.generation(workload),
        ),
        destination=Side(
            revision=destination.number,
            hash=destination.hash,
            images=template.images(destination.template),
        ),
        state=State.INTENT,
        intent_at=seen.now,
        deadline=seen.now + deadline,
    )
