"""`backout rbac`: the least Role of a command."""

from __future__ import annotations

import click

from backout.cli.help.command import Helped
from backout.cli.options.groups.granting import GrantOptions
from backout.cli.options.groups.options import receives
from backout.cli.options.values import OneOf
from backout.core.rights.commands import COMMANDS, UNDO


@click.command(cls=Helped)
@click.option(
    "--for",
    "command",
    type=OneOf(COMMANDS),
    default=UNDO,
    show_default=True,
    help="Command that the Role allows (mark is ledger mark).",
)
@click.option(
    "-n", "--namespace", metavar="NS", help="Namespace of the Role.  [default: kubectl's]"
)
@receives(grant=GrantOptions)
@click.pass_context
def rbac(ctx: click.Context, /, *, command: str, namespace: str | None, grant: GrantOptions) -> int:
    """Print the least Role that a command needs, for kubectl apply. It asks no server.

    What is cluster-wide is in a ClusterRole of its own, and optional. What is opt-in is commented
    out.

    \b
    Examples:
      backout rbac | kubectl apply -n shop -f -
      backout rbac -n shop --service-account ci:deployer | kubectl apply -f -
      backout rbac --for check --namespaced
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    before = ctx.obj or {}
    if "user" in before:
        raise click.UsageError("put --user after rbac: it names whom to bind the Role to")
    from backout.cli.runs.rbac_run import run  # noqa: PLC0415 (not for --help)

    return run(command, namespace or before.get("namespace") or "", grant)
