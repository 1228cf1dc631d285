"""How long what may still come right is waited for, and what is done about it."""

from __future__ import annotations

import click

from backout.cli.options.durations import DURATION_OR_NONE, typed
from backout.cli.options.groups.options import Options
from backout.core.preflight import defaults
from backout.core.value import dataclass


@dataclass(frozen=True, kw_only=True)
class PatienceOptions(Options):
    """How long what somebody else may put right is waited for, in seconds; None: by its cause."""

    patience: float | None

    declared = (
        click.option(
            "--patience",
            type=DURATION_OR_NONE,
            envvar="BACKOUT_PATIENCE",
            help="Time to wait for what somebody else may still put right: a Secret, an image, a "
            "node. 0s does not wait.  [default: 30s; 3m for a Secret that is new, and with an "
            "autoscaler]",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class WatchOptions(Options):
    """When a suspected cause is final; `patience` as `PatienceOptions` has it."""

    fail_fast: bool
    patience: float | None

    declared = (
        click.option(
            "--fail-fast",
            is_flag=True,
            envvar="BACKOUT_FAIL_FAST",
            help="Fail at the first suspected cause instead of waiting until it is certain.",
        ),
        *PatienceOptions.declared,
    )


@dataclass(frozen=True, kw_only=True)
class ReplaceOptions(Options):
    """Whether Pods that hold the rollback up are deleted."""

    replace_stuck_pods: bool

    declared = (
        click.option(
            "--replace-stuck-pods",
            is_flag=True,
            help="After the rollback, delete Pods that the controller waits for and never "
            "replaces: only ones that are not Ready, one at a time.",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class SoakOptions(Options):
    """How many seconds a success must hold, where nothing is asked."""

    soak: float

    declared = (
        click.option(
            "--soak",
            type=DURATION_OR_NONE,
            default=defaults.SOAK,
            envvar="BACKOUT_SOAK",
            help=f"Time that a success must hold.  [default: {typed(defaults.SOAK)}]",
        ),
    )
