"""Every revision that the workload and its Lease ever had here, and what must hold in all of them.

    with recorded(space) as history:
        ...
        history.check(limit=2)

A watch of each kind is open from before the first write, so that no revision is passed over. Both
kinds share one etcd, whose revisions order their writes.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.cluster.api import Api
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.api import Object
    from tests.cluster.space import Space

MARKER = "backout.dev/operation"
LEDGER = "backout.dev/ledger"
CLOSED = {"NOT_APPLIED", "SUCCEEDED", "FAILED", "UNDECIDED"}
NEXT = {
    "INTENT": {"INTENT", "APPLIED", "NOT_APPLIED", "UNDECIDED", "SUCCEEDED", "FAILED"},
    "APPLIED": {"APPLIED", "SUCCEEDED", "FAILED", "UNDECIDED"},
}


@contextmanager
def recorded(space: Space) -> Iterator[History]:
    """Record what is written here until the end of the block."""
    history = History(space)
    history.start()
    try:
        yield history
    finally:
        history.stop()


class History:
    """What was written in one namespace, as the API server told it."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._kinds = (space.kind, "Lease")
        self._revisions: dict[str, list[Object]] = {kind: [] for kind in self._kinds}
        self._apis = {kind: Api(space.cluster.kubeconfig) for kind in self._kinds}
        self._threads = [
            threading.Thread(
                target=self._record, args=(kind, self._apis[kind].followed(space.name, kind))
            )
            for kind in self._kinds
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for api in self._apis.values():
            api.hang_up()
        for thread in self._threads:
            thread.join(10)
        for api in self._apis.values():
            api.close()

    def _record(self, kind: str, events: Iterator[Object]) -> None:
        for event in events:
            assert event["type"] != "ERROR", event
            if event["type"] != "DELETED":
                self._revisions[kind].append(event["object"])

    def check(self, *, limit: int) -> None:
        """Check all that ever was; `limit` rollbacks may have landed in the life of a Lease."""
        until("all that was written is recorded", self._is_complete, within=10)
        leases = list(self._revisions["Lease"])
        landed = _landed(list(self._revisions[self._space.kind]))
        _check_intents(leases, landed)
        for uid in {o["metadata"]["uid"] for o in leases}:
            _check_lease([o for o in leases if o["metadata"]["uid"] == uid], landed, limit)

    def _is_complete(self) -> bool:
        now = {_version(o) for kind in self._kinds for o in self._space.every(kind)}
        return now <= {_version(o) for seen in self._revisions.values() for o in list(seen)}


def _landed(workloads: list[Object]) -> dict[str, int]:
    """Return the etcd revision at which each operation's template landed."""
    found: dict[str, int] = {}
    before: dict[str, Any] = {}
    for one in workloads:
        op = one["metadata"].get("annotations", {}).get(MARKER)
        template = one["spec"]["template"]
        if op and op not in found:
            assert template != before, f"the marker of {op} came without its template"
            found[op] = _version(one)
        before = template
    return found


def _check_intents(leases: list[Object], landed: dict[str, int]) -> None:
    """Every change that backout made was intended before, in the order of the one etcd."""
    for op, version in landed.items():
        intents = [_version(one) for one in leases if _states(one).get(op) == "INTENT"]
        assert intents, f"{op} landed and was never intended"
        assert min(intents) < version, f"{op} landed before it was intended"


def _check_lease(leases: list[Object], landed: dict[str, int], limit: int) -> None:
    epoch = 0
    known: dict[str, str] = {}
    for one in leases:
        now = int(one["spec"].get("leaseTransitions") or 0)
        assert now >= epoch, f"the epoch went from {epoch} to {now}"
        states = _states(one)
        for op, state in known.items():
            after = states.get(op, state)
            assert after in NEXT.get(state, {state}), f"{op} went from {state} to {after}"
        epoch, known = now, {**known, **states}
    for op, state in known.items():
        assert not (state == "NOT_APPLIED" and op in landed), f"{op} is NOT_APPLIED, and landed"
    applied = [op for op in known if op in landed]
    assert len(applied) <= limit, f"{len(applied)} rollbacks landed, {limit} are allowed"


def _states(lease: Object) -> dict[str, str]:
    text = lease["metadata"].get("annotations", {}).get(LEDGER)
    return {r["op"]: r["state"] for r in json.loads(text)["records"]} if text else {}


def _version(one: Object) -> int:
    return int(one["metadata"]["resourceVersion"])
