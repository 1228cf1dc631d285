"""What the user agrees to beforehand: what is gone past, why, and whether anything is changed."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options
from backout.cli.options.values import OneOf


class ConsentOptions(Options, frozen=True, kw_only=True):
    """What the user agrees to. `was_unpause`: `--unpause` by the name that it once had."""

    dry_run: str
    accepted: tuple[str, ...]
    reason: str
    unpause: bool
    was_unpause: bool
    yes: bool

    declared = (
        click.option(
            "--dry-run",
            type=OneOf(["none", "server"]),
            default="none",
            help="Make every check, let the server try the patch, show the difference, and change "
            "nothing.",
        ),
        click.option(
            "--accept",
            "accepted",
            multiple=True,
            metavar="ID",
            help="Go on in spite of this finding; needs --reason.",
        ),
        click.option(
            "--reason",
            default="",
            metavar="TEXT",
            help="Reason for the rollback, kept in its record.",
        ),
        click.option(
            "--unpause", is_flag=True, help="Resume a paused workload in the same change."
        ),
        click.option("--resume", "was_unpause", is_flag=True, hidden=True),
        click.option(
            "-y",
            "--yes",
            is_flag=True,
            help="Do not ask for confirmation; needed where nobody can be asked, as in CI.",
        ),
    )

    @property
    def is_trial(self) -> bool:
        """Whether nothing is to be changed."""
        return self.dry_run == "server"
