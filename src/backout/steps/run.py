"""What one run works with: clients, settings and ids, made once and handed to every step."""

from __future__ import annotations

import shlex
from dataclasses import field
from typing import TYPE_CHECKING

from backout.core.model import Event, Target
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from backout.core.plan.plan import Plan
    from backout.core.preflight.rehearsal import Rehearsal
    from backout.core.preflight.snapshot import Policy
    from backout.core.rollout.view import View
    from backout.http.session import Session
    from backout.kube.client import Client
    from backout.prometheus.client import PrometheusClient
    from backout.registry.client import RegistryClient
    from backout.steps.ledger.store import LedgerStore
    from backout.steps.notify import Notifier


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who runs this, for the record, and what tells a living process from a dead one."""

    actor: str
    host: str
    boot_id: str
    pid: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Durations in seconds. `total` None: no limit while the rollout moves.

    `unclear` is how long finding out what an unclear answer meant may take, `unclear_least` how
    long it may in any case: leaving it unknown is the worst outcome. `lease` is how long the lock
    outlives its holder's last sign of life, `wait_lock` how long somebody else's is waited for,
    `soak` how long a success must hold where nothing is asked, `health_soak` how long the good
    answers must span, `health_command` how long one run of a smoke test may take.
    `sign_of_life` is after how long what is awaited is said again.
    """

    total: float | None = None
    observe: float = 10.0
    preflight: float = 3.0
    pod_answer: float = 3.0
    health: float = 60.0
    health_interval: float = 1.0
    health_soak: float = 5.0
    health_command: float = 30.0
    lease: float = 60.0
    wait_lock: float = 0.0
    soak: float = 5.0
    unclear: float = 60.0
    unclear_least: float = 2.0
    wind_down: float = 8.0
    sign_of_life: float = 30.0


def _unseen(_: View | str | None) -> None:
    """Show the view to nobody: without a terminal there is nobody."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run. `op` is unique to it and marks its PATCH; `emit` takes every event in order.

    `show` takes the view of a rollout while it is watched, or a line of progress; None when that
    is over. `prometheus` and `notifier` are None where the user named none.

    `health_headers` may be secret: they go to the hosts of `--health` URLs only.

    `rehearsed` keeps what rehearsals showed, by template hash: a plan that is made again starts no
    other Pod.

    `confirm` asks the user for a yes to a plan (True where nobody is to be asked).
    """

    client: Client
    ledger: LedgerStore
    registry: RegistryClient
    web: Session
    target: Target
    policy: Policy
    identity: Identity
    emit: Callable[[Event], None]
    confirm: Callable[[Plan], Awaitable[bool]]
    op: str
    trace_id: str
    limits: Limits = field(default_factory=Limits)
    health_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    show: Callable[[View | str | None], None] = _unseen
    dry_run: bool = False
    context: str = ""
    rehearsed: dict[str, Rehearsal] = field(default_factory=dict)
    prometheus: PrometheusClient | None = None
    notifier: Notifier | None = None

    @property
    def kubectl_context(self) -> str:
        """The flag, with a space behind it, that sends kubectl to the same cluster."""
        return f"--context {shlex.quote(self.context)} " if self.context else ""

    def say(self, kind: str, message: str, **fields: object) -> None:
        """Emit an event of this run."""
        self.emit(Event(kind=kind, message=message, fields={"op": self.op, **fields}))

    def server_now(self) -> datetime:
        """Return the API server's time; raises Unreachable where it is not known."""
        return self.client.now()
