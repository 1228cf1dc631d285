"""What the options come down to that say what is wanted: the request."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from backout.cli.options.groups.aim import AimOptions, PinOptions
from backout.cli.options.groups.checking import CheckOptions
from backout.cli.options.groups.consent import ConsentOptions
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import BreakerOptions, LedgerOptions, LockOptions
from backout.cli.options.groups.telemetry import TelemetryOptions
from backout.cli.options.groups.watching import PatienceOptions, ReplaceOptions, WatchOptions
from backout.cli.options.meaning import asked
from backout.cli.options.meaning.limits import lease_duration
from backout.cli.options.meaning.telemetry_of import metrics
from backout.cli.program import program
from backout.core.checks import CHECKS
from backout.core.model import Acceptance
from backout.core.plan.selection import CHOICES
from backout.core.trace import trace_id

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options
    from backout.core.preflight.request import Request

_REASON_LIMIT = 500


def requested(request: Request, group: Options) -> Request:
    """Return the request with what a group asks for; a usage error where it contradicts itself."""
    match group:
        case ConsentOptions():
            return _agreed(request, group)
        case AimOptions():
            return _aimed(request, group)
        case HealthOptions():
            return asked.asked(request, group)
        case TelemetryOptions():
            return replace(request, metrics=metrics(group))
        case CheckOptions():
            return replace(
                request, strict=group.strict, show_values=group.show_values, heal=group.heal
            )
        case BreakerOptions():
            window = timedelta(seconds=group.rollback_window)
            return replace(request, limit=group.rollback_limit, window=window)
        case _:
            return _carried_out(request, group)


def _carried_out(request: Request, group: Options) -> Request:
    match group:
        case PinOptions():
            return replace(request, pin=group.pin)
        case WatchOptions():
            return replace(request, fail_fast=group.fail_fast, patience=group.patience)
        case PatienceOptions():
            return replace(request, patience=group.patience)
        case ReplaceOptions():
            return replace(request, replace_stuck_pods=group.replace_stuck_pods)
        case LockOptions():
            return replace(request, take_over=group.take_over)
        case LedgerOptions():
            return replace(request, ledger_is_local=group.is_local)
        case _:
            return request


def _agreed(request: Request, consent: ConsentOptions) -> Request:
    """Return the request with what the user accepts; `request` holds what the policy does."""
    if consent.was_unpause:
        raise click.UsageError(
            "--resume is called --unpause now; `backout resume` goes on with a rollback that was "
            "left open"
        )
    accepted, why = consent.accepted, reason(consent.reason)
    if accepted and not why:
        raise click.UsageError("--accept needs --reason TEXT: the record keeps why")
    _check_ids(accepted)
    return replace(
        request,
        accepted=(
            *(Acceptance(id=i, reason=why) for i in accepted),
            *(a for a in request.accepted if a.id not in accepted),
        ),
        reason=why,
        unpause=consent.unpause,
        baseline=True,
    )


def _aimed(request: Request, aim: AimOptions) -> Request:
    given = {
        "--to-revision": aim.to_revision is not None,
        "--to-image": bool(aim.to_image),
        "--to-last-healthy": aim.to_last_healthy,
    }
    named = [option for option, is_given in given.items() if is_given]
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(named)} contradict each other")
    return replace(
        request,
        to_revision=aim.to_revision,
        to_image=aim.to_image,
        to_last_healthy=aim.to_last_healthy,
        require_proof=aim.require_proof,
        rehearse=aim.rehearse_timeout if aim.rehearse else 0.0,
    )


def reason(text: str) -> str:
    """Return the reason for the record; a usage error where it is too long for it."""
    if len(text.strip()) > _REASON_LIMIT:
        raise click.UsageError(f"--reason takes {_REASON_LIMIT} characters at most")
    return text.strip()


def check_value(key: str, value: Any) -> None:
    """Raise click.UsageError where a policy file's value is none, though its type is right."""
    if key == "health":
        asked.check_asked(value)
    if key == "lease_duration":
        lease_duration(value)


def check_acceptance(one: Any, why: Any) -> Acceptance:
    """Return what a policy file accepts; raise ValueError where it is nothing to accept."""
    if not isinstance(one, str) or not isinstance(why, str) or not why.strip():
        raise ValueError("id and reason are strings, and the record keeps the reason")
    if one in {c.id for c in CHECKS if c.by_person}:
        raise ValueError(f"{one} takes a person's word each time: --accept {one} --reason TEXT")
    try:
        _check_ids((one,))
        return Acceptance(id=one, reason=reason(why))
    except click.UsageError as error:
        raise ValueError(error.message) from None


def _check_ids(accepted: tuple[str, ...]) -> None:
    """Refuse ids that do not exist, and those that nothing may lift."""
    known = {c.id: c for c in (*CHECKS, *CHOICES)}
    for one in accepted:
        if one not in known:
            raise click.UsageError(
                f"there is no check {one[:20]!r}; {program()} check --explain lists them"
            )
        if not known[one].acceptable:
            raise click.UsageError(f"{one} ({known[one].title}) cannot be accepted")


def trace_id_of(named: str | None) -> str:
    """Return the run's trace id: the option, TRACEPARENT, or a new one."""
    try:
        return trace_id(named, os.environ.get("TRACEPARENT"), fresh=os.urandom(16).hex())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
