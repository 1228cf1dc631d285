"""What the options on time come down to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from backout.cli.options.groups.checking import CheckOptions
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.locking import LockOptions, WaitOptions
from backout.cli.options.groups.watching import SoakOptions, WatchOptions
from backout.core.preflight import defaults
from backout.steps.run import Limits

if TYPE_CHECKING:
    from backout.cli.options.groups.options import Options

_LEASE = (2.0, 600.0)
"""Seconds: shorter than a slow request it would be lost at once, longer nobody waits for it."""


def limits(
    request_timeout: float | None, timeout: float | None, groups: tuple[Options, ...]
) -> Limits:
    """Return how long things may take; a usage error where the options contradict themselves."""
    made = Limits(total=timeout)
    if request_timeout is not None:
        made = replace(made, read=request_timeout, write=request_timeout)
    for group in groups:
        made = _limited(made, group)
    _check(made, groups)
    return made


def lease_duration(seconds: float) -> float:
    """Return the lease's duration; a usage error where it is none that a lock can have."""
    if not _LEASE[0] <= seconds <= _LEASE[1]:
        raise click.UsageError(
            f"--lease-duration takes {_LEASE[0]:.0f} s to {_LEASE[1] / 60:.0f} min"
        )
    return seconds


def _limited(made: Limits, group: Options) -> Limits:
    match group:
        case HealthOptions():
            return replace(made, **_spans(group))
        case SoakOptions():
            return replace(made, soak=group.soak)
        case CheckOptions():
            return replace(made, preflight=group.preflight_budget)
        case LockOptions():
            return replace(made, lease=lease_duration(group.lease_duration))
        case WaitOptions():
            return replace(made, wait_lock=group.wait_lock or 0.0)
        case _:
            return made


def _spans(health: HealthOptions) -> dict[str, Any]:
    """Return how long health is asked for, and must hold, in seconds.

    One answer spans nothing: where one is enough, only --soak makes it wait.
    """
    successes, soak, command = health.health_successes, health.soak, health.health_command_timeout
    most = health.health_timeout
    if most is None:
        runs = successes * command if health.health_command.strip() else 0.0
        most = defaults.HEALTH + (soak or 0.0) + runs
    held = soak if soak is not None else min(defaults.SOAK, most / 2) if successes > 1 else 0.0
    if held >= most:
        raise click.UsageError("--soak must be shorter than --health-timeout")
    found = {"health": most, "health_soak": held, "health_command": command}
    return found if soak is None else {**found, "soak": soak}


def _check(made: Limits, groups: tuple[Options, ...]) -> None:
    """Refuse a run that is over before its success could have held."""
    spans = [g.soak or made.health_soak for g in groups if isinstance(g, HealthOptions)]
    spans += [g.soak for g in groups if isinstance(g, SoakOptions)]
    watches = any(isinstance(g, WatchOptions) for g in groups)
    for soak in spans if watches else ():
        if made.total is not None and made.total < soak:
            raise click.UsageError(
                f"--timeout {made.total:g}s is over before --soak {soak:g}s has held"
            )
