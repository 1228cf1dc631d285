"""`backout rbac`: the least Role of a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from backout.cli.help.command import Helped
from backout.cli.options.values import OneOf
from backout.core.rights.commands import COMMANDS, UNDO

if TYPE_CHECKING:
    from backout.core.rights.roles import Grantee

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ROLE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.:_]{0,198}[A-Za-z0-9])?")
_LONGEST = 253


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
@click.option("--name", metavar="NAME", help="Name of the Role.  [default: backout-COMMAND]")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="Name of a Secret that may be read; may be repeated.",
)
@click.option(
    "--service-account",
    "accounts",
    multiple=True,
    metavar="NS:NAME",
    help="Bind the Role to this service account.",
)
@click.option("--user", "users", multiple=True, metavar="NAME", help="Bind the Role to this user.")
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Bind the Role to this group."
)
@click.option("--namespaced", is_flag=True, help="Leave out the rights that are cluster-wide.")
@click.pass_context
def rbac(ctx: click.Context, /, *, command: str, namespaced: bool, **values: Any) -> int:
    """Print the least Role that a command needs, for kubectl apply. Asks nobody.

    What is cluster-wide is in a ClusterRole of its own, and optional. What is opt-in is commented
    out.

    \b
    Examples:
      backout rbac | kubectl apply -n shop -f -
      backout rbac -n shop --service-account ci:deployer --secret pull-secret | kubectl apply -f -
      backout rbac --for check --namespaced
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.core.rights.roles import Wanted, manifest  # noqa: PLC0415 (not for --help)

    before = ctx.obj or {}
    if "user" in before:
        raise click.UsageError("--user of rbac stands after it: whom to bind the Role to")
    where = values["namespace"] or before.get("namespace") or ""
    role = values["name"] or f"backout-{command}"
    secrets = tuple(dict.fromkeys(values["secrets"]))
    _check("-n", _LABEL, *([where] if where else []))
    _check("--name", _ROLE, role)
    _check("--secret", _NAME, *secrets)
    wanted = Wanted(
        command=command,
        name=role,
        namespace=where,
        secrets=secrets,
        subjects=(
            *map(_account, values["accounts"]),
            *_people("User", values["users"]),
            *_people("Group", values["groups"]),
        ),
        is_namespaced=namespaced,
    )
    click.echo(manifest(wanted), nl=False)
    return 0


def _account(text: str) -> Grantee:
    from backout.core.rights.roles import Grantee  # noqa: PLC0415 (not for --help)

    namespace, colon, name = text.partition(":")
    if not colon or not _LABEL.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise click.UsageError(f"--service-account takes NAMESPACE:NAME, not {text[:40]!r}")
    return Grantee(kind="ServiceAccount", name=name, namespace=namespace)


def _people(kind: str, names: tuple[str, ...]) -> tuple[Grantee, ...]:
    from backout.core.rights.roles import Grantee  # noqa: PLC0415 (not for --help)

    for name in names:
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise click.UsageError(f"--{kind.lower()} takes a name, not {name[:40]!r}")
    return tuple(Grantee(kind=kind, name=name) for name in names)


def _check(flag: str, form: re.Pattern[str], *names: str) -> None:
    for one in names:
        if not form.fullmatch(one):
            raise click.UsageError(f"{flag} takes a name that an object can have, not {one[:40]!r}")
