"""Carries `backout rbac` out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from backout.cli.output.role_yaml import Grantee, Wanted, manifest

if TYPE_CHECKING:
    from backout.cli.options.groups.granting import GrantOptions

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ROLE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.:_]{0,198}[A-Za-z0-9])?")
_LONGEST = 253


def run(command: str, where: str, grant: GrantOptions) -> int:
    """Print the Role; return the exit code. Raises click.UsageError for what is no name."""
    role = grant.name or f"backout-{command}"
    secrets = tuple(dict.fromkeys(grant.secrets))
    _check("-n", "namespace", _LABEL, *([where] if where else []))
    _check("--name", "Role", _ROLE, role)
    _check("--secret", "Secret", _NAME, *secrets)
    wanted = Wanted(
        command=command,
        name=role,
        namespace=where,
        secrets=secrets,
        subjects=(
            *map(_account, grant.accounts),
            *_people("User", grant.users),
            *_people("Group", grant.groups),
        ),
        is_namespaced=grant.namespaced,
    )
    click.echo(manifest(wanted), nl=False)
    return 0


def _account(text: str) -> Grantee:
    namespace, colon, name = text.partition(":")
    if not colon or not _LABEL.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise click.UsageError(f"--service-account takes NAMESPACE:NAME; got {text[:40]!r}")
    return Grantee(kind="ServiceAccount", name=name, namespace=namespace)


def _people(kind: str, names: tuple[str, ...]) -> tuple[Grantee, ...]:
    for name in names:
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise click.UsageError(f"--{kind.lower()} takes a name; got {name[:40]!r}")
    return tuple(Grantee(kind=kind, name=name) for name in names)


def _check(flag: str, kind: str, form: re.Pattern[str], *names: str) -> None:
    for one in names:
        if not form.fullmatch(one):
            raise click.UsageError(f"{flag} takes the name of a {kind}; got {one[:40]!r}")
