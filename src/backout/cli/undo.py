"""`backout undo TYPE/NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from backout.cli import complete
from backout.cli import target as targets
from backout.cli.durations import DURATION
from backout.cli.options import breaker, collect, common


@click.command()
@click.argument(
    "workload",
    nargs=-1,
    required=True,
    metavar="TYPE/NAME",
    shell_complete=complete.workloads,
)
@click.option(
    "--to-revision",
    type=click.IntRange(min=1),
    metavar="N",
    shell_complete=complete.revisions,
    help="Go to this one, not the chosen.",
)
@click.option(
    "--dry-run",
    type=click.Choice(["none", "server"]),
    default="none",
    help="Check everything, let the server try the patch, show the diff, change nothing.",
)
@click.option(
    "--accept", "accepted", multiple=True, metavar="ID", help="Go past this finding; with --reason."
)
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")
@click.option("--resume", is_flag=True, help="Resume a paused workload in the same write.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--health",
    default="",
    metavar="URL|PATH",
    envvar="BACKOUT_HEALTH",
    help="What to ask: a URL, /path or PORT/path.  [default: the readiness probe's]",
)
@click.option(
    "--health-successes",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    envvar="BACKOUT_HEALTH_SUCCESSES",
    help="Good answers in a row, one a second.",
)
@click.option(
    "--health-timeout",
    type=DURATION,
    default=60.0,
    envvar="BACKOUT_HEALTH_TIMEOUT",
    help="Until the service must be healthy.  [default: 60s]",
)
@click.option(
    "--require-health",
    is_flag=True,
    envvar="BACKOUT_REQUIRE_HEALTH",
    help="Exit 5 where there is nothing to ask.",
)
@breaker
@click.option(
    "--preflight-budget",
    type=DURATION,
    default=3.0,
    envvar="BACKOUT_PREFLIGHT_BUDGET",
    help="For checks that can only warn.  [default: 3s]",
)
@click.option(
    "--registry-auth-file",
    metavar="FILE",
    envvar="BACKOUT_REGISTRY_AUTH_FILE",
    help="Docker config with credentials.",
)
@click.option(
    "--registry-plain-http",
    metavar="HOST[:PORT]",
    multiple=True,
    envvar="BACKOUT_REGISTRY_PLAIN_HTTP",
    help="A registry without TLS.",
)
@click.option(
    "--registry-ca", metavar="FILE", envvar="BACKOUT_REGISTRY_CA", help="Its CA certificates."
)
@click.option(
    "--journal",
    metavar="FILE",
    envvar="BACKOUT_JOURNAL",
    help="JSON lines, on disk before anything is changed.  [default: in the state folder]",
)
@click.option(
    "--trace-id", metavar="ID", help="Joins line, journal and record.  [default: a new one]"
)
@common
@click.pass_context
def undo(ctx: click.Context, /, workload: tuple[str, ...], **values: Any) -> int:
    """Roll a workload back to a revision proven to work, and verify that it did.

    Chooses the newest other revision whose Pods are Ready now, checks that it will come up,
    refuses with the reason where it would not, patches once, watches the rollout to its end and
    asks the service until its answers hold.

    \b
    Examples:
      backout undo deploy/web
      backout undo deploy/web --dry-run
      backout undo deploy/web -n shop --to-revision 4 --reason "INC-7: 500s"
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    shared = collect(ctx, values)
    # Nothing of this is imported for --help: a tool should start as fast as one.
    from backout.cli.policy import policy_of, trace_id_of  # noqa: PLC0415

    policy, trace_id = policy_of(values), trace_id_of(values["trace_id"])
    from backout.cli.session import Settings, run_undo  # noqa: PLC0415 (nor for usage errors)

    return run_undo(
        Settings(
            workload=lambda namespace: targets.parse(workload, namespace),
            common=shared,
            policy=policy,
            dry_run=values["dry_run"] == "server",
            ask=not values["yes"],
            health_timeout=values["health_timeout"],
            preflight_budget=values["preflight_budget"],
            registry_auth_file=_path(values["registry_auth_file"]),
            registry_plain_http=frozenset(values["registry_plain_http"]),
            registry_ca=values["registry_ca"],
            journal=_path(values["journal"]),
            trace_id=trace_id,
        )
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
