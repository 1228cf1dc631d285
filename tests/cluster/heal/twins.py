"""Two namespaces with the same history: in one `kubectl apply` goes back, in the other backout."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.core.kinds import KINDS
from backout.core.kinds.target import Target
from backout.core.mask import Mask
from backout.core.preflight.request import Request
from backout.session.composition import Outlets, opened, run_of
from backout.session.connect import connection
from backout.session.flags import FLAGS
from backout.session.process import Process
from backout.session.services import Services
from backout.steps.identity import operation_id
from backout.steps.run import Limits
from backout.steps.undo import undo
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backout.core.events.event import Event
    from backout.core.outcome import Outcome
    from backout.core.plan.plan import Plan
    from tests.cluster.api import Object
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

AT_ONCE = 6
"""Rollbacks at the same time."""
CLIENT: tuple[str, ...] = ()
SERVER = ("--server-side", "--field-manager", "ci")


class Twins:
    """`apart` went back by `kubectl apply`, `back` by backout; `how` are kubectl's flags."""

    def __init__(self, apart: Space, back: Space, how: Sequence[str]) -> None:
        self.apart, self.back = apart, back
        self._how = tuple(how)

    def both(self, manifests: Iterable[Object], *words: str) -> tuple[Ran, Ran]:
        """Apply the manifests in both, at the same time."""
        made = list(manifests)
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(self.applied, self.apart, made, *words)
            other = pool.submit(self.applied, self.back, made, *words)
        return one.result(), other.result()

    def applied(self, space: Space, manifests: Iterable[Object], *words: str) -> Ran:
        body = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        path = space.folder / f"{space.name}.json"
        path.write_text(json.dumps(body))
        return space.kubectl("apply", *self._how, "-f", str(path), *words)

    def deployed(self, manifests: Iterable[Object]) -> None:
        """Apply the manifests in both, and wait until the controller has seen them."""
        for ran in self.both(manifests):
            ran.expect(0)
        for space in (self.apart, self.back):
            observed(space)


def observed(space: Space) -> None:
    """Wait until the controllers have seen every workload."""

    def are_observed() -> bool:
        return all(
            d.get("status", {}).get("observedGeneration", 0) >= d["metadata"]["generation"]
            for d in workloads(space)
        )

    until("all workloads are observed", are_observed)


def workloads(space: Space) -> list[Object]:
    """Return all that is there of each kind that can be rolled back; a list leaves the kind out."""
    names = [k.resource.name for k in KINDS]
    return [{**found, "kind": name} for name in names for found in space.every(name)]


def named(workload: Object) -> str:
    """Return `KIND/NAME`."""
    return f"{workload['kind']}/{workload['metadata']['name']}"


def templates(found: Iterable[Object]) -> dict[str, Object]:
    return {named(one): one["spec"]["template"] for one in found}


def answered(ran: Ran) -> dict[str, Object]:
    """Return the templates of what `kubectl apply -o json` printed; what was refused is missing."""
    found = json.loads(ran.out) if ran.out.strip() else {"items": []}
    return templates(found.get("items", [found]))


async def rolled_back(
    space: Space, names: Iterable[str], *, heal: bool = True, revision: int | None = 1
) -> dict[str, Outcome]:
    """Roll these back, some at the same time, without a process for each.

    A name alone is a Deployment's; of another kind it is `KIND/NAME`.
    """
    process = Process(environ=space.environment, home=Path(space.environment["HOME"]))
    flags: Mapping[str, Any] = {**dict.fromkeys(FLAGS), "namespace": space.name}
    policy = Request(to_revision=revision, reason="what comes next is looked at", heal=heal)
    said: list[str] = []
    turns = asyncio.Semaphore(AT_ONCE)

    def emit(event: Event) -> None:
        said.append(event.message)

    async with opened(
        policy,
        Limits(soak=0.0, health_soak=0.0),
        Services(),
        connection(flags, process),
        process,
        Outlets(emit=emit, warn=said.append, show=lambda _: None, confirm=_agreed, mask=Mask()),
    ) as session:

        async def one(name: str) -> Outcome:
            given, _, last = name.rpartition("/")
            kind = next(k for k in KINDS if k.resource.name == (given or "Deployment"))
            target = Target(kind=kind, namespace=space.name, name=last)
            async with turns:
                return await undo(run_of(session, target, trace_id="0" * 32, op=operation_id()))

        outcomes = await asyncio.gather(*map(one, names))
    return dict(zip(names, outcomes, strict=True))


async def _agreed(_: Plan) -> bool:
    return True
