"""Two real runs on one fake API server: requests held back, and the model's invariants as judge.

stage = Stage(api)
held = stage.hold(is_undo)                  # the next one waits before anything is applied
first = stage.starts("ann")
await held.arrives()
...                                         # whatever happens meanwhile
held.opens()
await first
assert stage.broken == []
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.history import patch
from backout.core.ledger.records import State
from backout.core.outcome import Outcome, Result
from backout.core.preflight.request import Request
from backout.steps.resume import resume
from backout.steps.undo import undo
from tests.contract.api_server import is_undo, line_of
from tests.contract.scripted_server import WITHIN
from tests.contract.steps.shop import LEASE, Told, expire_lock, records, running
from tests.protocol.model import INVARIANTS
from tests.protocol.world import Bounds, Lease, Patch, Record, Workload, World, beginning

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.steps.run import Run
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Answer, Received, Step

BOUNDS = Bounds(limit=1)
PATIENCE = 60.0
"""Seconds that a run waits for an answer: as long as any test holds it back."""


@dataclass
class Gate:
    """Holds back the first request that is `wanted`: itself, or (`answer`) what came of it."""

    wanted: Callable[[Received], bool]
    answer: bool
    is_used: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, request: Received, *, answer: bool) -> bool:
        if self.is_used or self.answer != answer or not self.wanted(request):
            return False
        self.is_used = True
        self.arrived.set()
        return True

    async def arrives(self) -> None:
        await asyncio.wait_for(self.arrived.wait(), WITHIN)

    def opens(self) -> None:
        self.opened.set()


class Stage:
    """An API server whose every answer is followed by a look at the model's invariants.

    `broken` are those that did not hold. `meanwhile` is called with each request before it counts.
    """

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._gates: list[Gate] = []
        self._sent: tuple[Patch, ...] = ()
        self._landed: tuple[str, ...] = ()
        self._world = beginning(BOUNDS)
        self.broken: list[str] = []
        self.patches = 0
        self.meanwhile: Callable[[Received], None] = lambda _: None
        api.before, api.after = self._before, self._after

    def hold(self, wanted: Callable[[Received], bool], *, answer: bool = False) -> Gate:
        gate = Gate(wanted, answer)
        self._gates.append(gate)
        return gate

    async def runs(
        self,
        actor: str,
        *,
        carry_out: Callable[[Run], Awaitable[Outcome]] = undo,
        write_timeout: float = PATIENCE,
    ) -> Told:
        """Carry out one undo, or another command."""
        told = Told()
        async with running(
            self._api,
            told,
            actor=actor,
            policy=Request(limit=BOUNDS.limit, successes=1),
            write_timeout=write_timeout,
            look_for_leaks=False,
        ) as run:
            run.client._read_timeout = PATIENCE
            try:
                told.outcome = await carry_out(run)
            except BackoutError as error:
                told.outcome = Outcome(result=Result.NOT_CHANGED, message=error.message)
        return told

    def starts(self, actor: str, *, write_timeout: float = PATIENCE) -> asyncio.Task[Told]:
        return asyncio.create_task(self.runs(actor, write_timeout=write_timeout))

    async def is_succeeded(self) -> Told:
        """Let bob find the lock expired, as late as it may be, and settle what is open."""
        if self._api.find("leases", LEASE) is not None:
            expire_lock(self._api)
        return await self.runs("bob", carry_out=resume)

    async def _before(self, request: Received) -> Step | None:
        self.meanwhile(request)
        if is_undo(request):
            self.patches += 1
            self._sent = (*self._sent, _patch(request))
            self._judge()
        for gate in self._gates:
            if gate.takes(request, answer=False):
                with suppress(TimeoutError):
                    await asyncio.wait_for(gate.opened.wait(), PATIENCE)
        return None

    def _after(self, request: Received, answer: Answer) -> Step | None:
        if is_undo(request):
            made = _patch(request)
            self._sent = tuple(p for p in self._sent if p is not made and p != made)
            if answer.status == 200:
                self._landed = (*self._landed, made.op)
        self._judge()
        for gate in self._gates:
            if gate.takes(request, answer=True):
                return replace(answer, before=gate.opened)
        return None

    def _judge(self) -> None:
        now = self._as_a_world()
        self.broken += [i.__name__ for i in INVARIANTS if not i(self._world, now, BOUNDS)]
        self._world = now

    def _as_a_world(self) -> World:
        """Return what stands on the server in the model's terms."""
        written = tuple(
            Record(r["op"], State(r["state"]), r["from"].get("generation", 0))
            for r in records(self._api)
        )
        return beginning(BOUNDS)._replace(
            lease=Lease(records=written),
            workload=Workload(landed=self._landed),
            in_flight=self._sent,
        )


def is_lease_write(request: Received) -> bool:
    return line_of(request) in {"POST leases", "PUT leases"}


def _patch(request: Received) -> Patch:
    """Return a PATCH in the model's terms; one without a precondition fits any version."""
    values = {op["path"]: op.get("value") for op in request.json}
    marked = values.get("/metadata/annotations") or {}
    escaped = "/metadata/annotations/" + patch.MARKER.replace("/", "~1")
    op = values.get(escaped) or marked.get(patch.MARKER) or ""
    return Patch(str(op), int(values.get("/metadata/resourceVersion") or 0))
