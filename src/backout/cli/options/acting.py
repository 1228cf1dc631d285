"""Options that the acting commands share, and what they come down to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backout.cli.options import complete
from backout.cli.options import target as targets
from backout.cli.options.durations import DURATION, DURATION_OR_NONE
from backout.cli.options.shared import with_options

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from backout.cli.invocation import Invocation
    from backout.cli.options.shared import Common
    from backout.core.outcome import Outcome
    from backout.core.preflight.request import Request
    from backout.session.settings import Settings
    from backout.steps.run import Limits, Run

F = TypeVar("F", bound=Callable[..., Any])

_HEALTH = (
    click.option(
        "--health",
        multiple=True,
        metavar="URL|PATH",
        envvar="BACKOUT_HEALTH",
        help="What to ask: a URL, /path or PORT/path; all must be well.  "
        "[default: the readiness probe's]",
    ),
    click.option(
        "--health-status",
        default="",
        metavar="STATUS",
        envvar="BACKOUT_HEALTH_STATUS",
        help="Good ones: 200, 2xx, 200-204, or a list.  [default: 2xx]",
    ),
    click.option(
        "--health-text",
        default="",
        metavar="TEXT",
        envvar="BACKOUT_HEALTH_TEXT",
        help="A good answer's body has this in it.",
    ),
    click.option(
        "--health-json",
        multiple=True,
        metavar="PATH=VALUE",
        envvar="BACKOUT_HEALTH_JSON",
        help="Its JSON has this field: status=ok, checks.0.db=up.",
    ),
    click.option(
        "--health-method",
        type=click.Choice(["GET", "HEAD", "POST"]),
        default="GET",
        envvar="BACKOUT_HEALTH_METHOD",
        help="How a URL is asked.  [default: GET]",
    ),
    click.option(
        "--health-header-file",
        metavar="FILE",
        envvar="BACKOUT_HEALTH_HEADER_FILE",
        help="Lines `Name: value` for URLs, all of one host; or in BACKOUT_HEALTH_HEADER.",
    ),
    click.option(
        "--health-ca",
        metavar="FILE",
        envvar="BACKOUT_HEALTH_CA",
        help="CA certificates for https URLs, beside the system's.",
    ),
    click.option(
        "--health-command",
        default="",
        metavar="CMD",
        envvar="BACKOUT_HEALTH_COMMAND",
        help="Your own smoke test, for /bin/sh -c: exit 0 is healthy.",
    ),
    click.option(
        "--health-command-timeout",
        type=DURATION,
        default=30.0,
        envvar="BACKOUT_HEALTH_COMMAND_TIMEOUT",
        help="Of one run of it; then it is killed.  [default: 30s]",
    ),
    click.option(
        "--health-successes",
        type=click.IntRange(1, 100),
        default=3,
        show_default=True,
        envvar="BACKOUT_HEALTH_SUCCESSES",
        help="Good answers in a row, one a second.",
    ),
    click.option(
        "--soak",
        type=DURATION,
        envvar="BACKOUT_SOAK",
        help="How long they must span at least.  [default: 5s, nothing where one is enough]",
    ),
    click.option(
        "--health-timeout",
        type=DURATION,
        envvar="BACKOUT_HEALTH_TIMEOUT",
        help="Until the service must be healthy.  [default: 60s, and what --soak and the runs of "
        "--health-command may take]",
    ),
    click.option(
        "--require-health",
        is_flag=True,
        envvar="BACKOUT_REQUIRE_HEALTH",
        help="Refuse where nothing can be asked; exit 5 where the answer is lost.",
    ),
)
_PIN = (
    click.option(
        "--pin",
        is_flag=True,
        help="Take the target's images by the digest that ran: where a tag has moved.",
    ),
)
_PATIENCE = (
    click.option(
        "--patience",
        type=DURATION_OR_NONE,
        envvar="BACKOUT_PATIENCE",
        help="How long to wait for what somebody else may still put right: a Secret, an image, a "
        "node. 0s does not wait.  [default: 30s; 3m for a Secret that is new, and with an "
        "autoscaler]",
    ),
)
_FAIL_FAST = (
    click.option(
        "--fail-fast",
        is_flag=True,
        envvar="BACKOUT_FAIL_FAST",
        help="Fail at the first suspected cause, without waiting until it is certain.",
    ),
    *_PATIENCE,
)
_LEDGER = (
    click.option(
        "--ledger",
        "where",
        type=click.Choice(["cluster", "local"]),
        default="cluster",
        envvar="BACKOUT_LEDGER",
        help="local: a file that protects this machine only, for want of the right to Leases.",
    ),
)
_LOCK = (
    click.option(
        "--lease-duration",
        type=DURATION,
        default=60.0,
        envvar="BACKOUT_LEASE_DURATION",
        help="How long the lock outlives a holder that died.  [default: 60s]",
    ),
    click.option(
        "--take-over",
        is_flag=True,
        help="Take the lock from its holder, dead or alive; recorded.",
    ),
)
_RECORD = (
    click.option(
        "--journal",
        metavar="FILE",
        envvar="BACKOUT_JOURNAL",
        help="JSON lines, on disk before anything is changed.  [default: in the state folder]",
    ),
    click.option(
        "--trace-id", metavar="ID", help="Joins line, journal and record.  [default: a new one]"
    ),
)


_PREFLIGHT = (
    click.option(
        "--show-values",
        is_flag=True,
        help="Also tell the values of the Pod template that differ, but for what looks like a "
        "credential.",
    ),
    click.option(
        "--strict",
        is_flag=True,
        envvar="BACKOUT_STRICT",
        help="A WARN refuses, too, unless it is accepted.",
    ),
    click.option(
        "--heal/--no-heal",
        default=True,
        envvar="BACKOUT_HEAL",
        help="Also roll back what kubectl apply, Helm and Flux go by, so that the next deploy "
        "works as usual.  [default: heal]",
    ),
    click.option(
        "--preflight-budget",
        type=DURATION,
        default=3.0,
        envvar="BACKOUT_PREFLIGHT_BUDGET",
        help="For checks that can only warn.  [default: 3s]",
    ),
)
_REGISTRY = (
    click.option(
        "--registry-auth-file",
        metavar="FILE",
        envvar="BACKOUT_REGISTRY_AUTH_FILE",
        help="Docker config with credentials.",
    ),
    click.option(
        "--registry-plain-http",
        metavar="HOST[:PORT]",
        multiple=True,
        envvar="BACKOUT_REGISTRY_PLAIN_HTTP",
        help="A registry without TLS.",
    ),
    click.option(
        "--registry-ca", metavar="FILE", envvar="BACKOUT_REGISTRY_CA", help="Its CA certificates."
    ),
)


def pin(command: F) -> F:
    """Give a command the option that takes images by the digest that ran."""
    return with_options(command, _PIN)


_PROOF = (
    click.option(
        "--to-image",
        metavar="NAME[:TAG]",
        default="",
        shell_complete=complete.images,
        help="Only to a revision with this image, the best of several.",
    ),
    click.option(
        "--to-last-healthy",
        is_flag=True,
        help="Only to a revision that was recorded healthy, the newest.",
    ),
    click.option(
        "--require-proof",
        is_flag=True,
        envvar="BACKOUT_REQUIRE_PROOF",
        help="Refuse a target that nothing shows to work.",
    ),
    click.option(
        "--rehearse",
        is_flag=True,
        help="Try the target out in one trial Pod before anything is switched.",
    ),
    click.option(
        "--rehearse-timeout",
        type=DURATION,
        default=60.0,
        envvar="BACKOUT_REHEARSE_TIMEOUT",
        help="Until the trial Pod must be up and well.  [default: 60s]",
    ),
)


_REPLACE = (
    click.option(
        "--replace-stuck-pods",
        is_flag=True,
        help="After the rollback, delete Pods that the controller waits for and never replaces: "
        "only ones that are not Ready, one at a time.",
    ),
)


def replacing(command: F) -> F:
    """Give a command the option that deletes Pods which hold the rollback up."""
    return with_options(command, _REPLACE)


def proof(command: F) -> F:
    """Give a command the options on what its target must have: an image, or proof."""
    return with_options(command, _PROOF)


_TELEMETRY = (
    click.option(
        "--metric",
        "metrics",
        metavar="'EXPR OP NUMBER'",
        multiple=True,
        help="Healthy only if every series of the PromQL expression is so.  Repeatable.",
    ),
    click.option(
        "--prometheus",
        metavar="URL",
        envvar="BACKOUT_PROMETHEUS",
        help="Asked for metrics and for alerts that fire.",
    ),
    click.option(
        "--prometheus-token-file",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_TOKEN_FILE",
        help="Its bearer token.",
    ),
    click.option(
        "--prometheus-basic-file",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_BASIC_FILE",
        help="user:password for it.",
    ),
    click.option(
        "--prometheus-ca",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_CA",
        help="Its CA certificates.",
    ),
    click.option(
        "--notify",
        metavar="URL",
        envvar="BACKOUT_NOTIFY",
        help="POST the announcement and the outcome there, once.",
    ),
    click.option(
        "--notify-key-file",
        metavar="FILE",
        envvar="BACKOUT_NOTIFY_KEY_FILE",
        help="Sign them with this key.",
    ),
)


def telemetry(command: F) -> F:
    """Give a command the options on metrics, alerts and notifications."""
    return with_options(command, _TELEMETRY)


def preflight(command: F) -> F:
    """Give a command the options of the checks."""
    return with_options(command, _PREFLIGHT)


def registry(command: F) -> F:
    """Give a command the options on how registries are asked."""
    return with_options(command, _REGISTRY)


def health(command: F) -> F:
    """Give a command the options on what healthy means."""
    return with_options(command, _HEALTH)


def fail_fast(command: F) -> F:
    """Give a command the options on when a suspected cause is final."""
    return with_options(command, _FAIL_FAST)


def patience(command: F) -> F:
    """Give a command the option on how long what somebody else may put right is waited for."""
    return with_options(command, _PATIENCE)


def ledger(command: F) -> F:
    """Give a command the option where the ledger lies."""
    return with_options(command, _LEDGER)


def lock(command: F) -> F:
    """Give a command the options of the lock."""
    return with_options(command, _LOCK)


def record(command: F) -> F:
    """Give a command the options of the journal."""
    return with_options(command, _RECORD)


def invocation(
    carry_out: Callable[[Run], Awaitable[Outcome]],
    workload: tuple[str, ...],
    shared: Common,
    values: dict[str, Any],
    *,
    policy: Request | None = None,
    **more: Any,
) -> Invocation:
    """Return what the command line said; raise click.UsageError where it contradicts itself.

    `values` are click's, of which a command may have only some.
    """
    # Nothing of this is imported for --help.
    from backout.cli.invocation import Invocation  # noqa: PLC0415
    from backout.cli.options.policy import trace_id_of  # noqa: PLC0415

    return Invocation(
        carry_out=carry_out,
        workload=lambda namespace: targets.parse(workload, namespace),
        flags=vars(shared),
        settings=_settings(shared, values, policy),
        trace_id=trace_id_of(values.get("trace_id")),
        output=shared.output,
        verbose=shared.verbose,
        notes=shared.notes,
        is_local=values.get("where") == "local",
        journal=path(values.get("journal")),
        **more,
    )


def _settings(shared: Common, values: dict[str, Any], policy: Request | None) -> Settings:
    from backout.cli.options.again import program  # noqa: PLC0415
    from backout.cli.options.telemetry import telemetry_of  # noqa: PLC0415
    from backout.core.preflight.request import Request  # noqa: PLC0415
    from backout.session.settings import Settings  # noqa: PLC0415

    return Settings(
        policy=replace(policy or Request(), program=program()),
        limits=_limits(shared, values),
        request_timeout=shared.request_timeout,
        health_header_file=path(values.get("health_header_file")),
        health_ca=values.get("health_ca"),
        registry_auth_file=path(values.get("registry_auth_file")),
        registry_plain_http=frozenset(values.get("registry_plain_http") or ()),
        registry_ca=values.get("registry_ca"),
        telemetry=telemetry_of(values),
    )


def _limits(shared: Common, values: dict[str, Any]) -> Limits:
    from backout.cli.options.health import spans  # noqa: PLC0415
    from backout.cli.options.policy import lease_duration  # noqa: PLC0415
    from backout.steps.run import Limits  # noqa: PLC0415

    health = spans(values)
    soak = values.get("soak") or health.get("health_soak") or 0.0
    watches = "fail_fast" in values
    if watches and shared.timeout is not None and shared.timeout < soak:
        raise click.UsageError(
            f"--timeout {shared.timeout:g}s is over before --soak {soak:g}s has held"
        )
    given: dict[str, float | None] = {
        **health,
        "total": shared.timeout,
        "preflight": values.get("preflight_budget"),
        "lease": lease_duration(values.get("lease_duration")),
        "wait_lock": values.get("wait_lock"),
        "soak": values.get("soak"),
    }
    return Limits(**{name: value for name, value in given.items() if value is not None})


def path(text: str | None) -> Path | None:
    """Return a file that an option names."""
    return Path(text) if text is not None else None
