"""What is asked for health: what the user named, else the Services in front of the workload."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from backout.core.health import endpoints
from backout.core.health.endpoints import NotAsked, ServiceEndpoint
from backout.core.preflight.snapshot import Need
from backout.core.rights import permissions
from backout.core.trace import traceparent
from backout.core.value import dataclass
from backout.health.command import Command
from backout.health.request import UrlAsked
from backout.steps.asking.metric import metric_subjects
from backout.steps.asking.proxied import Service

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, kw_only=True)
class NotVerified:
    """There is nothing to ask, or nothing that we may ask; health is not claimed."""

    why: str
    remedy: str = "name what to ask: --health URL, or --health PORT/PATH"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is asked, and why something that the user wants asked is not."""

    subjects: tuple[Subject, ...]
    unasked: tuple[NotVerified, ...] = ()


def chosen(run: Run, snapshot: Snapshot, revision: Revision, *, at_once: bool = False) -> Chosen:
    """Return what is asked of a workload whose Pods are, or are to be, of this revision.

    What the user names is asked instead of the Services. With `at_once` only what answers at once:
    no smoke test delays a rollback.
    """
    if snapshot.pace.replicas == 0:
        none = NotVerified(why="replicas is 0", remedy="scale it up and look at its Pods")
        return Chosen(subjects=(), unasked=(none,))
    policy = run.policy
    subjects: list[Subject] = [_url(run, url) for url in policy.urls]
    if policy.health_command and not at_once:
        subjects.append(_command(run, revision))
    unasked: dict[str, NotVerified] = {}
    found: dict[ServiceEndpoint, None] = {}
    own = [endpoints.annotated(snapshot.workload)]
    is_default = not policy.urls and not policy.health_command
    for path in policy.paths or (own if is_default else []):
        answer = _services(snapshot, revision, path)
        if isinstance(answer, NotVerified):
            unasked[answer.why] = answer
        else:
            found.update(dict.fromkeys(answer))
    subjects += [Service(run=run, endpoint=one) for one in found]
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
    snapshot: Snapshot, revision: Revision, path: str
) -> tuple[ServiceEndpoint, ...] | NotVerified:
    if Need.SERVICES in snapshot.unreadable:
        why = snapshot.unreadable[Need.SERVICES]
        return NotVerified(
            why=f"the Services could not be read ({why})", remedy=permissions.remedy("services")
        )
    endpoint = endpoints.of_template(revision.template, asked=path)
    if isinstance(endpoint, NotAsked):
        return NotVerified(why=endpoint.why)
    found = endpoints.of_services(snapshot.services, revision.template, endpoint)
    return found or NotVerified(why=f"no Service leads to port {endpoint.port} of its Pods")


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
