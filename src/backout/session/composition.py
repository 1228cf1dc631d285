"""Makes a Session of a connection and what was asked for, and a Run of a workload in it.

Nobody here knows who asks: not click, not argv, not the standard streams.
"""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from backout import __version__
from backout.core.checks.lines import joined
from backout.core.events.planning import Began
from backout.core.events.told import Noted, Warned
from backout.http.proxies import of_environment
from backout.kube.client import Client, RequestLine
from backout.kube.credentials.exec_plugin import Surroundings
from backout.session import secrets
from backout.session.headers import headers
from backout.session.health_urls import web
from backout.session.registries import credentials, registry_client
from backout.session.telemetry import notifier, prometheus
from backout.steps.identity import identity
from backout.steps.journal import journal as journals
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.run import Run, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from backout.core.events.event import Event
    from backout.core.kinds.target import Target
    from backout.core.mask import Mask
    from backout.core.plan.plan import Plan
    from backout.core.preflight.request import Request
    from backout.core.rollout.view import View
    from backout.kube.connection import Connection
    from backout.session.process import Process
    from backout.session.services import Services
    from backout.steps.ledger.local_ledger import LocalLedger
    from backout.steps.run import Limits


def _nothing(_: RequestLine) -> None:
    """Show no requests."""


class Outlets(Struct, frozen=True, kw_only=True):
    """Where the words of a session go, and what must not be among them.

    `warn` takes what the API server warns of, `on_request` each request; for the others see
    `Session`.
    """

    emit: Callable[[Event], None]
    warn: Callable[[str], None]
    show: Callable[[View | str | None], None]
    confirm: Callable[[Plan], Awaitable[bool]]
    on_request: Callable[[RequestLine], None] = _nothing
    mask: Mask


@asynccontextmanager
async def opened(
    request: Request,
    limits: Limits,
    services: Services,
    connection: Connection,
    process: Process,
    outlets: Outlets,
) -> AsyncIterator[Session]:
    """Give a session whose clients are open; raises ConfigError for a file that cannot be used.

    What must not be told is learnt before anything is said.
    """
    mask, emit = outlets.mask, outlets.emit
    secrets.learn_connection(mask, connection, process.environ)
    secrets.learn_addresses(mask, services.telemetry, request.urls)
    around = Surroundings(
        terminal=process.has_terminal,
        say=lambda text: emit(Noted(message=text)),
        learn=mask.learn,
    )
    async with AsyncExitStack() as stack:
        client = _client(limits, connection, around, outlets)
        await stack.enter_async_context(client)
        keyring = credentials(services.registries)
        mask.learn_logins(keyring.logins())
        given = headers(services.health.header_file, process.environ)
        secrets.learn_headers(mask, given.values())
        proxy = of_environment(process.environ)
        registries = registry_client(services.registries, keyring, proxy)
        registry = await stack.enter_async_context(registries)
        urls = await stack.enter_async_context(web(services.health, proxy))
        metrics = prometheus(services.telemetry, proxy, mask)
        if metrics is not None:
            await stack.enter_async_context(metrics)
        yield Session(
            client=client,
            registry=registry,
            web=urls,
            policy=request,
            identity=identity(connection.acting, connection.impersonator),
            emit=emit,
            show=outlets.show,
            confirm=outlets.confirm,
            limits=limits,
            health_headers=given,
            context=connection.context,
            prometheus=metrics,
            notifier=notifier(services.telemetry, urls, mask),
            notes=(*connection.notes, *keyring.notes),
            mask=mask,
        )


def run_of(
    session: Session,
    target: Target,
    *,
    trace_id: str,
    op: str,
    dry_run: bool = False,
    ledger: LocalLedger | None = None,
) -> Run:
    """Return a run of one workload; its ledger is in the cluster where no other is given."""
    return Run(
        session=session,
        target=target,
        ledger=ledger or ClusterLedger(session.client, target),
        op=op,
        trace_id=trace_id,
        dry_run=dry_run,
    )


def journal(path: Path | None, process: Process) -> journals.Journal:
    """Open the journal that was named, else the one in the state folder; raises JournalError."""
    if path is not None:
        return journals.open_explicit(path)
    return journals.open_default(process.environ, process.home, _temporary)


def introduce(run: Run, connection: Connection, process: Process) -> None:
    """Say where this happens, and as whom, before anything does."""
    by = f" (impersonated by {connection.impersonator})" if connection.impersonator else ""
    run.say(
        Began(
            message=f"context {connection.context or '-'}, cluster {connection.cluster or '-'}, "
            f"namespace {run.target.namespace or '(all)'}, user {connection.acting or '-'}{by}",
            server=connection.server,
            context=connection.context,
            actor=run.identity.actor,
            host=run.identity.host,
            version=__version__,
            command=process.command,
            line=joined(map(run.session.mask.text, process.line)),
            reason=run.policy.reason,
        )
    )
    for note in run.session.notes:
        run.say(Warned(message=note))
    if run.ledger.is_local:
        run.say(
            Warned(
                message="the ledger is a file of this machine (--ledger local): rollbacks from "
                "anywhere else are neither seen nor stopped"
            )
        )


def _client(
    limits: Limits,
    connection: Connection,
    around: Surroundings,
    outlets: Outlets,
) -> Client:
    total, write = limits.total, limits.write
    return Client(
        connection,
        read_timeout=limits.read,
        write_timeout=min(write, total) if total else write,
        on_request=outlets.on_request,
        on_warning=outlets.warn,
        around=around,
    )


def _temporary() -> Path:
    return Path(tempfile.gettempdir())
