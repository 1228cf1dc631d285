"""Carries an invocation out under signals, and returns the exit code."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from backout.cli import exit_codes, here
from backout.cli.interruption import Interruption
from backout.cli.options import again
from backout.cli.output.gate import MASK
from backout.cli.output.prompt import can_ask, confirm
from backout.cli.output.renderers import renderer
from backout.cli.output.sink import Sink
from backout.cli.program import program
from backout.core.errors import BackoutError
from backout.core.events.lines import About
from backout.core.events.told import Noted
from backout.core.outcome import Outcome, Result
from backout.session import composition
from backout.session.connect import connection as connected
from backout.session.ledgers import local_ledger
from backout.steps import notify
from backout.steps.identity import operation_id
from backout.steps.login import logged_in

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from backout.cli.invocation import Invocation
    from backout.cli.output.render import Renderer
    from backout.core.kinds.target import Target
    from backout.kube.connection import Connection
    from backout.session.process import Process
    from backout.steps.run import Run, Session

CHECK = "check"
SILENT = {Result.DRY_RUN, Result.DECLINED}
"""How a run ends that nobody else needs to hear of."""
_CODES = {
    Result.SUCCEEDED: 0,
    Result.DRY_RUN: 0,
    Result.SETTLED: 0,
    Result.NOT_CHANGED: exit_codes.ERROR,
    Result.REFUSED: exit_codes.REFUSED,
    Result.DECLINED: exit_codes.REFUSED,
    Result.FAILED: exit_codes.FAILED,
    Result.UNDECIDED: exit_codes.UNDECIDED,
    Result.PROGRESSING: exit_codes.UNDECIDED,
}


def run_command(invocation: Invocation) -> int:
    """Carry the steps out and return the exit code; whatever happens, the last line is true."""
    invocation.workload("default")
    if invocation.ask and not can_ask(os.environ):
        raise click.UsageError("cannot ask for confirmation; pass --yes")
    shared = invocation.shared
    out = renderer(shared.output, quiet=shared.quiet, finds=here.process().command == CHECK)
    sink = Sink(out, invocation.trace_id)
    interruption = Interruption()
    try:
        outcome = asyncio.run(_carried_out(invocation, out, sink, interruption))
    except BackoutError as error:
        outcome = Outcome(result=Result.NOT_CHANGED, message=error.message, remedy=error.remedy)
    except asyncio.CancelledError:
        outcome = Outcome(result=Result.INTERRUPTED, message="interrupted: nothing was changed")
    except Exception as error:  # noqa: BLE001 (a traceback helps nobody at 3 a.m.)
        outcome = _unexpected(error, sink)
    if sink.is_lost and outcome.result is Result.SUCCEEDED:
        also = (*outcome.also, "but the journal could not be written, its lines are above")
        outcome = replace(outcome, result=Result.UNDECIDED, also=also)
    interruption.over()
    code = _exit_code(outcome, interruption.received)
    sink.finish(outcome, code)
    return code


def _exit_code(outcome: Outcome, received: signal.Signals | None) -> int:
    """Return the exit code of an outcome; an interruption is told by its signal: 130 or 143."""
    if outcome.result is Result.INTERRUPTED:
        return 128 + (received or signal.SIGINT)
    return _CODES[outcome.result]


async def _carried_out(
    invocation: Invocation, out: Renderer, sink: Sink, interruption: Interruption
) -> Outcome:
    interruption.watch()
    line = (*program().split(), *again.whole(click.get_current_context()))
    process = replace(here.process(), line=line)
    connection = connected(invocation.shared.flags, process)
    target = invocation.workload(connection.namespace)
    about = About(
        trace_id=invocation.trace_id,
        object={"cluster": connection.cluster, **target.reference},
        op=operation_id(),
    )
    sink.open(composition.journal(invocation.journal, process), about)
    async with _session(invocation, connection, process, out, sink) as session:
        run = _run(invocation, connection, process, target, session, about.op)
        composition.introduce(run, connection, process)
        for note in invocation.shared.notes:
            run.say(Noted(message=note))
        outcome = await invocation.carry_out(await logged_in(run))
        interruption.over()
        if outcome.result not in SILENT:
            await notify.end(run, outcome)
    return outcome


def _session(
    invocation: Invocation, connection: Connection, process: Process, out: Renderer, sink: Sink
) -> AbstractAsyncContextManager[Session]:
    return composition.opened(
        invocation.request,
        invocation.limits,
        invocation.services,
        connection,
        process,
        composition.Outlets(
            emit=sink.emit,
            warn=sink.warn,
            show=out.view,
            confirm=lambda plan: confirm(plan, connection.context, ask=invocation.ask),
            mask=MASK,
            **({"on_request": out.request} if invocation.shared.verbose else {}),
        ),
    )


def _run(
    invocation: Invocation,
    connection: Connection,
    process: Process,
    target: Target,
    session: Session,
    op: str,
) -> Run:
    is_local = invocation.request.ledger_is_local
    return composition.run_of(
        session,
        target,
        trace_id=invocation.trace_id,
        op=op,
        dry_run=invocation.dry_run,
        ledger=local_ledger(connection, target, process) if is_local else None,
    )


def _unexpected(error: Exception, sink: Sink) -> Outcome:
    """Return the outcome of a defect of ours, true about what it may have left behind."""
    click.echo("", err=True)
    if sink.is_triggered:
        return Outcome(
            result=Result.UNDECIDED,
            message=f"internal error ({type(error).__name__}: {error}) after the rollback was "
            "triggered: the PATCH may have been sent",
            remedy="see where the rollout is: kubectl rollout status; then report this error",
        )
    return Outcome(
        result=Result.NOT_CHANGED,
        message=f"internal error ({type(error).__name__}: {error})",
        also=("nothing was changed",),
        remedy="report this error",
    )
