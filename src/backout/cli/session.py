"""Makes a Run of the settings, carries it out under signals, and returns the exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backout import __version__
from backout.cli import connect, exit_codes
from backout.cli.interruption import Interruption
from backout.cli.options import health
from backout.cli.options.telemetry import Telemetry, notifier, prometheus
from backout.cli.output.prompt import confirm
from backout.cli.output.render import Renderer, renderer
from backout.cli.output.sink import Sink
from backout.core.errors import BackoutError
from backout.core.images.keyring import Keyring
from backout.core.model import Event, Target
from backout.core.outcome import Outcome, Result
from backout.core.preflight.snapshot import Policy
from backout.core.value import dataclass
from backout.http.session import Session
from backout.http.trust import with_authorities
from backout.kube.client import Client, RequestLine
from backout.kube.credentials.exec_plugin import Surroundings
from backout.registry.auth_file import load as load_auth_file
from backout.registry.client import RegistryClient
from backout.steps.identity import identity, operation_id
from backout.steps.journal import journal as journals
from backout.steps.ledger.local_ledger import LocalLedger
from backout.steps.ledger.store import ClusterLedger
from backout.steps.run import Limits, Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.cli.options.shared import Common
    from backout.kube.config.connection import Connection
    from backout.steps.ledger.store import LedgerStore

READ, WRITE = 10.0, 60.0
SILENT = {Result.DRY_RUN, Result.DECLINED}
"""How a run ends that nobody else needs to hear of."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line said: the steps to carry out, and how. Durations in seconds.

    `workload` makes the target once the namespace is known; `is_local`: the ledger is a file.
    """

    carry_out: Callable[[Run], Awaitable[Outcome]]
    workload: Callable[[str], Target]
    common: Common
    trace_id: str
    policy: Policy = field(default_factory=Policy)
    dry_run: bool = False
    ask: bool = False
    is_local: bool = False
    health_timeout: float = 60.0
    health_soak: float = 5.0
    health_command_timeout: float = 30.0
    health_header_file: Path | None = None
    health_ca: str | None = None
    preflight_budget: float = 3.0
    lease_duration: float = 60.0
    wait_lock: float = 0.0
    soak: float = 3.0
    registry_auth_file: Path | None = None
    registry_plain_http: frozenset[str] = frozenset()
    registry_ca: str | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    journal: Path | None = None


def run_command(settings: Settings) -> int:
    """Carry the steps out and return the exit code; whatever happens, the last line is true."""
    settings.workload("default")
    out = renderer(settings.common.output)
    sink = Sink(out)
    interruption = Interruption()
    try:
        outcome = asyncio.run(_carried_out(settings, out, sink, interruption))
    except BackoutError as error:
        outcome = Outcome(result=Result.NOT_CHANGED, message=error.message, remedy=error.remedy)
    except asyncio.CancelledError:
        outcome = Outcome(result=Result.INTERRUPTED, message="interrupted: nothing was changed")
    except Exception as error:  # noqa: BLE001 (a traceback helps nobody at 3 a.m.)
        outcome = _unexpected(error, sink)
    if sink.is_lost and outcome.result is Result.SUCCEEDED:
        words = f"{outcome.message}; but the journal could not be written, its lines are above"
        outcome = replace(outcome, result=Result.UNDECIDED, message=words)
    interruption.over()
    code = exit_codes.exit_code(outcome, interruption.received)
    sink.finish(outcome, code)
    return code


async def _carried_out(
    settings: Settings, out: Renderer, sink: Sink, interruption: Interruption
) -> Outcome:
    interruption.watch()
    connection = connect.connection(vars(settings.common))
    target = settings.workload(connection.namespace)
    sink.open(
        _journal(settings), {"traceID": settings.trace_id, "object": _reference(connection, target)}
    )
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_client(settings, connection, out, sink))
        keyring = _keyring(settings)
        registry = await stack.enter_async_context(_registry(settings, keyring))
        web = await stack.enter_async_context(_web(settings))
        metrics = prometheus(settings.telemetry)
        if metrics is not None:
            await stack.enter_async_context(metrics)
        run = Run(
            client=client,
            ledger=_ledger(settings, connection, client, target),
            registry=registry,
            web=web,
            target=target,
            policy=settings.policy,
            identity=identity(connection.user),
            emit=sink.emit,
            show=out.view,
            confirm=lambda plan: confirm(plan, connection.context, ask=settings.ask),
            op=operation_id(),
            trace_id=settings.trace_id,
            limits=_limits(settings),
            health_headers=health.headers(settings.health_header_file, os.environ),
            dry_run=settings.dry_run,
            context=connection.context,
            prometheus=metrics,
            notifier=notifier(settings.telemetry, web),
        )
        _introduce(run, connection, keyring.notes)
        for note in settings.common.notes:
            run.say("note", note)
        outcome = await settings.carry_out(run)
        interruption.over()
        if run.notifier is not None and outcome.result not in SILENT:
            await run.notifier.end(run, outcome)
    return outcome


def _introduce(run: Run, connection: Connection, notes: tuple[str, ...]) -> None:
    """Say where this happens before anything does."""
    run.say(
        "context",
        f"context {connection.context or '-'}, cluster {connection.cluster or '-'}, "
        f"namespace {run.target.namespace or '(all)'}, user {connection.user or '-'}",
        server=connection.server,
        context=connection.context,
        actor=run.identity.actor,
        host=run.identity.host,
        version=__version__,
        command=_command(),
    )
    for note in (*connection.notes, *notes):
        run.say("warning", note)
    if run.ledger.is_local:
        run.say(
            "warning",
            "the ledger is a file of this machine (--ledger local): rollbacks from anywhere else "
            "are neither seen nor stopped",
        )


def _command() -> str:
    """Return the name of the command that is carried out, for who reads the journal."""
    around = click.get_current_context(silent=True)
    return (around.info_name or "") if around is not None else ""


def _ledger(
    settings: Settings, connection: Connection, client: Client, target: Target
) -> LedgerStore:
    if not settings.is_local:
        return ClusterLedger(client, target)
    folder = journals.state_folder(os.environ, Path.home())
    return LocalLedger(folder, connection.server, target)


def _client(settings: Settings, connection: Connection, out: Renderer, sink: Sink) -> Client:
    common = settings.common
    write = common.request_timeout or WRITE
    return Client(
        connection,
        read_timeout=common.request_timeout or READ,
        write_timeout=min(write, common.timeout) if common.timeout else write,
        on_request=out.request if common.verbose else _nothing,
        on_warning=sink.warn,
        around=Surroundings(
            terminal=sys.stdin.isatty() and sys.stderr.isatty(),
            say=lambda text: sink.emit(Event(kind="note", message=text)),
        ),
    )


def _nothing(_: RequestLine) -> None:
    """Show no requests: without -v they are nobody's business."""


def _keyring(settings: Settings) -> Keyring:
    auth_file = settings.registry_auth_file
    return load_auth_file(auth_file) if auth_file is not None else Keyring()


def _web(settings: Settings) -> Session:
    remedy = "give --health-ca a PEM file with the CA certificates of the --health URLs"
    return Session(tls=with_authorities(settings.health_ca, remedy=remedy))


def _registry(settings: Settings, keyring: Keyring) -> RegistryClient:
    return RegistryClient(
        keyring=keyring,
        plain_http=settings.registry_plain_http,
        ca_file=settings.registry_ca,
    )


def _journal(settings: Settings) -> journals.Journal:
    if settings.journal is not None:
        return journals.open_explicit(settings.journal)
    return journals.open_default(os.environ, Path.home(), _temporary)


def _temporary() -> Path:
    import tempfile  # noqa: PLC0415 (10 ms with what it imports)

    return Path(tempfile.gettempdir())


def _limits(settings: Settings) -> Limits:
    return Limits(
        total=settings.common.timeout,
        preflight=settings.preflight_budget,
        health=settings.health_timeout,
        health_soak=settings.health_soak,
        health_command=settings.health_command_timeout,
        lease=settings.lease_duration,
        wait_lock=settings.wait_lock,
        soak=settings.soak,
    )


def _reference(connection: Connection, target: Target) -> dict[str, str]:
    return {"cluster": connection.cluster, **target.reference}


def _unexpected(error: Exception, sink: Sink) -> Outcome:
    """Return the outcome of a defect of ours, true about what it may have left behind."""
    click.echo("", err=True)
    if sink.is_triggered:
        return Outcome(
            result=Result.UNDECIDED,
            message=f"internal error ({type(error).__name__}: {error}) after the rollback was "
            "triggered: the PATCH may have been sent",
            remedy="kubectl rollout status tells where it stands; please report this",
        )
    return Outcome(
        result=Result.NOT_CHANGED,
        message=f"internal error ({type(error).__name__}: {error}); nothing was changed",
        remedy="please report this",
    )
