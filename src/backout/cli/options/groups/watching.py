"""How long what may still come right is waited for, and what is done about it."""

from __future__ import annotations

import click

from backout.cli.options.durations import DURATION_OR_NONE, typed
from backout.cli.options.groups.options import Options
from backout.core.preflight import defaults


class PatienceOptions(Options, frozen=True, kw_only=True):
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


class WatchOptions(Options, frozen=True, kw_only=True):
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


class ReplaceOptions(Options, frozen=True, kw_only=True):
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


class SoakOptions(Options, frozen=True, kw_only=True):
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
