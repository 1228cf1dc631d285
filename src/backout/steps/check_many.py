"""Makes every check of an undo for many workloads, and tells how they stand."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.errors import BackoutError, Forbidden
from backout.core.events.planning import AllChecked
from backout.core.events.told import Noted
from backout.core.kinds.target import Target
from backout.core.outcome import Outcome, Result
from backout.core.plan import standing
from backout.kube import paths
from backout.kube.shared import SharedClient
from backout.steps.concurrency import first_error
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.preflight.prepare import prepare
from backout.steps.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.events.event import Event
    from backout.core.kinds.kind import Kind
    from backout.core.plan.standing import Row
    from backout.steps.run import Session

AT_ONCE = 16
"""Workloads at the same time: each has a few requests under way, and a guest floods nobody."""
LONGEST = 600.0
"""Seconds where the user sets no time."""
OBSERVE = 3.0
"""Seconds for a controller that is behind: nobody waits for it once a workload."""


class Which(Struct, frozen=True, kw_only=True):
    """Those `named`, else all of `kinds` that `selector` selects; `everywhere`: of the cluster.

    Those named are of the run's namespace, whatever they say.
    """

    kinds: tuple[Kind, ...]
    named: tuple[Target, ...] = ()
    selector: str = ""
    everywhere: bool = False


async def check_many(run: Run, asked: Which) -> Outcome:
    """Tell of each workload whether it could be rolled back; nothing is written.

    What the workloads of a namespace share is read once. Raises BackoutError where it cannot be
    found out which workloads there are; one that cannot be read is a row of its own.
    """
    total = run.limits.total or LONGEST
    many = _Many(run)
    try:
        async with asyncio.timeout(total), SharedClient(run.client, asked.kinds) as client:
            many.expect(await _targets(run, client, asked))
            await many.check(client, _quiet(run.session, client))
    except TimeoutError:
        many.give_up(
            BackoutError(f"time was up after {total:g} s", remedy="give it longer: --timeout")
        )
    finally:
        run.show(None)
    return many.outcome(asked)


async def _targets(run: Run, client: SharedClient, asked: Which) -> tuple[Target, ...]:
    here = run.target.namespace
    if asked.named:
        return tuple(replace(t, namespace=here) for t in dict.fromkeys(asked.named))
    found: list[Target] = []
    hidden: list[Forbidden] = []
    for kind in asked.kinds:
        try:
            found += await _of_kind(kind, here, client, asked)
        except Forbidden as error:
            hidden.append(error)
    if len(hidden) == len(asked.kinds):
        raise hidden[0]
    for one in hidden:
        run.say(Noted(message=f"left out: {one.message}; {one.remedy}"))
    return tuple(found)


async def _of_kind(kind: Kind, here: str, client: SharedClient, asked: Which) -> tuple[Target, ...]:
    own = kind.resource
    path = paths.listed_everywhere(own) if asked.everywhere else paths.listed(own, here)
    try:
        found = await client.names(path, label_selector=asked.selector)
    except Forbidden as error:
        role = "ClusterRole" if asked.everywhere else "Role"
        rule = f"{{apiGroups: [{own.group}], resources: [{own.plural}], verbs: [list]}}"
        raise Forbidden(
            error.message, code=error.code, remedy=f"ask for this rule in a {role}: {rule}"
        ) from None
    return tuple(Target(kind=kind, namespace=where, name=name) for where, name in sorted(found))


class _Many:
    """The workloads of one run, and what was found of them so far."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._targets: tuple[Target, ...] = ()
        self._done: dict[Target, Row] = {}

    def expect(self, targets: tuple[Target, ...]) -> None:
        """Take the workloads that are to be checked, those of a namespace together."""
        self._targets = targets
        self._left = Counter(t.namespace for t in targets)

    async def check(self, client: SharedClient, session: Session) -> None:
        """Check all, some at once."""
        waiting = iter(self._targets)
        with first_error():
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work(waiting, client, session))

    def give_up(self, error: BackoutError) -> None:
        """Say of all that are not done why they are not."""
        for target in self._targets:
            if target not in self._done:
                self._take(standing.unknown(target, error))
        if not self._targets:
            raise error

    def outcome(self, asked: Which) -> Outcome:
        """Say how much was looked at; return the last word."""
        if not self._targets:
            return _nothing(self._run, asked)
        count = standing.counts(row.answer for row in self._done.values())
        requests = self._run.client.requests
        self._run.say(
            AllChecked(
                message=f"{standing.workloads(len(self._done))} checked with {requests} requests "
                "to the API server",
                requests=requests,
                **{str(answer): number for answer, number in count.items()},
            )
        )
        return standing.outcome(count)

    async def _work(
        self, waiting: Iterator[Target], client: SharedClient, session: Session
    ) -> None:
        for target in waiting:
            self._take(await _row(self._run, target, session))
            self._left[target.namespace] -= 1
            if not self._left[target.namespace]:
                client.forget(target.namespace)

    def _take(self, row: Row) -> None:
        self._done[row.target] = row
        self._run.say(standing.checked(row))
        self._run.show(f"  {len(self._done)} of {len(self._targets)} workloads checked")


def _quiet(session: Session, client: SharedClient) -> Session:
    """Return a session that reads together, and says nothing of one workload: its row tells."""
    limits = replace(session.limits, observe=min(OBSERVE, session.limits.observe))
    return replace(session, client=client, emit=_unsaid, limits=limits)


async def _row(run: Run, target: Target, session: Session) -> Row:
    command = ("undo", str(target), "-n", target.namespace)
    policy = replace(session.policy, is_survey=True, command=command)
    one = Run(
        session=replace(session, policy=policy),
        target=target,
        ledger=ClusterLedger(session.client, target),
        op=run.op,
        trace_id=run.trace_id,
    )
    try:
        return standing.row(target, await prepare(one))
    except BackoutError as error:
        return standing.unknown(target, error)
    except Exception as error:  # noqa: BLE001 (one odd object must not hide all the others)
        words = f"internal error ({type(error).__name__}: {error})"
        return standing.unknown(target, BackoutError(words, remedy="report this error"))


def _nothing(run: Run, asked: Which) -> Outcome:
    where = "in the cluster" if asked.everywhere else f"in namespace {run.target.namespace}"
    which = f" that {asked.selector} selects" if asked.selector else ""
    *most, last = (kind.resource.name for kind in asked.kinds)
    kinds = f"{', '.join(most)} or {last}" if most else last
    return Outcome(
        result=Result.NOT_CHANGED,
        message=f"there is no {kinds} {where}{which}: nothing was checked",
    )


def _unsaid(_: Event) -> None:
    """Say nothing."""
