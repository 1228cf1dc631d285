"""A metric as one more thing that is asked for health, and its values for whoever plots them."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from backout.core.discreet import Discreet, Hidden
from backout.core.events.watching import Measured
from backout.core.health.metric import judged, worst
from backout.steps.concurrency import beside

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from backout.core.health.judgement import Sample
    from backout.core.health.promql import Metric
    from backout.prometheus.client import PrometheusClient
    from backout.steps.run import Run

BEFORE, DURING, AFTER = "before", "during", "after"
"""The values' phases: at the trigger, until all is rolled out, and while health is asked."""
EVERY = 1.0
"""Seconds between two values while the rollout is watched."""


class MetricSubject(Discreet, frozen=True, kw_only=True):
    """One metric of the user's, asked of Prometheus; `is_told`: its value is an event, too."""

    run: Hidden[Run]
    client: Hidden[PrometheusClient]
    metric: Metric
    is_told: bool = True

    @property
    def name(self) -> str:
        """What people call it."""
        return self.metric.name

    async def ask(self) -> Sample:
        """Return what its value is worth now; no answer is unknown."""
        return await self.sampled(AFTER)

    async def sampled(self, phase: str) -> Sample:
        """Ask once and say the value."""
        answer = await self.client.query(self.metric.expression, plain=self.metric.is_plain)
        sample = judged(self.metric, answer)
        if not self.is_told:
            return sample
        value = worst(self.metric, answer)
        self.run.say(
            Measured(
                message=f"{sample.subject}: {sample.detail} ({phase})",
                metric=self.metric.text,
                value=value,
                threshold=self.metric.threshold,
                answer=str(sample.answer),
                phase=phase,
            )
        )
        return sample


def metric_subjects(run: Run, *, is_told: bool = True) -> tuple[MetricSubject, ...]:
    """Return the metrics to ask; none where the user named none."""
    client = run.prometheus
    if client is None:
        return ()
    return tuple(
        MetricSubject(run=run, client=client, metric=m, is_told=is_told) for m in run.policy.metrics
    )


def sampled(run: Run) -> AbstractAsyncContextManager[None]:
    """Say the metrics' values while a rollout is watched; none is waited for at the end."""
    subjects = metric_subjects(run)
    return beside(_forever(subjects)) if subjects else nullcontext()


async def _forever(subjects: tuple[MetricSubject, ...]) -> None:
    while True:
        await asyncio.gather(*(one.sampled(DURING) for one in subjects))
        await asyncio.sleep(EVERY)
