"""How image registries are asked."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options


class RegistryOptions(Options, frozen=True, kw_only=True):
    """How image registries are asked."""

    registry_auth_file: str | None
    registry_plain_http: tuple[str, ...]
    registry_ca: str | None

    declared = (
        click.option(
            "--registry-auth-file",
            metavar="FILE",
            envvar="BACKOUT_REGISTRY_AUTH_FILE",
            help="Docker config file with credentials for registries.",
        ),
        click.option(
            "--registry-plain-http",
            metavar="HOST[:PORT]",
            multiple=True,
            envvar="BACKOUT_REGISTRY_PLAIN_HTTP",
            help="Registry to ask without TLS; may be repeated.",
        ),
        click.option(
            "--registry-ca",
            metavar="FILE",
            envvar="BACKOUT_REGISTRY_CA",
            help="CA certificates of the registries.",
        ),
    )
