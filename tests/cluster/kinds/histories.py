"""Generated histories of a workload, made twice in one namespace by the same steps.

Half of a history is made as teams make it: templates are deployed, some of them again. The other
half as nobody should: numbers that are missing, tied or no numbers, twins of a template, revisions
of somebody else. No Pod runs: only the API server and the controllers are asked.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backout.core.kinds import KINDS
from backout.core.kubernetes.objects import age
from tests.cluster.manifests import SHORT, Version, workload
from tests.cluster.space import REVISION, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from backout.core.kinds.kind import Kind
    from tests.cluster.api import Object
    from tests.cluster.space import Space

NOWHERE = {"no-node": "has-this"}
SPELLINGS = (("cpu", ("1", "1000m")), ("memory", ("512Mi", "524288Ki")))
IDLE: dict[str, Any] = {
    "Deployment": {"replicas": 0},
    "StatefulSet": {"replicas": 0},
    "DaemonSet": {},
}
RESTS = 5
"""Looks in a row that find the same history."""
STRATEGIES: dict[str, Sequence[Any]] = {
    "Deployment": ({}, {}, {"paused": True}, {"strategy": {"type": "Recreate"}}),
    "StatefulSet": (
        {},
        {"updateStrategy": {"type": "OnDelete"}},
        {"updateStrategy": {"type": "RollingUpdate"}},
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
        {"podManagementPolicy": "Parallel"},
    ),
    "DaemonSet": ({}, {}, {"updateStrategy": {"type": "OnDelete"}}),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is done, step by step, and how the number to go to is picked: by its place, or as is."""

    kind: str
    strategy: Object
    templates: tuple[int, ...]
    spelling: int
    oddities: tuple[str, ...]
    place: int

    def __str__(self) -> str:
        odd = "+".join(self.oddities) or "plain"
        return f"{SHORT[self.kind]} {list(self.templates)} {odd} {json.dumps(self.strategy)}"


ODDITIES = ("gap", "tie", "foreign", "twin")
OF_SETS = ("missing", "unparsable")
OF_REVISIONS = ("old age",)


def generated(chance: Random, kind: str) -> Case:
    own = OF_SETS if kind == "Deployment" else OF_REVISIONS
    return Case(
        kind=kind,
        strategy=chance.choice(STRATEGIES[kind]),
        templates=tuple(chance.randrange(4) for _ in range(chance.randint(1, 5))),
        spelling=chance.randrange(2),
        oddities=tuple(o for o in (*ODDITIES, *own) if chance.random() < 0.25),
        place=chance.randrange(-1, 6),
    )


@dataclass
class Copy:
    """One of two workloads with one history."""

    space: Space
    case: Case
    name: str
    kind: Kind = field(init=False)
    _woken: int = 0

    def __post_init__(self) -> None:
        self.kind = next(k for k in KINDS if k.resource.name == self.case.kind)

    def make(self) -> None:
        first, *others = self.case.templates
        held = {k: v for k, v in self.case.strategy.items() if k != "paused"}
        made = workload(
            self.case.kind, self._version(first), name=self.name, **IDLE[self.case.kind], **held
        )
        made["spec"]["template"]["spec"]["nodeSelector"] = NOWHERE
        self.space.create(made)
        self._observed()
        for number in others:
            self._set(self._template(number))
        for oddity in self.case.oddities:
            getattr(self, f"_{oddity.replace(' ', '_')}")()
        if self.case.strategy.get("paused"):
            self._change({"paused": True})
        self._settled()

    @property
    def now(self) -> Object:
        return self.space.get(self.case.kind, self.name)

    @property
    def template(self) -> Object:
        found: Object = self.now["spec"]["template"]
        return found

    @property
    def stored(self) -> list[Object]:
        found = self.space.every(self.kind.stored.name, f"app={self.name}")
        return sorted(found, key=lambda r: str(r["metadata"]["name"]))

    def history(self) -> list[tuple[int, str, bool]]:
        """Return numbers with the build of their templates, and which one is current.

        Of one number they come as kubectl meets them: sets by age, revisions by name.
        """
        found = self.kind.revisions(self.now, self.stored, ())
        walked = sorted(found, key=lambda r: r.place or age(r.stored))
        told = [(r.number, _build(r.template), r.is_current) for r in walked]
        return sorted(told, key=lambda one: one[0])

    def _version(self, number: int) -> Version:
        limits = {name: spelled[self.case.spelling] for name, spelled in SPELLINGS}
        return self.space.version(
            f"v{number % 2 + 1}",
            env={"BUILD": str(number)},
            container={"resources": {"limits": limits}},
        )

    def _template(self, number: int) -> Object:
        made = workload(self.case.kind, self._version(number), name=self.name)
        template: Object = made["spec"]["template"]
        template["spec"]["nodeSelector"] = NOWHERE
        return template

    def _set(self, template: Object) -> None:
        self._change({"template": {"spec": template["spec"]}})

    def _change(self, spec: Object) -> None:
        self.space.merge({"spec": spec}, kind=self.case.kind, name=self.name)
        self._observed()

    def _observed(self) -> None:
        def is_observed() -> bool:
            found = self.now
            seen = found.get("status", {}).get("observedGeneration", 0)
            return bool(seen >= found["metadata"]["generation"])

        until(f"{self.name} is observed", is_observed)

    def _settled(self) -> None:
        """Wait until the controller has a revision of what is asked for, and numbers no more.

        It is woken by a change of its workload: not each follows its history.
        """
        self._woken += 1
        note = {"metadata": {"annotations": {"example.com/woken": str(self._woken)}}}
        self.space.merge(note, kind=self.case.kind, name=self.name)
        self._observed()
        seen: list[Any] = []

        def rests() -> bool:
            found = self.history()
            seen.append(found)
            return any(is_now for _, _, is_now in found) and seen[-RESTS:] == [found] * RESTS

        until(f"{self.name} is numbered", rests)

    # What nobody should do to a history.

    def _old(self) -> Object:
        """Return the oldest object that is not of the current template, or the only one."""
        found = self.kind.revisions(self.now, self.stored, ())
        others = sorted((r for r in found if not r.is_current), key=lambda r: r.number)
        return copy.deepcopy(dict((others or list(found))[0].stored))

    def _numbered(self, number: str) -> None:
        old = self._old()
        stored = self.kind.stored.name
        name = old["metadata"]["name"]
        if stored == "ReplicaSet":
            body: Object = {"metadata": {"annotations": {REVISION: number or None}}}
        else:
            body = {"revision": int(number)}
        self.space.merge(body, kind=stored, name=name)

    def _top(self) -> int:
        return max(number for number, _, _ in self.history())

    def _gap(self) -> None:
        self._numbered(str(self._top() + 3))

    def _tie(self) -> None:
        self._numbered(str(self._top()))

    def _missing(self) -> None:
        self._numbered("")

    def _unparsable(self) -> None:
        self._numbered("one")

    def _beside(self, name: str) -> Object:
        """Return a copy of an old object under another name, not yet created."""
        old = self._old()
        metadata = old["metadata"]
        kept = {
            k: metadata[k] for k in ("labels", "annotations", "ownerReferences") if k in metadata
        }
        made = {k: v for k, v in old.items() if k not in {"metadata", "status"}}
        return {
            **made,
            "apiVersion": "apps/v1",
            "kind": self.kind.stored.name,
            "metadata": {**kept, "name": f"{self.name}-{name}"},
        }

    def _foreign(self) -> None:
        anchor = self.space.create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{self.name}-other"}}
        )
        made = self._beside("foreign")
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": f"{self.name}-other"}
        made["metadata"]["ownerReferences"] = [
            {**owner, "uid": anchor["metadata"]["uid"], "controller": True}
        ]
        self._labelled(made, "foreign")
        self.space.create(made)

    def _twin(self) -> None:
        made = self._beside("twin")
        self._labelled(made, "twin")
        self.space.create(made)

    def _labelled(self, made: Object, name: str) -> None:
        """Give a ReplicaSet a hash of its own: two with one label would count each other's Pods."""
        if self.kind.stored.name == "ReplicaSet":
            for labels in (
                made["metadata"]["labels"],
                made["spec"]["selector"]["matchLabels"],
                made["spec"]["template"]["metadata"]["labels"],
            ):
                labels["pod-template-hash"] = name

    def _old_age(self) -> None:
        """Store a template as API servers before 1.34 did."""
        made = self._beside("old")
        made["data"]["spec"]["template"]["metadata"]["creationTimestamp"] = None
        made["revision"] = self._top() + 1
        self.space.create(made)


def _build(template: Any) -> str:
    return str(template["spec"]["containers"][0]["env"][0]["value"])
