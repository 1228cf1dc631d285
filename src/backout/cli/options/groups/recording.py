"""Where a run is recorded, and under which id."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options


class RecordOptions(Options, frozen=True, kw_only=True):
    """Where a run is recorded, and under which id."""

    journal: str | None
    trace_id: str | None

    declared = (
        click.option(
            "--journal",
            metavar="FILE",
            envvar="BACKOUT_JOURNAL",
            help="File that every event is written to, one JSON line each.  "
            "[default: in the state folder]",
        ),
        click.option(
            "--trace-id",
            metavar="ID",
            help="Id that joins the output, the journal and the record.  [default: a new one]",
        ),
    )
