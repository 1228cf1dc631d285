"""Verifies: the same end-to-end request until it has held. Rolled out is not recovered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backout.core import endpoints, health, permissions
from backout.core.endpoints import NotAsked, ServiceEndpoint
from backout.core.snapshot import Need, Preflight
from backout.health import request
from backout.kube import paths
from backout.steps.inquire import through_proxy

if TYPE_CHECKING:
    from backout.core.health import Health, Sample
    from backout.steps.run import Run

Subject = ServiceEndpoint | str
"""What is asked: a Service through the API server's proxy, or a URL of the user's."""


@dataclass(frozen=True, kw_only=True)
class NotVerified:
    """There is nothing to ask, or nothing that we may ask; health is not claimed."""

    why: str
    remedy: str = "name what to ask: --health URL, or --health PORT/PATH"


async def probe(run: Run, preflight: Preflight, *, deadline: float) -> Health | NotVerified:
    """Return the service's health, asked once an interval until it held or `deadline`.

    `deadline` is event-loop time. Redirects are not followed, bodies never read into the output.
    """
    subjects = _subjects(run, preflight)
    if isinstance(subjects, NotVerified):
        return subjects
    clock = asyncio.get_running_loop().time
    rounds: list[tuple[Sample, ...]] = []
    while True:
        began = clock()
        samples = tuple(await asyncio.gather(*(_ask(run, s) for s in subjects)))
        subjects = tuple(s for s, a in zip(subjects, samples, strict=True) if not a.is_forbidden)
        if not subjects:
            return _forbidden(samples[0])
        rounds.append(tuple(s for s in samples if not s.is_forbidden))
        _tell(run, rounds, samples)
        verdict = health.judge(rounds, successes=run.policy.successes)
        if verdict is not None:
            return verdict
        if _only_guesses_missed(rounds, subjects, run.policy.successes):
            return health.at_deadline(rounds)
        next_round = began + run.limits.health_interval
        if next_round >= deadline:
            return health.at_deadline(rounds)
        await asyncio.sleep(max(0.0, next_round - clock()))


def _subjects(run: Run, preflight: Preflight) -> tuple[Subject, ...] | NotVerified:
    if preflight.replicas == 0:
        return NotVerified(why="replicas is 0", remedy="scale it up and look at its Pods")
    if "://" in run.policy.health:
        return (run.policy.health,)
    snapshot = preflight.snapshot
    if Need.SERVICES in snapshot.unreadable:
        why = snapshot.unreadable[Need.SERVICES]
        return NotVerified(
            why=f"the Services could not be read ({why})", remedy=permissions.remedy("services")
        )
    endpoint = snapshot.endpoint
    if endpoint is None or isinstance(endpoint, NotAsked):
        return NotVerified(why=endpoint.why if endpoint else "nothing is known about its Pods")
    found = endpoints.of_services(snapshot.services, preflight.destination.template, endpoint)
    if not found:
        return NotVerified(why=f"no Service leads to port {endpoint.port} of its Pods")
    return found


async def _ask(run: Run, subject: Subject) -> Sample:
    if isinstance(subject, str):
        return await request.ask(run.web, subject, timeout=run.limits.pod_answer)
    return await through_proxy(
        run,
        lambda: paths.service_proxy(
            run.target.namespace, subject.service, subject.port, subject.path, subject.scheme
        ),
        subject=str(subject),
        guessed=subject.guessed,
    )


def _forbidden(sample: Sample) -> NotVerified:
    return NotVerified(
        why=f"{sample.subject}: {sample.detail}", remedy=permissions.remedy("services/proxy")
    )


def _tell(run: Run, rounds: list[tuple[Sample, ...]], samples: tuple[Sample, ...]) -> None:
    """Say each sample that differs from the one before; equal ones are only counted."""
    before = {s.subject: (s.answer, s.detail) for s in rounds[-2]} if len(rounds) > 1 else {}
    for sample in samples:
        if before.get(sample.subject) != (sample.answer, sample.detail):
            run.say(
                "health",
                f"{sample.subject}: {sample.detail}",
                answer=str(sample.answer),
                status=sample.status,
            )


def _only_guesses_missed(
    rounds: list[tuple[Sample, ...]], subjects: tuple[Subject, ...], successes: int
) -> bool:
    """Tell whether nothing but 404 on a guessed path came, often enough to stop asking."""
    if not all(isinstance(s, ServiceEndpoint) and s.guessed for s in subjects):
        return False
    recent = rounds[-successes:]
    return len(recent) == successes and all(
        s.status == health.NOT_FOUND for one in recent for s in one
    )
