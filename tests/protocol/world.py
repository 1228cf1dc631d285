"""The values of the ledger protocol's model: who knows what, what stands where, what is under way.

Everything is a NamedTuple, so that a world is equal to another by what is in it: the exploration
visits each once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from backout.core.ledger.records import OPEN, State


class Rules(NamedTuple):
    """What the protocol insists on; each can be switched off to see what it is for.

    `order`: the workload is read before the Lease is checked. `fence`: the workload's version is
    moved before the marker is looked for. `recheck`: after a 409 the Lease is checked again.
    `generation`: an attempt goes on, and an absent marker means NOT_APPLIED, only while the
    generation is the intent's. `once`: a PATCH without an answer is never sent again.
    `judged`: the breaker is judged on the Lease that the compare-and-swap replaces, also where an
    earlier read of it had failed. `back`: where a rollback has led to the template that was read,
    it is gone on with or left alone. `own`: fields are handed back only while the marker is ours.
    `kept`: what is needed for that stays on record until it is done.
    """

    order: bool = True
    fence: bool = True
    recheck: bool = True
    generation: bool = True
    once: bool = True
    judged: bool = True
    back: bool = True
    own: bool = True
    kept: bool = True


class Bounds(NamedTuple):
    """How far a world is explored.

    `limit` is the breaker's, `foreign` the number of writes of third parties, `retries` how often a
    runner tries again after a 409, `operations` how many it begins when nothing came of one.
    `runs` is how often the same command is given to each, whatever became of it before; `failing`:
    a runner's first read of the Lease may fail. `bare`: the workload is one whose annotations move
    no generation, and kubectl's undo leaves them alone (a StatefulSet, a DaemonSet). `heals`:
    somebody applies the template server-side, so that each PATCH is followed by a second write.
    """

    limit: int = 1
    foreign: int = 1
    retries: int = 1
    operations: int = 1
    runs: int = 1
    failing: bool = False
    bare: bool = False
    heals: bool = False


class Record(NamedTuple):
    """One rollback in the ledger. `generation` is the workload's that the intent was made for.

    `target` is where it goes: so many steps back from the bad revision. `owes`: the fields that its
    PATCH took may not be handed back yet, and what is needed for that stands here.
    """

    op: str
    state: State
    generation: int
    target: int = 1
    owes: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Lease(NamedTuple):
    """Lock and ledger in one object: one compare-and-swap on `version` changes both."""

    version: int = 0
    holder: str = ""
    epoch: int = 0
    records: tuple[Record, ...] = ()

    def record(self, op: str) -> Record | None:
        return next((r for r in self.records if r.op == op), None)

    def left_open(self) -> Record | None:
        return next((r for r in self.records if r.is_open), None)

    def counted(self) -> int:
        """Return what the breaker counts: open records too, because a crash counts."""
        return sum(r.state is not State.NOT_APPLIED for r in self.records)

    def taken(self, holder: str, *added: Record) -> Lease:
        return Lease(self.version + 1, holder, self.epoch + 1, self.records + added)

    def closed(self, op: str, state: State, *, holder: str, **known: Any) -> Lease:
        """Return the Lease with this record's state written and this holder, by one write."""
        records = tuple(r._replace(state=state, **known) if r.op == op else r for r in self.records)
        return Lease(self.version + 1, holder, self.epoch, records)


class Workload(NamedTuple):
    """The workload. `marker` is what can be seen on it, `landed` what has truly happened.

    No history carries a copy of the marker: the controller may not have come to it yet. `back`
    is how many steps back from the bad revision its template is. `owned`: fields of it are called
    backout's. `robbed`: a second write handed the fields of somebody else's template over.
    """

    version: int = 0
    generation: int = 0
    marker: str = ""
    landed: tuple[str, ...] = ()
    back: int = 0
    owned: bool = False
    robbed: bool = False

    def touched(self) -> Workload:
        """Return it after a write that moves no generation: of the status, or of a fence."""
        return self._replace(version=self.version + 1)

    def rewritten(self) -> Workload:
        """Return it after a third party deployed the bad one again: the marker is gone."""
        return Workload(self.version + 1, self.generation + 1, "", self.landed)

    def wiped(self) -> Workload:
        """Return it after a third party took the marker away, and nothing else."""
        return self._replace(version=self.version + 1, marker="")

    def undone(self) -> Workload:
        """Return it after kubectl's undo of a bare one: the bad template, and the marker still."""
        return self._replace(
            version=self.version + 1, generation=self.generation + 1, back=0, owned=False
        )

    def patched(self, patch: Patch) -> Workload:
        landed = (*self.landed, patch.op)
        return Workload(
            self.version + 1, self.generation + 1, patch.op, landed, patch.target, owned=True
        )

    def healed(self, patch: Patch) -> Workload:
        """Return it after a second write: no generation moves."""
        return self._replace(version=self.version + 1, owned=False, robbed=self.marker != patch.op)


class Patch(NamedTuple):
    """A PATCH under way: it lands only where the workload still has this resourceVersion.

    One that `heals` is the second write of an operation.
    """

    op: str
    version: int
    target: int = 1
    heals: bool = False


class At(StrEnum):
    """What a runner does next."""

    PLAN = "reads the workload and plans"
    LATE = "reads the workload, after the Lease, and plans"
    SEE = "reads the Lease"
    TAKE = "compares and swaps the Lease"
    READ = "reads the workload again"
    CHECK = "checks that the Lease is still its own"
    SEND = "sends the PATCH"
    WAIT = "waits for the answer"
    FIND_OUT = "finds out what a PATCH without an answer did"
    FENCE = "fences the workload"
    LOOK = "looks for the marker"
    WRITE = "writes what it found into the record"
    HEAL = "hands the template's fields back"
    HEALING = "waits for the answer to the second write"
    LOOK_AGAIN = "looks what a second write without an answer did"
    FINISH = "closes the record of a rollout it has watched"
    GONE = "has crashed or is done"


class Runner(NamedTuple):
    """One run of backout. What it no longer needs is forgotten: equal futures are equal worlds.

    `seen` is the version of the Lease that it read, `version` and `generation` are the workload's;
    `epoch` is of its hold; `settles` is the operation whose fate it finds out and `found` what that
    is. `target` is where it goes, `is_blind` whether it could not read the Lease at first, `owes`
    whether it could not hand back what was taken.
    """

    name: str
    retries: int
    at: At = At.PLAN
    number: int = 1
    seen: int = 0
    version: int = 0
    generation: int = 0
    epoch: int = 0
    settles: str = ""
    found: State = State.INTENT
    has_tried: bool = False
    target: int = 0
    is_blind: bool = False
    owes: bool = False

    @property
    def op(self) -> str:
        return f"{self.name}{self.number}"

    def holds(self, lease: Lease) -> bool:
        return lease.holder == self.op and lease.epoch == self.epoch

    def goes(self, at: At, **known: Any) -> Runner:
        return self._replace(at=at, **known)

    def ends(self) -> Runner:
        return Runner(self.name, 0, At.GONE, self.number)


class World(NamedTuple):
    """Everything at one moment. `foreign` is how many writes of third parties may still come."""

    lease: Lease
    workload: Workload
    runners: tuple[Runner, Runner]
    in_flight: tuple[Patch, ...]
    foreign: int

    def after(self, runner: Runner, **changed: Any) -> World:
        """Return the world after a step of this runner."""
        first, second = self.runners
        both = (runner, second) if first.name == runner.name else (first, runner)
        return self._replace(runners=both, **changed)


def beginning(bounds: Bounds) -> World:
    """Return the world before anything happened: no Lease, two runners that want to roll back."""
    runners = (Runner("A", bounds.retries), Runner("B", bounds.retries))
    return World(Lease(), Workload(), runners, (), bounds.foreign)
