"""The ledger: where it lies, its lock, and how many rollbacks it allows."""

from __future__ import annotations

import click

from backout.cli.options.durations import DURATION, DURATION_OR_NONE, typed
from backout.cli.options.groups.options import Options
from backout.cli.options.values import Number, OneOf
from backout.core.preflight import defaults


class LedgerOptions(Options, frozen=True, kw_only=True):
    """Where the lock and the history are kept."""

    where: str

    declared = (
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

    @property
    def is_local(self) -> bool:
        """Whether a file of this machine stands for the Lease."""
        return self.where == "local"


class LockOptions(Options, frozen=True, kw_only=True):
    """How many seconds the lock outlives its holder, and whether it is taken from anybody."""

    lease_duration: float
    take_over: bool

    declared = (
        click.option(
            "--lease-duration",
            type=DURATION,
            default=defaults.LEASE,
            envvar="BACKOUT_LEASE_DURATION",
            help="Time after which the lock of a process that died expires.  "
            f"[default: {typed(defaults.LEASE)}]",
        ),
        click.option(
            "--take-over",
            is_flag=True,
            help="Take the lock from its holder, dead or alive. This is recorded.",
        ),
    )


class BreakerOptions(Options, frozen=True, kw_only=True):
    """How many rollbacks are allowed in how many seconds."""

    rollback_limit: int
    rollback_window: float

    declared = (
        click.option(
            "--rollback-limit",
            type=Number(1, 50),
            default=defaults.ROLLBACKS,
            show_default=True,
            envvar="BACKOUT_ROLLBACK_LIMIT",
            help="Number of rollbacks of one workload that are allowed in the window.",
        ),
        click.option(
            "--rollback-window",
            type=DURATION,
            default=defaults.WINDOW,
            envvar="BACKOUT_ROLLBACK_WINDOW",
            help="Time window in which rollbacks of one workload are counted.  "
            f"[default: {typed(defaults.WINDOW)}]",
        ),
    )


class WaitOptions(Options, frozen=True, kw_only=True):
    """How many seconds somebody else's rollback is waited for; None: not at all."""

    wait_lock: float | None

    declared = (
        click.option(
            "--wait-lock",
            type=DURATION_OR_NONE,
            envvar="BACKOUT_WAIT_LOCK",
            help="Time to wait for another rollback of the workload to end, not counted in "
            "--timeout.  [default: refuse]",
        ),
    )
