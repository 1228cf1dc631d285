"""From rolled out to recovered: the service is asked while its Pods are still watched."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.events.told import Noted
from backout.core.events.watching import Moved, RolledOut
from backout.core.rollout.verdict import Complete, Unknown
from backout.steps.asking.metric import sampled
from backout.steps.asking.probe import probe
from backout.steps.asking.subjects import NotVerified
from backout.steps.concurrency import race, running
from backout.steps.reading.changed import tell_change
from backout.steps.watching.logs import tell_logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.health.judgement import Health
    from backout.core.preflight.snapshot import Preflight
    from backout.core.rollout.verdict import Verdict
    from backout.steps.run import Run
    from backout.steps.watching.watch import Watch


class Ending(Struct, frozen=True, kw_only=True):
    """How the rollout ended, and what the service said then (None: not asked).

    `images` are the digests that ran then, by container, `revision` the number that what was
    rolled out had then: Kubernetes renumbers.
    """

    verdict: Verdict
    health: Health | NotVerified | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None


async def settled(
    run: Run, watch: Watch, preflight: Preflight | None, *, deadline: float, hold: float = 0.0
) -> Ending:
    """Return how a rollout ended, once its success has held; by `deadline` (event-loop time).

    A rollout that is in question again while it soaks is watched again. Without a `preflight`
    nothing is asked. `hold` is how many seconds it must stay as it is in any case.
    """
    clock = asyncio.get_running_loop().time
    while True:
        async with sampled(run):
            verdict = await watch.verdict()
        if not isinstance(verdict, Complete):
            causes = getattr(verdict, "causes", ())
            await tell_change(run, causes)
            await tell_logs(run, watch.pods, causes)
            return Ending(verdict=verdict, revision=watch.revision)
        words = "all Pods are available; checking that they stay up"
        run.say(Moved(message=words, complete=True))
        until = min(deadline, clock() + run.limits.health)
        left = None if deadline == math.inf else max(0.0, deadline - clock())
        async with (
            running(_asked(run, watch, preflight, until, hold)) as health,
            running(watch.reopened()) as reopened,
        ):
            is_known = await race(health, reopened, within=left)
        if not is_known:
            words = "all replicas are available, and time was up before that had held"
            return Ending(verdict=Unknown(message=words))
        doubt = watch.blindness if reopened.cancelled() else reopened.result()
        if doubt:
            run.say(Noted(message=f"not settled yet: {doubt}"))
            continue
        run.say(RolledOut(message=verdict.message, images=dict(watch.images)))
        return Ending(
            verdict=verdict,
            health=health.result(),
            images=watch.images,
            revision=watch.revision,
        )


def _as_it_is(preflight: Preflight | None, watch: Watch) -> Preflight | None:
    """Return what is asked with the workload as it is by now: it may run where it did not."""
    if preflight is None:
        return None
    return replace(preflight, snapshot=replace(preflight.snapshot, workload=watch.workload))


async def _asked(
    run: Run, watch: Watch, preflight: Preflight | None, until: float, hold: float
) -> Health | NotVerified:
    """Ask for the service's health; where there is nothing to ask, let it soak in silence."""
    clock = asyncio.get_running_loop().time
    held_at = clock() + hold
    health: Health | NotVerified = NotVerified(why="nothing was asked")
    seen = _as_it_is(preflight, watch)
    if seen is not None:
        health = await probe(run, seen, deadline=until, counted=watch.hear)
    if isinstance(health, NotVerified):
        await asyncio.sleep(run.limits.soak)
    await asyncio.sleep(max(0.0, min(held_at, until) - clock()))
    return health
