"""What a Role is called, whom it is bound to, and what it leaves out."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options


class GrantOptions(Options, frozen=True, kw_only=True):
    """The Role's name, the Secrets that may be read, and whom it is bound to."""

    name: str | None
    secrets: tuple[str, ...]
    accounts: tuple[str, ...]
    users: tuple[str, ...]
    groups: tuple[str, ...]
    namespaced: bool

    declared = (
        click.option(
            "--name", metavar="NAME", help="Name of the Role.  [default: backout-COMMAND]"
        ),
        click.option(
            "--secret",
            "secrets",
            multiple=True,
            metavar="NAME",
            help="Name of a Secret that may be read; may be repeated.",
        ),
        click.option(
            "--service-account",
            "accounts",
            multiple=True,
            metavar="NS:NAME",
            help="Bind the Role to this service account.",
        ),
        click.option(
            "--user", "users", multiple=True, metavar="NAME", help="Bind the Role to this user."
        ),
        click.option(
            "--group", "groups", multiple=True, metavar="NAME", help="Bind the Role to this group."
        ),
        click.option(
            "--namespaced", is_flag=True, help="Leave out the rights that are cluster-wide."
        ),
    )
