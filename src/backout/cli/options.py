"""Options that every command has, kubectl's names and meaning; before or after the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from backout.cli import complete
from backout.cli.durations import DURATION

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Common:
    """What the common options said. Durations in seconds."""

    namespace: str | None
    context: str | None
    kubeconfig: str | None
    cluster: str | None
    user: str | None
    impersonate: str | None
    impersonate_groups: tuple[str, ...]
    request_timeout: float | None
    timeout: float | None
    output: str
    verbose: bool


_OPTIONS = (
    click.option(
        "-n",
        "--namespace",
        metavar="NS",
        shell_complete=complete.namespaces,
        help="Namespace of the workload.",
    ),
    click.option(
        "--context",
        metavar="NAME",
        shell_complete=complete.contexts,
        help="Context of the kubeconfig.",
    ),
    click.option(
        "--kubeconfig", metavar="FILE", type=click.Path(), help="Kubeconfig instead of $KUBECONFIG."
    ),
    click.option("--cluster", metavar="NAME", help="Cluster of the kubeconfig."),
    click.option("--user", metavar="NAME", help="User of the kubeconfig."),
    click.option("--as", "impersonate", metavar="USER", help="Act as this user."),
    click.option(
        "--as-group", "impersonate_groups", metavar="GROUP", multiple=True, help="And this group."
    ),
    click.option(
        "--request-timeout",
        type=DURATION,
        envvar="BACKOUT_REQUEST_TIMEOUT",
        help="Of one request.  [default: reads 10s, writes 60s]",
    ),
    click.option(
        "--timeout",
        type=DURATION,
        envvar="BACKOUT_TIMEOUT",
        help="Of the whole.  [default: progress deadline + 60s]",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        envvar="BACKOUT_OUTPUT",
        help="json: one event a line on stdout.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, help="Show each request on stderr, never bodies."
    ),
)
_NAMES = tuple(Common.__dataclass_fields__)


_BREAKER = (
    click.option(
        "--rollback-limit",
        type=click.IntRange(1, 50),
        default=2,
        show_default=True,
        envvar="BACKOUT_ROLLBACK_LIMIT",
        help="Rollbacks of one workload in the window.",
    ),
    click.option(
        "--rollback-window",
        type=DURATION,
        default=3600.0,
        envvar="BACKOUT_ROLLBACK_WINDOW",
        help="The window.  [default: 1h]",
    ),
)


def breaker(command: F) -> F:
    """Give a command the breaker's limit and window."""
    return with_options(command, _BREAKER)


def common(command: F) -> F:
    """Give a command the common options."""
    return with_options(command, _OPTIONS)


def with_options(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    """Give a command these options, in this order in its help."""
    for option in reversed(options):
        command = option(command)
    return command


def collect(ctx: click.Context, values: dict[str, Any]) -> Common:
    """Return the common options: those after the command outrank those before it."""
    before: dict[str, Any] = ctx.obj or {}
    return Common(
        **{
            name: values[name] if _is_given(ctx, name) else before.get(name, values[name])
            for name in _NAMES
        }
    )


def given(ctx: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """Return the common options that stand before the command."""
    return {name: values[name] for name in _NAMES if _is_given(ctx, name)}


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
