"""What the steps work with: the session, made once, and the run of one workload in it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.discreet import Discreet, Hidden
from backout.core.mask import Mask
from backout.core.preflight import defaults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from backout.core.events.event import Event
    from backout.core.kinds.target import Target
    from backout.core.plan.plan import Plan
    from backout.core.preflight.rehearsal import Rehearsal
    from backout.core.preflight.request import Request
    from backout.core.rollout.view import View
    from backout.http.client import HttpClient
    from backout.kube.client import Client
    from backout.prometheus.client import PrometheusClient
    from backout.registry.client import RegistryClient
    from backout.steps.notifier import Notifier
    from backout.steps.store import LedgerStore


class Identity(Struct, frozen=True, kw_only=True):
    """Who runs this, for the record, and what tells a living process from a dead one.

    `namespace` is its PID namespace and `started` when it began, as the kernel tells them; empty
    where it does not.
    """

    actor: str
    host: str
    boot_id: str
    pid: int
    namespace: str = ""
    started: str = ""


class Limits(Struct, frozen=True, kw_only=True):
    """Durations in seconds. `total` None: no limit while the rollout moves.

    `read` and `write` are one request's. `unclear` is how long finding out what an unclear answer
    meant may take, `unclear_least` how long it may in any case: leaving it unknown is the worst
    outcome. `lease` is how long the lock outlives its holder's last sign of life, `wait_lock` how
    long somebody else's is waited for, `soak` how long a success must hold where nothing is asked,
    `health_soak` how long the good answers must span, `health_command` how long one run of a smoke
    test may take.
    `sign_of_life` is after how long what is awaited is said again.
    """

    total: float | None = None
    observe: float = 10.0
    read: float = defaults.READ
    write: float = defaults.WRITE
    preflight: float = defaults.PREFLIGHT
    pod_answer: float = 3.0
    health: float = defaults.HEALTH
    health_interval: float = 1.0
    health_soak: float = defaults.SOAK
    health_command: float = defaults.COMMAND
    lease: float = defaults.LEASE
    wait_lock: float = 0.0
    soak: float = defaults.SOAK
    unclear: float = 60.0
    unclear_least: float = 2.0
    wind_down: float = 8.0
    sign_of_life: float = 30.0


def _unseen(_: View | str | None) -> None:
    """Show the view to nobody: without a terminal there is nobody."""


class Session(Discreet, frozen=True, kw_only=True):
    """What all runs of one start have in common; `emit` takes every event in order.

    `show` takes the view of a rollout while it is watched, or a line of progress; None when that
    is over. `prometheus` and `notifier` are None where the user named none. `notes` are what
    whoever runs this should know of the files that it was made of.

    `health_headers` may be secret: they go to the hosts of `--health` URLs only.

    `mask` knows what must not be told: all that leaves goes through it.

    `confirm` asks the user for a yes to a plan (True where nobody is to be asked).
    """

    client: Client
    registry: RegistryClient
    web: HttpClient
    identity: Identity
    emit: Callable[[Event], None]
    confirm: Callable[[Plan], Awaitable[bool]]
    policy: Request
    limits: Limits = field(default_factory=Limits)
    health_headers: Hidden[Mapping[str, str]] = field(default_factory=dict)
    show: Callable[[View | str | None], None] = _unseen
    context: str = ""
    prometheus: PrometheusClient | None = None
    notifier: Notifier | None = None
    notes: tuple[str, ...] = ()
    mask: Hidden[Mask] = field(default_factory=Mask)


class Run(Struct, frozen=True, kw_only=True):
    """One workload in a session. `op` is unique to it and marks its PATCH.

    `rehearsed` keeps what rehearsals showed, by template hash: a plan that is made again starts no
    other Pod. What is the session's is read here, too: a step needs to know no more than its run.
    """

    session: Session
    target: Target
    ledger: LedgerStore
    op: str
    trace_id: str
    dry_run: bool = False
    rehearsed: dict[str, Rehearsal] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """The API server's."""
        return self.session.client

    @property
    def registry(self) -> RegistryClient:
        """The image registries'."""
        return self.session.registry

    @property
    def web(self) -> HttpClient:
        """The one for URLs of the user's."""
        return self.session.web

    @property
    def prometheus(self) -> PrometheusClient | None:
        """Prometheus', where there is one."""
        return self.session.prometheus

    @property
    def notifier(self) -> Notifier | None:
        """Who else is told, where somebody is."""
        return self.session.notifier

    @property
    def policy(self) -> Request:
        """What the user asked for."""
        return self.session.policy

    @property
    def limits(self) -> Limits:
        """How long things may take."""
        return self.session.limits

    @property
    def identity(self) -> Identity:
        """Who runs this."""
        return self.session.identity

    @property
    def kubectl_context(self) -> str:
        """The flag, with a space behind it, that sends kubectl to the same cluster."""
        context = self.session.context
        return f"--context {shlex.quote(context)} " if context else ""

    def show(self, view: View | str | None) -> None:
        """Show a rollout, or a line of progress, where somebody looks on; None: it is over."""
        self.session.show(view)

    def say(self, event: Event) -> None:
        """Tell what has happened."""
        self.session.emit(event)

    def server_now(self) -> datetime:
        """Return the API server's time; raises Unreachable where it is not known."""
        return self.client.now()
