"""Generated histories of a workload: what was deployed, when, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from backout.core.history.choice import Known
from backout.core.kinds.deployment import DEPLOYMENT
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW

if TYPE_CHECKING:
    from backout.core.model import Object, Revision

RESTART = "kubectl.kubernetes.io/restartedAt"
CHECKSUM = "checksum/config"
BARRIER = "backout.dev/barrier"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One revision as it was deployed; `age` in minutes, `word` what the ledger says of it."""

    number: int
    image: str
    age: int
    restart: str = ""
    checksum: str = ""
    barrier: str = ""
    is_reused: bool = False
    ready: int = 0
    word: str = ""

    @property
    def template(self) -> dict[str, Any]:
        """Its Pod template."""
        notes = {RESTART: self.restart, CHECKSUM: self.checksum, BARRIER: self.barrier}
        made = template(f"reg.example/app:{self.image}")
        made["metadata"]["annotations"] = {k: v for k, v in notes.items() if v}
        return made

    @property
    def content(self) -> tuple[str, ...]:
        """What makes it one template and no other."""
        return self.image, self.restart, self.checksum, self.barrier

    def replica_set(self) -> dict[str, Any]:
        """Its ReplicaSet."""
        notes = {"deployment.kubernetes.io/revision-history": "1"} if self.is_reused else {}
        made = replica_set(
            self.number,
            name=f"web-{self.number}",
            created=NOW - timedelta(minutes=self.age),
            notes=notes,
        )
        made["spec"]["template"] = self.template
        return made

    def pods(self) -> list[dict[str, Any]]:
        """Its Ready Pods."""
        return [pod(f"web-{self.number}-{i}", of=f"web-{self.number}") for i in range(self.ready)]


@dataclass(frozen=True, kw_only=True)
class History:
    """What was deployed, newest first; `wanted` is what the workload asks for."""

    deployed: tuple[Deployed, ...]
    wanted: Deployed

    @property
    def workload(self) -> Object:
        """The Deployment."""
        return deployment(self.wanted.template)

    def revisions(self) -> tuple[Revision, ...]:
        """The history as it is read."""
        sets = [d.replica_set() for d in self.deployed]
        pods = [p for d in self.deployed for p in d.pods()]
        return DEPLOYMENT.revisions(self.workload, sets, pods)

    def known(self) -> Known:
        """What the ledger says."""
        hashes = {r.number: r.hash for r in self.revisions()}
        return Known(
            bad={hashes[d.number]: "it failed" for d in self.deployed if d.word == "bad"},
            good={hashes[d.number]: "recorded" for d in self.deployed if d.word == "good"},
        )


_SPANS = st.sampled_from([0, 1, 9, 10, 11, 59, 60, 30000])
_SHORT = st.sampled_from([0, 1, 9, 10])


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history: gaps, restarts, checksums, barriers, reuse, Ready Pods, words of the ledger.

    A history has only some of these, so that one is seldom hidden by another. A template is in it
    once, as the controller keeps it; the current one may be not yet.
    """
    has_pods, has_words, has_barriers, has_restarts, is_hasty = (
        draw(st.sampled_from(odds))
        for odds in (
            [False, False, True],
            [False, True],
            [False, False, True],
            [False, True],
            [False, True],
        )
    )
    age, number, made = draw(st.integers(0, 90)), 20, list[Deployed]()
    seen = set[tuple[str, ...]]()
    for _ in range(draw(st.integers(1, 6))):
        one = Deployed(
            number=number,
            image=draw(st.sampled_from(["v1", "v2", "v3", "v4", "v5", "v6"])),
            age=age,
            restart=draw(st.sampled_from(["", "monday", "friday"])) if has_restarts else "",
            checksum=draw(st.sampled_from(["", "", "abc"])) if has_restarts else "",
            barrier=draw(st.sampled_from(["", "", "39", "40"])) if has_barriers else "",
            is_reused=draw(st.sampled_from([False, False, False, True])),
            ready=draw(st.sampled_from([0, 2])) if has_pods else 0,
            word=draw(st.sampled_from(["", "", "good", "bad"])) if has_words else "",
        )
        age += draw(_SHORT if is_hasty else _SPANS)
        number -= draw(st.sampled_from([1, 1, 1, 2]))
        if one.content not in seen:
            seen.add(one.content)
            made.append(one)
    is_there = draw(st.sampled_from([True, True, True, False]))
    barrier = draw(st.sampled_from(["", "41"])) if has_barriers else ""
    fresh = Deployed(number=0, image="v9", age=0, barrier=barrier)
    return History(deployed=tuple(made), wanted=made[0] if is_there else fresh)
