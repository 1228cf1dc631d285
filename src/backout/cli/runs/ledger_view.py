"""Reads a workload's ledger and prints it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

from backout.cli import here
from backout.cli.looking import client_of, ledger_of, run, tell_notes
from backout.cli.options import target as targets
from backout.cli.output import tables
from backout.cli.output.gate import shown
from backout.cli.output.printing import json_line, printer
from backout.cli.output.words import ledger_table
from backout.cli.program import program
from backout.core.errors import ConfigError, Forbidden, NotFound
from backout.core.ledger import again, breaker, form, memory, records
from backout.core.ledger.breaker import Open
from backout.core.ledger.records import Ledger, Record, State, UnreadableLedger
from backout.session import connect
from backout.steps.reading.look import past
from backout.steps.reading.place import Here

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from backout.cli.options.shared import Common
    from backout.core.kinds.target import Target
    from backout.core.ledger.records import Lock
    from backout.core.model import Revision


def show(
    workload: tuple[str, ...], shared: Common, *, limit: int, window: timedelta, is_local: bool
) -> int:
    """Print the ledger, the memory and the breaker's state; return the exit code."""
    targets.parse(workload, "default")
    tell_notes(shared)
    target, found, held, history, now = run(_asked(workload, shared, is_local=is_local), shared)
    state = breaker.judge(found.records, now=now, limit=limit, window=window)
    if shared.output == "json":
        _print_json(found, history, state)
        return 0
    put = printer()
    rows = [(_style(r), ledger_table.row(r, now, history)) for r in reversed(found.records)]
    if rows:
        tables.table(put, ledger_table.HEADER, rows)
    else:
        click.echo("no rollbacks recorded")
    for line in ledger_table.memory_lines(found, now, history):
        tables.sentence(put, line)
    tables.sentence(put, ledger_table.breaker_line(state, now=now, limit=limit, window=window))
    # kill -9 leaves it open: nothing else tells that it can be gone on with.
    line = f"{program()} resume {target} -n {target.namespace}"
    way_on = ledger_table.way_on(found, held, now, line)
    if way_on:
        tables.sentence(put, way_on)
    return 0


def _style(record: Record) -> str:
    return "red" if record.state is State.FAILED else ""


def _print_json(found: Ledger, history: tuple[Revision, ...], state: breaker.Closed | Open) -> None:
    content = json.loads(form.written(found))
    for record in content["records"]:
        click.echo(json_line(record))
    until = f"{state.until:%Y-%m-%dT%H:%M:%SZ}" if isinstance(state, Open) else None
    told = {"open": until is not None, "until": until, "counted": [r.op for r in state.counted]}
    bad = sorted(memory.known_bad(found))
    good = sorted(memory.known_good(found))
    there = [ledger_table.revision_json(one) for one in history]
    last = {
        "memory": content["memory"],
        "knownBad": bad,
        "knownGood": good,
        "breaker": told,
        "revisions": there,
    }
    click.echo(json_line(last))


async def _asked(
    workload: tuple[str, ...], shared: Common, *, is_local: bool
) -> tuple[Target, Ledger, Lock, tuple[Revision, ...], datetime]:
    connection = connect.connection(shared.flags, here.process())
    target = targets.parse(workload, connection.namespace)
    async with client_of(connection, shared) as client:
        ledger = ledger_of(client, connection, target, is_local=is_local)
        history, lease = await asyncio.gather(
            past(Here(client=client, target=target)), ledger.read(), return_exceptions=True
        )
        now = client.now()
    if isinstance(lease, BaseException):
        raise lease
    found = form.read(lease)
    if isinstance(found, UnreadableLedger):
        raise ConfigError(
            f"the ledger of {target} cannot be read: {found.why}",
            remedy="use the backout that wrote it, or look at the Lease's annotation "
            "backout.dev/ledger",
        )
    there = _told(history, target, is_kept=lease is not None)
    return target, again.of_history(found, there), records.lock(lease), there, now


def _told(
    history: tuple[Revision, ...] | BaseException, target: Target, *, is_kept: bool
) -> tuple[Revision, ...]:
    """Return the history; none where a ledger that is kept can be shown without it.

    Raises what reading it raised where there is nothing else to show.
    """
    if not isinstance(history, BaseException):
        return history
    is_gone = isinstance(history, NotFound) and is_kept
    if not is_gone and not isinstance(history, Forbidden):
        raise history
    why = f"{target} is gone" if is_gone else str(history)
    words = f"note: which numbers its revisions have now is not known: {why}"
    click.echo(shown(words, tables.LINE), err=True)
    return ()
