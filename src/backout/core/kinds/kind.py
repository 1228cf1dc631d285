"""What backout knows of a kind of workload: one protocol, and the values that it answers with.

A kind of its own is a class with these members and a row in `KINDS`; whatever stands outside of
this folder asks a Target for its kind, and never which one it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from backout.core.model import Object, Revision


class Resource(Struct, frozen=True, kw_only=True):
    """What the API serves: `name` is the kind as objects spell it, `plural` as paths do."""

    group: str
    version: str
    name: str
    plural: str

    @property
    def api_version(self) -> str:
        """Group and version as objects spell them: `apps/v1`."""
        return f"{self.group}/{self.version}"


class Counters(Struct, frozen=True, kw_only=True):
    """Pods as the controller counts them: asked for, of the newest template, and all there are.

    `ready`, `available` and `unavailable` are of any template.
    """

    wanted: int
    updated: int
    total: int
    ready: int
    available: int
    unavailable: int


class Pace(Struct, frozen=True, kw_only=True):
    """How a rollout replaces `replicas` Pods: so many may be `unavailable`, so many beside them.

    `recreates`: all old Pods go before the first new one comes. `ordered`: each Pod waits for the
    one before it, so that one that fails stops all. `first` is the merge patch that lets one Pod go
    before another comes.
    """

    replicas: int
    unavailable: int
    surge: int
    recreates: bool = False
    ordered: bool = False
    first: str = ""


class Unmoving(Struct, frozen=True, kw_only=True):
    """Nothing rolls out: `why` in words, `until` what, and the JSON Patch operation that ends it.

    `lift` is None where no field of the workload's own could end it. `remedy` is a sentence with
    the line that ends it, empty where none does.
    """

    why: str
    until: str
    remedy: str = ""
    lift: Mapping[str, Any] | None = None


class PodsSeen(Struct, frozen=True, kw_only=True):
    """A workload's Pods, told apart: those of the template that should run, and all others.

    `stored` is the object of the history that holds that template, None while there is none; `now`
    is the server's time; `lost` are the nodes that do not answer, of those that have a Pod of it.
    """

    own: Sequence[Object]
    others: Sequence[Object]
    stored: Object | None
    now: datetime
    lost: frozenset[str] = frozenset()


class StuckPod(Struct, frozen=True, kw_only=True):
    """A Pod of another template that the controller waits for and does not replace.

    `why` in words, `remedy` what frees it. `is_safe`: deleting it lets the rollout go on, and harms
    nothing that works. `is_due`: the controller has seen the template that should run.
    """

    pod: Object
    why: str
    remedy: str
    is_safe: bool
    is_due: bool


class Kind(Protocol):
    """A kind of workload. Nothing here reads, waits or knows the time."""

    @property
    def resource(self) -> Resource:
        """What the workload itself is."""

    @property
    def short(self) -> tuple[str, ...]:
        """The short names that kubectl takes: `deploy`."""

    @property
    def spoken(self) -> str:
        """The kind as `kubectl rollout status` calls it: `daemon set`."""

    @property
    def stored(self) -> Resource:
        """What its history is kept in."""

    @property
    def marks_history(self) -> bool:
        """Whether its controller copies the workload's annotations to the current revision."""

    @property
    def makes_pods(self) -> bool:
        """Whether its own controller makes its Pods, and not that of an object of its history."""

    @property
    def is_per_node(self) -> bool:
        """Whether a node that does not answer is one that nothing can be rolled out to."""

    @property
    def watched_fields(self) -> tuple[str, ...]:
        """The fields of its spec, beside the template, that must not change before the act."""

    def template_of(self, stored: Object) -> Object | None:
        """Return the Pod template that an object of the history holds, None where it has none."""

    def revisions(
        self, workload: Object, stored: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[Revision, ...]:
        """Return the workload's history, newest number first.

        Only what this very workload controls counts. None is current while the controller has not
        acted on the newest spec.
        """

    def counters(self, workload: Object) -> Counters:
        """Return the counters of its status."""

    def waiting_for(self, workload: Object, seen: PodsSeen | None = None) -> str | None:
        """Return what its rollout waits for in kubectl's words, None where it waits for nothing.

        `workload` is one whose newest spec the controller has observed; without `seen` its Pods
        cannot be seen, and its counters are all there is.
        """

    def rolled_out(self, workload: Object) -> str:
        """Return kubectl's word for a rollout that is complete."""

    def unmoving(self, workload: Object) -> Unmoving | None:
        """Return why a new template would roll nothing out, None where it would."""

    def unreached(self, workload: Object) -> str:
        """Return which of its Pods a rollout leaves as they are, in words; empty where none."""

    def idle(self, workload: Object) -> str:
        """Return why no Pod of a new template would run, in words; empty where one would."""

    def stuck(self, workload: Object, seen: PodsSeen) -> StuckPod | None:
        """Return the Pod that a rollout of `seen.stored` waits for in vain, None where none.

        It may be asked before that template is set.
        """

    def as_made(self, workload: Object, template: Object) -> Object:
        """Return a template as its controller makes Pods of it: with what it adds."""

    def pace(self, workload: Object) -> Pace:
        """Return how its rollouts replace Pods."""

    def deadline(self, workload: Object) -> int | None:
        """Return the seconds that a rollout may be without progress, None where it has no limit."""
