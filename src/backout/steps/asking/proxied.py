"""Asks Pods and Services of the cluster through the API server's proxy: no route to them needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.discreet import Discreet, Hidden
from backout.core.errors import BackoutError
from backout.core.health.expectation import judged
from backout.core.health.judgement import Answer, Sample
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.health.endpoints import Endpoint, Origin, ServiceEndpoint
    from backout.steps.run import Run

FORBIDDEN = 403


class Service(Discreet, frozen=True, kw_only=True):
    """A Service of the workload's namespace, asked at one path."""

    run: Hidden[Run]
    endpoint: ServiceEndpoint

    @property
    def name(self) -> str:
        """The Service with its port and path."""
        return str(self.endpoint)

    async def ask(self) -> Sample:
        """Return its answer as a sample."""
        to = self.endpoint
        return await through_proxy(
            self.run,
            lambda: paths.service_proxy(
                self.run.target.namespace, to.service, to.port, to.path, to.scheme
            ),
            subject=self.name,
            origin=to.origin,
        )


class PodAsked(Discreet, frozen=True, kw_only=True):
    """One Pod of the workload's namespace, asked at one path; `is_only`: at no other."""

    run: Hidden[Run]
    pod: str
    endpoint: Endpoint
    is_only: bool = True

    @property
    def name(self) -> str:
        """The Pod, and where it is asked if that is not all."""
        where = "" if self.is_only else f":{self.endpoint.port}{self.endpoint.path}"
        return f"Pod {self.pod}{where}"

    async def ask(self) -> Sample:
        """Return its answer as a sample."""
        to = self.endpoint
        return await through_proxy(
            self.run,
            lambda: paths.pod_proxy(
                self.run.target.namespace, self.pod, to.port, to.path, to.scheme
            ),
            subject=self.name,
            origin=to.origin,
        )


async def through_proxy(
    run: Run, path: Callable[[], str], *, subject: str, origin: Origin
) -> Sample:
    """Return the sample for one proxied request; the API server's own failures are unknown.

    `path` is made in here: it holds a probe's path, which may be one that cannot be asked.
    """
    try:
        answer = await run.client.proxy(path(), timeout=run.limits.pod_answer)
    except BackoutError as error:
        return Sample(subject=subject, answer=Answer.UNKNOWN, detail=error.message)
    if answer.by_api_server:
        return Sample(
            subject=subject,
            answer=Answer.UNKNOWN,
            detail=answer.message,
            is_forbidden=answer.status == FORBIDDEN,
        )
    return judged(
        subject,
        answer.status,
        answer.body,
        run.policy.expected,
        origin=origin,
        coding=answer.coding,
    )
