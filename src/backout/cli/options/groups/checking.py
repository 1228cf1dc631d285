"""What the checks look at, how long, and what of it refuses."""

from __future__ import annotations

import click

from backout.cli.options.durations import DURATION, typed
from backout.cli.options.groups.options import Options
from backout.core.preflight import defaults


class CheckOptions(Options, frozen=True, kw_only=True):
    """What the checks look at, for how many seconds, and what of it refuses."""

    show_values: bool
    strict: bool
    heal: bool
    preflight_budget: float

    declared = (
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
            default=defaults.PREFLIGHT,
            envvar="BACKOUT_PREFLIGHT_BUDGET",
            help="Time limit for checks that can only warn.  "
            f"[default: {typed(defaults.PREFLIGHT)}]",
        ),
    )
