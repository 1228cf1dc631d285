"""What `ledger mark` writes down."""

from __future__ import annotations

import click

from backout.cli.options import complete
from backout.cli.options.groups.options import Options
from backout.cli.options.values import Number


class MarkOptions(Options, frozen=True, kw_only=True):
    """What is written down of which revision, and why; `revision` None: the current one."""

    healthy: bool
    bad: bool
    revision: int | None
    reason: str

    declared = (
        click.option("--healthy", is_flag=True, help="With mark: record that the revision works."),
        click.option(
            "--bad",
            is_flag=True,
            help="With mark: record that the revision does not work; undo passes it over.",
        ),
        click.option(
            "--revision",
            type=Number(min=1),
            metavar="N",
            shell_complete=complete.all_revisions,
            help="With mark: the revision to mark.  [default: the current one]",
        ),
        click.option(
            "--reason",
            default="",
            metavar="TEXT",
            help="With mark: the reason, kept in the ledger.",
        ),
    )

    @property
    def given(self) -> tuple[str, ...]:
        """The names of what was given."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name))
