"""Takes the lock and writes the intent: one compare-and-swap, judged on what it replaces.

An expired lock means that the successor recovers first, never that it may simply proceed.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.checks.breaker import of_the_lock
from backout.core.errors import Unreachable
from backout.core.history import revisions
from backout.core.kubernetes import objects, template
from backout.core.ledger import again, records
from backout.core.ledger.edits import may_become, side
from backout.core.ledger.records import Ledger, Record, State
from backout.core.plan.earlier import in_the_way
from backout.core.preflight.snapshot import Need
from backout.steps.ledger.lease import ATTEMPTS, Held, Seen, known, put, see
from backout.steps.ledger.recover import may_take, settle_all

if TYPE_CHECKING:
    from backout.core.model import Finding
    from backout.core.plan.plan import Plan
    from backout.steps.ledger.lease import Silent
    from backout.steps.run import Run

A_DAY = timedelta(days=1)
"""What counts for the breaker is kept so long, for others with a longer window than ours."""


class Outdated(Struct, frozen=True, kw_only=True):
    """The ledger tells what the plan did not know; `why` is said before it is made again."""

    why: str


async def take(
    run: Run, plan: Plan, *, deadline: timedelta, silent: Silent | None = None
) -> Held | Outdated | tuple[Finding, ...]:
    """Take the lock and append the INTENT; return what forbids it where something does.

    Only the ledger that the write replaces is judged: of two runs exactly one gets through. What
    the plan was made from is judged first, for the write is refused if it is not the newest.
    `deadline` is the time that the whole rollback may take; for `silent` see `may_take`.
    """
    clock = asyncio.get_running_loop().time
    sent_at = clock()
    for attempt in range(ATTEMPTS):
        seen = await (_planned_on(run, plan) if attempt == 0 else see(run))
        if seen.lock.holder == run.op and records.by_op(seen.ledger, run.op):
            return Held(epoch=seen.lock.epoch, record=run.op, confirmed=sent_at, lease=seen.lease)
        if blocks := _blocks(run, plan, seen, silent):
            return blocks
        if why := _outdated(plan, seen):
            return Outdated(why=why)
        if records.left_open(seen.ledger):
            named = plan.preflight.destination.number if plan.preflight.policy.is_named else None
            if await settle_all(run, seen, instead=named):
                return Outdated(why="what was left open is settled")
            continue
        record = _intent(run, plan, seen, deadline)
        content = records.appended(
            seen.ledger, record, keep_after=seen.now - max(plan.preflight.policy.window, A_DAY)
        )
        sent_at = clock()
        if lease := await put(run, seen, content, holds=True, takes=True):
            epoch = seen.lock.epoch + 1
            return Held(epoch=epoch, record=run.op, confirmed=sent_at, lease=lease)
    raise Unreachable(
        "the lock could not be taken: the Lease changed under every attempt, or no answer came",
        remedy="run the same command again",
    )


async def _planned_on(run: Run, plan: Plan) -> Seen:
    """Return the Lease that the plan was made on; read now where it could not be then."""
    snapshot = plan.preflight.snapshot
    is_read = Need.LEDGER not in snapshot.unreadable
    return await (known(run, snapshot.lease) if is_read else see(run))


def _blocks(run: Run, plan: Plan, seen: Seen, silent: Silent | None) -> tuple[Finding, ...]:
    """Return what the ledger as just read forbids; a lock that may be taken is none."""
    is_free = may_take(run, seen, silent=silent)
    lease, now = (records.freed(seen.lease), seen.now) if is_free else (seen.lease, seen.earliest)
    snapshot = replace(plan.preflight.snapshot, lease=lease, now=now)
    preflight = replace(plan.preflight, snapshot=snapshot)
    accepted = {a.id for a in preflight.policy.accepted}
    return tuple(f for f in of_the_lock(preflight) if not (f.acceptable and f.id in accepted))


def _outdated(plan: Plan, seen: Seen) -> str:
    """Return which rollback the plan did not know of."""
    snapshot = plan.preflight.snapshot
    known = (
        {r.op for r in snapshot.ledger.records} if isinstance(snapshot.ledger, Ledger) else set()
    )
    new = [r for r in seen.ledger.records if r.counts and r.op not in known]
    found = in_the_way(replace(snapshot, lease=seen.lease, now=seen.now), plan.preflight.policy)
    if found is None and not new:
        return ""
    record = found.record if found is not None else new[-1]
    return f"{record.actor} has rolled back to revision {record.destination.revision}"


def _intent(run: Run, plan: Plan, seen: Seen, deadline: timedelta) -> Record:
    snapshot, destination = plan.preflight.snapshot, plan.preflight.destination
    workload = snapshot.workload
    wanted = workload["spec"]["template"]
    now = revisions.current(plan.preflight.revisions)
    tried = snapshot.dry_run.template if snapshot.dry_run else None
    healing = plan.preflight.healing
    there = side(
        destination.number,
        destination.template,
        images=template.images(destination.template),
        fingerprint=again.fingerprint(destination),
    )
    return Record(
        op=run.op,
        actor=run.identity.actor,
        reason=plan.reason,
        accepted=tuple(f.id for f in plan.accepted),
        replaces=plan.preflight.policy.replace_stuck_pods,
        trace_id=run.trace_id,
        host=run.identity.host,
        boot_id=run.identity.boot_id,
        pid=run.identity.pid,
        uid=objects.uid(workload),
        source=side(
            now.number if now else 0,
            wanted,
            images=template.images(wanted),
            generation=objects.generation(workload),
            fingerprint=again.fingerprint(now) if now else "",
        ),
        destination=may_become(there, tried),
        state=State.INTENT,
        owners=healing.owners if healing.is_kept else (),
        intent_at=seen.now,
        deadline=seen.now + deadline,
    )
