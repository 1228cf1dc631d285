"""Lists the ledgers of a namespace, or of the whole cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from backout.cli import here
from backout.cli.looking import client_of, run, tell_notes
from backout.cli.output import tables
from backout.cli.output.gate import shown
from backout.cli.output.printing import LONGEST, json_line, printer
from backout.cli.output.words import ledger_table
from backout.cli.program import program
from backout.core.errors import Forbidden
from backout.core.kubernetes import objects
from backout.core.ledger import form, records
from backout.core.ledger.records import OURS, WORKLOAD, UnreadableLedger
from backout.core.spans import span
from backout.kube import paths
from backout.session import connect

if TYPE_CHECKING:
    from datetime import datetime

    from backout.cli.options.shared import Common
    from backout.core.ledger.records import Ledger
    from backout.core.model import Object

HEADER = ("NAMESPACE", "WORKLOAD", "LAST ROLLBACK", "FROM", "TO", "RESULT", "BY", "LOCK")


def show(shared: Common, *, everywhere: bool) -> int:
    """Print one line a ledger; return the exit code."""
    tell_notes(shared)
    leases, now = run(_asked(shared, everywhere=everywhere), shared)
    if shared.output == "json":
        for lease in leases:
            click.echo(json_line(_json(lease)))
        return 0
    ledgers = [(lease, form.read(lease)) for lease in leases]
    if not ledgers:
        click.echo("no rollbacks recorded")
    rows = [("", _row(lease, found, now)) for lease, found in ledgers]
    tables.table(printer(), HEADER if rows else None, rows)
    for way_on in filter(None, (_way_on(lease, found, now) for lease, found in ledgers)):
        click.echo(shown(way_on, LONGEST))
    return 0


async def _asked(shared: Common, *, everywhere: bool) -> tuple[list[Object], datetime]:
    connection = connect.connection(shared.flags, here.process())
    path = paths.all_leases() if everywhere else paths.leases(connection.namespace)
    ours = objects.selector_text({"matchLabels": OURS})
    async with client_of(connection, shared) as client:
        try:
            listing = await client.list(path, label_selector=ours)
        except Forbidden as error:
            rule = "{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [list]}"
            role = "ClusterRole" if everywhere else "Role"
            raise Forbidden(
                error.message, code=error.code, remedy=f"ask for this rule in a {role}: {rule}"
            ) from None
        return list(listing.items), client.now()


def _row(lease: Object, found: Ledger | UnreadableLedger, now: datetime) -> tuple[str, ...]:
    where = (str(objects.dig(lease, "metadata", "namespace", default="")), _workload(lease))
    if isinstance(found, UnreadableLedger):
        return (*where, "-", "-", "-", f"unreadable: {found.why}", "-", "-")
    held = records.lock(lease)
    lock = "-" if not held.holder else "held" if held.is_held(now) else "expired"
    if not found.records:
        return (*where, "-", "-", "-", "-", "-", lock)
    last = found.records[-1]
    return (
        *where,
        f"{span(now, since=last.intent_at)} ago",
        str(last.source.revision),
        str(last.destination.revision),
        ledger_table.result(last),
        last.actor,
        lock,
    )


def _way_on(lease: Object, found: Ledger | UnreadableLedger, now: datetime) -> str:
    if isinstance(found, UnreadableLedger):
        return ""
    where = f"{_workload(lease)} -n {objects.dig(lease, 'metadata', 'namespace', default='')}"
    line = f"{program()} resume {where}"
    return ledger_table.way_on(found, records.lock(lease), now, line)


def _json(lease: Object) -> dict[str, Any]:
    """Return a ledger as it stands in its Lease; one that cannot be read says why."""
    found = form.read(lease)
    why, content = "", None
    if isinstance(found, UnreadableLedger):
        why = found.why
    else:
        content = json.loads(form.written(found))
    return {
        "namespace": objects.dig(lease, "metadata", "namespace", default=""),
        "workload": _workload(lease),
        "lease": objects.name(lease),
        "holder": records.lock(lease).holder,
        "unreadable": why,
        "ledger": content,
    }


def _workload(lease: Object) -> str:
    return objects.annotations_of(lease).get(WORKLOAD, objects.name(lease))
