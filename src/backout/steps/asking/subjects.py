"""What is asked for health: what the user named, else the Services in front of the workload."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from backout.core.health import endpoints
from backout.core.health.endpoints import NotAsked, Origin, ServiceEndpoint
from backout.core.preflight.snapshot import Need
from backout.core.rights import permissions
from backout.core.trace import traceparent
from backout.health.command import Command
from backout.health.request import UrlAsked
from backout.steps.asking.metric import metric_subjects
from backout.steps.asking.proxied import Service
from backout.steps.asking.strangers import strangers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.health.judgement import Sample
    from backout.core.model import Revision
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


class Subject(Protocol):
    """Anything that can be asked whether the service is well. `name` is its own in a run."""

    @property
    def name(self) -> str:
        """What people call it."""

    async def ask(self) -> Sample:
        """Return what it says; what keeps it from answering is a sample, too."""


class NotVerified(Struct, frozen=True, kw_only=True):
    """There is nothing to ask, or nothing that we may ask; health is not claimed.

    `probe` is how the kubelet asks the Pods, where its answer is the word then; else empty.
    """

    why: str
    remedy: str = "name what to ask: --health URL, or --health PORT/PATH"
    probe: str = ""


class Chosen(Struct, frozen=True, kw_only=True):
    """What is asked, and why something is not, be it wanted by the user or guessed."""

    subjects: tuple[Subject, ...]
    unasked: tuple[NotVerified, ...] = ()


async def chosen(
    run: Run, snapshot: Snapshot, revision: Revision, *, at_once: bool = False
) -> Chosen:
    """Return what is asked of a workload whose Pods are, or are to be, of this revision.

    What the user names is asked instead of the Services. With `at_once` only what answers at once:
    no smoke test delays a rollback. Which other Pods the Services select is read here.
    """
    idle = snapshot.kind.idle(snapshot.workload)
    if idle:
        none = NotVerified(why=idle, remedy="let a Pod of it run, and look at that")
        return Chosen(subjects=(), unasked=(none,))
    policy = run.policy
    subjects: list[Subject] = [_url(run, url) for url in policy.urls]
    if policy.health_command and not at_once:
        subjects.append(_command(run, revision))
    unasked: dict[str, NotVerified] = {}
    if policy.paths or not (policy.urls or policy.health_command):
        found, unasked = _services(snapshot, revision, policy.paths)
        shared = await strangers(run, snapshot, {one.service for one in found})
        kept = [one for one in found if one.service not in shared or one.origin is Origin.NAMED]
        subjects += [Service(run=run, endpoint=one) for one in kept]
        unasked |= {why: _shared(found, why) for why in shared.values()}
    subjects += metric_subjects(run, is_told=not at_once)
    return Chosen(subjects=tuple(subjects), unasked=tuple(unasked.values()))


async def answered(subject: Subject, *, deadline: float) -> Sample | None:
    """Return a subject's answer with how long it took; None where `deadline` came first."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        async with asyncio.timeout_at(deadline):
            sample = await subject.ask()
    except TimeoutError:
        return None
    return replace(sample, milliseconds=round((clock() - began) * 1000))


def _services(
    snapshot: Snapshot, revision: Revision, paths: Sequence[str]
) -> tuple[tuple[ServiceEndpoint, ...], dict[str, NotVerified]]:
    """Return how the Services are asked, and why what cannot be asked of them is not, by why."""
    if Need.SERVICES in snapshot.unreadable:
        why = f"the Services could not be read ({snapshot.unreadable[Need.SERVICES]})"
        return (), {why: NotVerified(why=why, remedy=permissions.remedy("services"))}
    asked = endpoints.asked_of(revision.template, snapshot.workload, paths)
    found: dict[ServiceEndpoint, None] = {}
    unasked: dict[str, NotVerified] = {}
    for one in asked:
        if isinstance(one, NotAsked):
            unasked[one.why] = NotVerified(why=one.why, probe=one.probe)
            continue
        led = endpoints.of_services(snapshot.services, revision.template, one)
        found.update(dict.fromkeys(led))
        if not led:
            why = f"no Service leads to port {one.port} of its Pods"
            unasked[why] = NotVerified(why=why)
    # A port that is only probed, beside one that Services lead to, is the kubelet's own affair.
    is_guess = all(isinstance(one, NotAsked) or one.origin is not Origin.NAMED for one in asked)
    return tuple(found), {} if found and is_guess else unasked


def _shared(found: Sequence[ServiceEndpoint], why: str) -> NotVerified:
    is_probed = any(one.origin is Origin.PROBE for one in found)
    return NotVerified(why=why, probe="HTTP" if is_probed else "")


def _url(run: Run, url: str) -> UrlAsked:
    return UrlAsked(
        session=run.web,
        url=url,
        expected=run.policy.expected,
        timeout=run.limits.pod_answer,
        method=run.policy.health_method,
        headers=run.session.health_headers,
    )


def _command(run: Run, revision: Revision) -> Command:
    return Command(
        command=run.policy.health_command,
        environment=_environment(run, revision),
        timeout=run.limits.health_command,
    )


def _environment(run: Run, revision: Revision) -> Mapping[str, str]:
    """Return our own environment, and what a smoke test may want to know."""
    parent = traceparent(run.trace_id, span_id=os.urandom(8).hex())
    return {
        **os.environ,
        "BACKOUT_NAMESPACE": run.target.namespace,
        "BACKOUT_WORKLOAD": str(run.target),
        "BACKOUT_REVISION": str(revision.number),
        "BACKOUT_TRACE_ID": run.trace_id,
        **({"TRACEPARENT": parent} if parent else {}),
    }
