"""Who could still make it right: the question that decides when a cause is final.

Every class belongs to a group, some to another one by what their message says. The table is what
`finality` goes by and what the pages of docs/failures/ repeat.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping


class Group(StrEnum):
    """Who could still make it right."""

    NOBODY = "nobody"
    SOMEBODY = "somebody else"
    PROCESS = "the process itself"
    NONE = "none"


class Rule(StrEnum):
    """What makes a suspected cause final.

    AT_ONCE: the first sight. AGAIN: a same answer ten seconds later. PATIENCE: it has lasted, our
    own look confirms it, and nothing is on its way. PEERS: a peer shows that the surroundings work.
    DEADLINE: nothing before the progress deadline.
    """

    AT_ONCE = "at once"
    AGAIN = "again"
    PATIENCE = "patience"
    PEERS = "peers"
    DEADLINE = "deadline"


class GroupRule(Struct, frozen=True, kw_only=True):
    """One row of the table: what keeps such a cause from being final, and what confirms it."""

    group: Group
    rule: Rule
    on_its_way: str = ""
    confirmed: str = ""


_AT_ONCE = GroupRule(
    group=Group.NOBODY, rule=Rule.AT_ONCE, confirmed="the answer can only be the same"
)
_AGAIN = GroupRule(
    group=Group.NOBODY,
    rule=Rule.AGAIN,
    on_its_way="another answer",
    confirmed="the same answer 10 s or more after the first",
)
_NONE = GroupRule(group=Group.NONE, rule=Rule.DEADLINE, on_its_way="it may pass by itself")
_RUNS = GroupRule(
    group=Group.PROCESS,
    rule=Rule.PEERS,
    on_its_way="a Ready Pod of this revision, or no Pod of another one that works",
    confirmed="a Ready Pod of another revision that has not restarted",
)


def _missing(on_its_way: str, confirmed: str) -> GroupRule:
    return GroupRule(
        group=Group.SOMEBODY, rule=Rule.PATIENCE, on_its_way=on_its_way, confirmed=confirmed
    )


_OBJECT = _missing("the object or its key appears", "our own read finds it missing, too")
_FREED = "a Pod of this workload that still terminates"

TABLE: Mapping[str, tuple[GroupRule, ...]] = {
    "STUCK_POD": (_missing("the Pod becomes Ready for a moment", "it is not Ready still"),),
    "QUOTA": (
        _missing(f"{_FREED}, `status unknown for quota`", "it is refused still"),
        _AGAIN,
    ),
    "ADMISSION": (_AGAIN, _AT_ONCE, _OBJECT, _NONE),
    "SCHEDULING_GATED": (_NONE,),
    "UNSCHEDULABLE": (
        _missing(
            f"{_FREED}, a nominated node, a scale-up, a node that may come back",
            "no node takes it still",
        ),
    ),
    "VOLUME": (_NONE, _missing("a claim that is provisioned or waits for its Pod", "as read")),
    "SANDBOX": (_NONE, _missing("the node gets such a runtime", "it is refused still")),
    "IMAGE_NOT_FOUND": (_missing("our own request finds the image", "the registry tells us so"),),
    "IMAGE_PLATFORM": (_AGAIN, _NONE),
    "IMAGE_AUTH": (_missing("our own request is let in", "it is refused still"),),
    "IMAGE_RATE_LIMIT": (_NONE,),
    "IMAGE_PULL": (_NONE,),
    "IMAGE_PULLING": (_NONE,),
    "IMAGE_NEVER_PULL": (_missing("the node is given the image", "it is not there still"),),
    "IMAGE_INVALID": (_AT_ONCE, _NONE),
    "CONFIG_MISSING": (_OBJECT,),
    "CONTAINER_START": (_NONE, _AGAIN, _AT_ONCE),
    "CRASH_LOOP": (_RUNS,),
    "OOM_KILLED": (_RUNS,),
    "INIT_FAILED": (_RUNS,),
    "PROBE_READINESS": (_RUNS,),
    "PROBE_LIVENESS": (_RUNS,),
    "READINESS_GATE": (_NONE,),
    "EVICTED": (_NONE,),
    "POD_FAILED": (_NONE,),
    "NODE_LOST": (_NONE,),
    "TERMINATING": (_NONE,),
    "NOT_READY": (_NONE,),
}
"""Class -> its rows, the usual one first."""


def row(code: str, rule: Rule | None = None) -> GroupRule:
    """Return a class's row by this rule, the usual one without; KeyError where it has none."""
    rows = TABLE[code]
    if rule is None:
        return rows[0]
    found = next((r for r in rows if r.rule is rule), None)
    if found is None:
        raise KeyError(code, rule)
    return found


class Look(Struct, frozen=True, order=True, kw_only=True):
    """What our own look has to confirm: an object by kind and name, its key, an image, or a log.

    Of a log, `name` is the Pod's and `key` the container's.
    """

    kind: str
    name: str
    key: str = ""

    def __str__(self) -> str:
        return (
            f"key {self.key} of {self.kind} {self.name}"
            if self.key
            else (f"{self.kind} {self.name}")
        )


IMAGE = "image"
"""The kind of a Look at a registry."""
LOG = "log"
"""The kind of a Look at what a container said last: that its program cannot be run at all."""


class Found(StrEnum):
    """What our own look found: as told, otherwise, or nothing that could be learnt."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNTOLD = "untold"


class Ground(Struct, frozen=True, kw_only=True):
    """What a cause rests on, from which `finality` decides.

    `about` tells one trouble of a container from another, `answer` changes with each further answer
    of the cluster, `told_for` is how long it has lasted by two stamps of one clock. `awaits` is
    what is on its way, in words, `look` what our own look has to confirm. `is_new` asks for the
    longer patience. `allowed` is how long it is not worth a word, `final_after` how long it has to
    last at least, by a peer that shows that the surroundings work or by patience, `exits` how many
    restarts in a row ended alike.
    """

    row: GroupRule
    about: str = ""
    answer: str = ""
    told_for: timedelta = timedelta(0)
    awaits: str = ""
    look: Look | None = None
    is_new: bool = False
    allowed: timedelta = timedelta(0)
    final_after: timedelta | None = None
    exits: int = 0
    unless: str = "it changes"


class Patience(Struct, frozen=True, kw_only=True):
    """How long a cause of somebody else may last: `usual`, and `long` for what is new."""

    usual: timedelta = timedelta(seconds=30)
    long: timedelta = timedelta(minutes=3)


def patience(seconds: float | None) -> Patience:
    """Return the user's patience, one value for all; the defaults without."""
    if seconds is None:
        return Patience()
    return Patience(usual=timedelta(seconds=seconds), long=timedelta(seconds=seconds))


class Around(Struct, frozen=True, kw_only=True):
    """What the workload's other Pods prove.

    `peer`: a Ready Pod of another revision that never restarted, so the surroundings work;
    `proven`: a Ready Pod of this revision, so the template works. `standby`: Pods that run and are
    not Ready are usual here (active and passive).
    """

    peer: bool = False
    proven: bool = False
    standby: bool = False


NOWHERE = Around()
