"""What the options of `undo` come down to."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from backout.cli import health
from backout.core.checks import CHECKS
from backout.core.model import Acceptance
from backout.core.plan import CHOICES
from backout.core.snapshot import Policy
from backout.core.trace import trace_id

_REASON_LIMIT = 500
_LEASE = (2.0, 600.0)
"""Seconds: shorter than a slow request it would be lost at once, longer nobody waits for it."""


def policy_of(values: dict[str, Any]) -> Policy:
    """Return what the options of `undo` ask for; a usage error where they contradict themselves."""
    accepted, reason = values["accepted"], _reason(values)
    if accepted and not reason:
        raise click.UsageError("--accept needs --reason TEXT: the record keeps why")
    _check_ids(accepted)
    return replace(
        health_policy(values),
        to_revision=values["to_revision"],
        accepted=tuple(Acceptance(id=i, reason=reason) for i in accepted),
        reason=reason,
        pin=values["pin"],
        resume=values["resume"],
        baseline=True,
        **_limits(values),
        command=tuple(sys.argv[1:]),
    )


def check_policy(values: dict[str, Any]) -> Policy:
    """Return what `check` asks for; the line that goes on anyway is an `undo`."""
    words = ["undo" if word == "check" else word for word in sys.argv[1:]]
    return Policy(
        **health.wanted(values),
        to_revision=values["to_revision"],
        pin=values["pin"],
        **_limits(values),
        command=tuple(words),
    )


def _limits(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "strict": values["strict"],
        "limit": values["rollback_limit"],
        "window": timedelta(seconds=values["rollback_window"]),
    }


def health_policy(values: dict[str, Any]) -> Policy:
    """Return what the options on health and on the lock ask for."""
    return Policy(
        **health.wanted(values),
        successes=values["health_successes"],
        require_health=values["require_health"],
        take_over=values["take_over"],
        fail_fast=values["fail_fast"],
        ledger_is_local=values["where"] == "local",
    )


def watch_policy(values: dict[str, Any]) -> Policy:
    """Return what `status` asks for."""
    return Policy(fail_fast=values["fail_fast"])


def mark_policy(values: dict[str, Any]) -> Policy:
    """Return what `ledger mark` asks for."""
    return Policy(reason=_reason(values), ledger_is_local=values["where"] == "local")


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
        return trace_id(asked, os.environ.get("TRACEPARENT"), fresh=secrets.token_hex(16))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
