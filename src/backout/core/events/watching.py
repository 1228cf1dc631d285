"""What is seen until the rollout is over, and what the service answers."""

from __future__ import annotations

from collections.abc import Mapping

from backout.core.events.event import Event, Sighting


class Moved(Sighting, frozen=True, kw_only=True, tag="progress"):
    """The rollout moved.

    `complete`: the counters are complete and the Pods Ready; `repeated`: a sign of life, nothing
    new.
    """

    complete: bool = False
    repeated: bool = False


class Counted(Sighting, frozen=True, kw_only=True, tag="replicas"):
    """Not in text: the Pods by state, when a count changed.

    `updated` and `ready` are of the target, `old` and `old_ready` of other revisions.
    """

    wanted: int
    updated: int
    ready: int
    available: int
    old: int
    old_ready: int


class NotReady(Sighting, frozen=True, kw_only=True, tag="cause"):
    """Something is not ready.

    `code`: [failures](failures/README.md); `group` could still make it right; `final_in`: seconds
    until it is final, null where nobody knows.
    """

    code: str
    evidence: str
    remedy: str
    final: bool
    group: str
    final_in: float | None
    outlook: str


class LogRead(Sighting, frozen=True, kw_only=True, tag="logs"):
    """The last lines of the container that the root cause is about, secrets masked."""

    lines: tuple[str, ...]


class RolledOut(Event, frozen=True, kw_only=True, tag="rolled_out"):
    """The counters are complete, the Pods Ready, and it has held.

    `images`: digests by container.
    """

    images: Mapping[str, str]


class HealthAnswered(Sighting, frozen=True, kw_only=True, tag="health"):
    """An answer that differs from the one before ([health](health.md)).

    `answer`: `well`, `unwell`, `unknown`; `lines`: a command's last ones.
    """

    subject: str
    answer: str
    status: int | None
    milliseconds: float
    lines: tuple[str, ...] = ()


class HealthRepeated(HealthAnswered, frozen=True, kw_only=True, tag="sample"):
    """Not in text: an answer like the one before."""


class Measured(Sighting, frozen=True, kw_only=True, tag="metric"):
    """A metric's value ([metrics](metrics.md)).

    `value` null: none; `threshold` null: held against nothing; `phase`: `before`, `during`,
    `after`.
    """

    metric: str
    value: float | None
    threshold: float | None = None
    answer: str
    phase: str


class NextStep(Event, frozen=True, kw_only=True, tag="next"):
    """What to do about a failure, as a sentence with its line.

    After a rollback the next candidate with its proof, or that there is none; after `status`,
    `verify` and `explain` the rollback that would leave the failed revision.
    """
