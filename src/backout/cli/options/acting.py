"""Options that the acting commands share, and what they come down to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backout.cli.options import complete
from backout.cli.options import target as targets
from backout.cli.options.durations import DURATION, DURATION_OR_NONE
from backout.cli.options.shared import with_options
from backout.cli.options.values import Number, OneOf

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

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
        help="Address that must answer for the service to be healthy: a URL, /path or PORT/path; "
        "may be repeated.  [default: the readiness probe's]",
    ),
    click.option(
        "--health-status",
        default="",
        metavar="STATUS",
        envvar="BACKOUT_HEALTH_STATUS",
        help="Status codes that count as healthy: 200, 2xx, 200-204 or a list.  [default: 2xx]",
    ),
    click.option(
        "--health-text",
        default="",
        metavar="TEXT",
        envvar="BACKOUT_HEALTH_TEXT",
        help="Text that the body of a healthy answer contains.",
    ),
    click.option(
        "--health-json",
        multiple=True,
        metavar="PATH=VALUE",
        envvar="BACKOUT_HEALTH_JSON",
        help="Field that the JSON of a healthy answer has: status=ok, checks.0.db=up.",
    ),
    click.option(
        "--health-method",
        type=OneOf(["GET", "HEAD", "POST"]),
        default="GET",
        envvar="BACKOUT_HEALTH_METHOD",
        help="HTTP method that health URLs are asked with.  [default: GET]",
    ),
    click.option(
        "--health-header-file",
        metavar="FILE",
        envvar="BACKOUT_HEALTH_HEADER_FILE",
        help="File with headers for health URLs of one host, a line `Name: value` each; one "
        "may also stand in BACKOUT_HEALTH_HEADER.",
    ),
    click.option(
        "--health-ca",
        metavar="FILE",
        envvar="BACKOUT_HEALTH_CA",
        help="CA certificates for health URLs, beside the system's.",
    ),
    click.option(
        "--health-command",
        default="",
        metavar="CMD",
        envvar="BACKOUT_HEALTH_COMMAND",
        help="Smoke test of your own, run by /bin/sh -c: exit 0 is healthy.",
    ),
    click.option(
        "--health-command-timeout",
        type=DURATION,
        default=30.0,
        envvar="BACKOUT_HEALTH_COMMAND_TIMEOUT",
        help="Kill the smoke test after this long.  [default: 30s]",
    ),
    click.option(
        "--health-successes",
        type=Number(1, 100),
        default=3,
        show_default=True,
        envvar="BACKOUT_HEALTH_SUCCESSES",
        help="Number of healthy answers in a row, one a second, that prove the service healthy.",
    ),
    click.option(
        "--soak",
        type=DURATION_OR_NONE,
        envvar="BACKOUT_SOAK",
        help="Least time that the healthy answers must span.  "
        "[default: 5s, nothing where one answer is enough]",
    ),
    click.option(
        "--health-timeout",
        type=DURATION,
        envvar="BACKOUT_HEALTH_TIMEOUT",
        help="Time limit for the service to become healthy.  "
        "[default: 60s, and what --soak and the runs of "
        "--health-command may take]",
    ),
    click.option(
        "--require-health",
        is_flag=True,
        envvar="BACKOUT_REQUIRE_HEALTH",
        help="Refuse if the service's health cannot be asked; exit 5 if the answer is lost later.",
    ),
)
_PIN = (
    click.option(
        "--pin",
        is_flag=True,
        help="Roll back to the image digests that ran, for a tag that has moved since.",
    ),
)
_PATIENCE = (
    click.option(
        "--patience",
        type=DURATION_OR_NONE,
        envvar="BACKOUT_PATIENCE",
        help="Time to wait for what somebody else may still put right: a Secret, an image, a "
        "node. 0s does not wait.  [default: 30s; 3m for a Secret that is new, and with an "
        "autoscaler]",
    ),
)
_FAIL_FAST = (
    click.option(
        "--fail-fast",
        is_flag=True,
        envvar="BACKOUT_FAIL_FAST",
        help="Fail at the first suspected cause instead of waiting until it is certain.",
    ),
    *_PATIENCE,
)
_LEDGER = (
    click.option(
        "--ledger",
        "where",
        type=OneOf(["cluster", "local"]),
        default="cluster",
        envvar="BACKOUT_LEDGER",
        help="Where the lock and the history are kept: in the cluster's Leases, or in a local "
        "file, which protects this machine only.",
    ),
)
_LOCK = (
    click.option(
        "--lease-duration",
        type=DURATION,
        default=60.0,
        envvar="BACKOUT_LEASE_DURATION",
        help="Time after which the lock of a process that died expires.  [default: 60s]",
    ),
    click.option(
        "--take-over",
        is_flag=True,
        help="Take the lock from its holder, dead or alive. This is recorded.",
    ),
)
_RECORD = (
    click.option(
        "--journal",
        metavar="FILE",
        envvar="BACKOUT_JOURNAL",
        help="File that every event is written to, one JSON line each.  "
        "[default: in the state folder]",
    ),
    click.option(
        "--trace-id",
        metavar="ID",
        help="Id that joins the output, the journal and the record.  [default: a new one]",
    ),
)


_PREFLIGHT = (
    click.option(
        "--show-values",
        is_flag=True,
        help="Show the values of the Pod template that differ, except for what looks like a "
        "credential.",
    ),
    click.option(
        "--strict",
        is_flag=True,
        envvar="BACKOUT_STRICT",
        help="Refuse at a WARN, too, unless it is accepted.",
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
        help="Time limit for checks that can only warn.  [default: 3s]",
    ),
)
_REGISTRY = (
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


def pin(command: F) -> F:
    """Give a command the option that takes images by the digest that ran."""
    return with_options(command, _PIN)


_PROOF = (
    click.option(
        "--to-image",
        metavar="NAME[:TAG]",
        default="",
        shell_complete=complete.images,
        help="Roll back to the best revision that has this image.",
    ),
    click.option(
        "--to-last-healthy",
        is_flag=True,
        help="Roll back to the newest revision that was recorded healthy.",
    ),
    click.option(
        "--require-proof",
        is_flag=True,
        envvar="BACKOUT_REQUIRE_PROOF",
        help="Refuse a revision that nothing proves to work.",
    ),
    click.option(
        "--rehearse",
        is_flag=True,
        help="Try the revision out in one trial Pod before anything is changed.",
    ),
    click.option(
        "--rehearse-timeout",
        type=DURATION,
        default=60.0,
        envvar="BACKOUT_REHEARSE_TIMEOUT",
        help="Time limit for the trial Pod to become Ready and healthy.  [default: 60s]",
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
        help="PromQL condition that every series must meet for the service to be healthy; may "
        "be repeated.",
    ),
    click.option(
        "--prometheus",
        metavar="URL",
        envvar="BACKOUT_PROMETHEUS",
        help="Prometheus to ask for metrics and for firing alerts.",
    ),
    click.option(
        "--prometheus-token-file",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_TOKEN_FILE",
        help="File with the bearer token for Prometheus.",
    ),
    click.option(
        "--prometheus-basic-file",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_BASIC_FILE",
        help="File with user:password for Prometheus.",
    ),
    click.option(
        "--prometheus-ca",
        metavar="FILE",
        envvar="BACKOUT_PROMETHEUS_CA",
        help="CA certificates of Prometheus.",
    ),
    click.option(
        "--notify",
        metavar="URL",
        envvar="BACKOUT_NOTIFY",
        help="URL to POST the announcement and the outcome to, once each.",
    ),
    click.option(
        "--notify-key-file",
        metavar="FILE",
        envvar="BACKOUT_NOTIFY_KEY_FILE",
        help="File with the key that notifications are signed with.",
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
        quiet=shared.quiet,
        verbose=shared.verbose,
        notes=shared.notes,
        is_local=values.get("where") == "local",
        journal=path(values.get("journal")),
        **more,
    )


def _settings(shared: Common, values: dict[str, Any], policy: Request | None) -> Settings:
    from backout.cli.options.telemetry import telemetry_of  # noqa: PLC0415
    from backout.cli.program import program  # noqa: PLC0415
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
    from pathlib import Path  # noqa: PLC0415 (not for --help)

    return Path(text) if text is not None else None
