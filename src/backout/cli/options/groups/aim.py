"""Where to: which revision, and what must be known of it."""

from __future__ import annotations

import click

from backout.cli.options import complete
from backout.cli.options.durations import DURATION, typed
from backout.cli.options.groups.options import Options
from backout.core.preflight import defaults


class AimOptions(Options, frozen=True, kw_only=True):
    """Which revision the user wants, and what must prove it.

    `to_revision` is declared by each command, in words of its own. Durations in seconds.
    """

    to_revision: int | None
    to_image: str
    to_last_healthy: bool
    require_proof: bool
    rehearse: bool
    rehearse_timeout: float

    declared = (
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
            default=defaults.REHEARSAL,
            envvar="BACKOUT_REHEARSE_TIMEOUT",
            help="Time limit for the trial Pod to become Ready and healthy.  "
            f"[default: {typed(defaults.REHEARSAL)}]",
        ),
    )


class PinOptions(Options, frozen=True, kw_only=True):
    """Whether images are taken by the digest that ran."""

    pin: bool

    declared = (
        click.option(
            "--pin",
            is_flag=True,
            help="Roll back to the image digests that ran, for a tag that has moved since.",
        ),
    )
