"""What the options of `undo` come down to."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from backout.cli.options import again, health
from backout.cli.options.telemetry import metrics_of
from backout.core.checks import CHECKS
from backout.core.model import Acceptance
from backout.core.plan.plan import CHOICES
from backout.core.preflight.request import Request
from backout.core.trace import trace_id

_REASON_LIMIT = 500
_LEASE = (2.0, 600.0)
"""Seconds: shorter than a slow request it would be lost at once, longer nobody waits for it."""


def policy_of(
    ctx: click.Context,
    workload: tuple[str, ...],
    values: dict[str, Any],
    standing: tuple[Acceptance, ...] = (),
) -> Request:
    """Return what the options of `undo` ask for; a usage error where they contradict themselves.

    `standing` is what the policy file accepts.
    """
    if values["was_unpause"]:
        raise click.UsageError(
            "--resume is called --unpause now; `backout resume` goes on with a rollback that was "
            "left open"
        )
    accepted, reason = values["accepted"], _reason(values)
    if accepted and not reason:
        raise click.UsageError("--accept needs --reason TEXT: the record keeps why")
    _check_ids(accepted)
    return replace(
        health_policy(values),
        to_revision=values["to_revision"],
        to_image=values["to_image"],
        accepted=(
            *(Acceptance(id=i, reason=reason) for i in accepted),
            *(a for a in standing if a.id not in accepted),
        ),
        reason=reason,
        pin=values["pin"],
        unpause=values["unpause"],
        baseline=True,
        **_proof(values),
        **_limits(values),
        command=again.words(ctx, workload, "undo"),
    )


def check_policy(
    ctx: click.Context,
    workload: tuple[str, ...],
    values: dict[str, Any],
    standing: tuple[Acceptance, ...] = (),
) -> Request:
    """Return what `check` asks for; the line that goes on anyway is an `undo`."""
    return Request(
        **health.wanted(values),
        to_revision=values["to_revision"],
        to_image=values["to_image"],
        pin=values["pin"],
        require_health=values["require_health"],
        accepted=standing,
        **_proof(values),
        **_limits(values),
        command=again.words(ctx, workload, "undo"),
    )


def _proof(values: dict[str, Any]) -> dict[str, Any]:
    given = {
        "--to-revision": values["to_revision"] is not None,
        "--to-image": bool(values["to_image"]),
        "--to-last-healthy": values["to_last_healthy"],
    }
    named = [option for option, is_given in given.items() if is_given]
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(named)} contradict each other")
    return {
        "to_last_healthy": values["to_last_healthy"],
        "require_proof": values["require_proof"],
        "rehearse": values["rehearse_timeout"] if values["rehearse"] else 0.0,
    }


def _limits(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "strict": values["strict"],
        "show_values": values["show_values"],
        "heal": values["heal"],
        "limit": values["rollback_limit"],
        "window": timedelta(seconds=values["rollback_window"]),
    }


def health_policy(values: dict[str, Any]) -> Request:
    """Return what the options on health and on the lock ask for."""
    return Request(
        **health.wanted(values),
        successes=values["health_successes"],
        metrics=metrics_of(values),
        require_health=values["require_health"],
        take_over=values["take_over"],
        replace_stuck_pods=values["replace_stuck_pods"],
        fail_fast=values["fail_fast"],
        patience=values["patience"],
        ledger_is_local=values["where"] == "local",
    )


def verify_policy(values: dict[str, Any]) -> Request:
    """Return what `verify` asks for."""
    return Request(
        **health.wanted(values),
        successes=values["health_successes"],
        metrics=metrics_of(values),
        require_health=values["require_health"],
        fail_fast=values["fail_fast"],
        patience=values["patience"],
        reason=_reason(values),
        ledger_is_local=values["where"] == "local",
    )


def watch_policy(values: dict[str, Any]) -> Request:
    """Return what `status` asks for."""
    return Request(fail_fast=values["fail_fast"], patience=values["patience"])


def look_policy(values: dict[str, Any]) -> Request:
    """Return what `explain` asks for."""
    return Request(patience=values["patience"])


def mark_policy(values: dict[str, Any]) -> Request:
    """Return what `ledger mark` asks for."""
    return Request(reason=_reason(values), ledger_is_local=values["where"] == "local")


def _reason(values: dict[str, Any]) -> str:
    reason: str = values["reason"].strip()
    if len(reason) > _REASON_LIMIT:
        raise click.UsageError(f"--reason takes {_REASON_LIMIT} characters at most")
    return reason


def lease_duration(seconds: float | None) -> float | None:
    """Return the lease's duration; a usage error where it is none that a lock can have."""
    if seconds is not None and not _LEASE[0] <= seconds <= _LEASE[1]:
        raise click.UsageError(
            f"--lease-duration takes {_LEASE[0]:.0f} s to {_LEASE[1] / 60:.0f} min"
        )
    return seconds


def check_value(key: str, value: Any) -> None:
    """Raise click.UsageError where a policy file's value is none, though its type is right."""
    if key == "health":
        health.check_asked(value)
    if key == "lease_duration":
        lease_duration(value)


def check_acceptance(one: Any, reason: Any) -> Acceptance:
    """Return what a policy file accepts; raise ValueError where it is nothing to accept."""
    if not isinstance(one, str) or not isinstance(reason, str) or not reason.strip():
        raise ValueError("id and reason are strings, and the record keeps the reason")
    if one in {c.id for c in CHECKS if c.by_person}:
        raise ValueError(f"{one} takes a person's word each time: --accept {one} --reason TEXT")
    try:
        _check_ids((one,))
        return Acceptance(id=one, reason=_reason({"reason": reason}))
    except click.UsageError as error:
        raise ValueError(error.message) from None


def _check_ids(accepted: tuple[str, ...]) -> None:
    """Refuse ids that do not exist, and those that nothing may lift."""
    known = {c.id: c for c in (*CHECKS, *CHOICES)}
    for one in accepted:
        if one not in known:
            raise click.UsageError(f"there is no check {one[:20]!r}; see docs/checks")
        if not known[one].acceptable:
            raise click.UsageError(f"{one} ({known[one].title}) cannot be accepted")


def trace_id_of(asked: str | None) -> str:
    """Return the run's trace id: the option, TRACEPARENT, or a new one."""
    try:
        return trace_id(asked, os.environ.get("TRACEPARENT"), fresh=os.urandom(16).hex())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
