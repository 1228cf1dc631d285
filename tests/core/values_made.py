"""Values that core makes of objects, small, with overrides: revisions, records, snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.history import revisions
from backout.core.history.choice import Choice, asked_for, choose
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.ledger import memory
from backout.core.ledger.form import ANNOTATION, written
from backout.core.ledger.records import Holder, Ledger, Record, Side, State
from backout.core.model import Revision
from backout.core.preflight.request import Request
from backout.core.preflight.snapshot import Preflight, Snapshot
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago
from tests.objects.workloads import UID

if TYPE_CHECKING:
    from backout.core.model import Object

TARGET = Target(kind=DEPLOYMENT, namespace="shop", name="web")


def revision(number: int, **changes: Any) -> Revision:
    made = replica_set(number)
    values: dict[str, Any] = {
        "number": number,
        "stored": made,
        "template": made["spec"]["template"],
        "hash": f"hash-{number}",
        "change_cause": "",
        "created": None,
        "pods": (),
        "ready": 0,
        "is_current": False,
        **changes,
    }
    return Revision(**values)


def record(op: str = "op-1", **changes: Any) -> Record:
    values: dict[str, Any] = {
        "op": op,
        "actor": "ann",
        "reason": "checkout is down",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "host": "laptop",
        "boot_id": "b00t",
        "pid": 4711,
        "uid": UID,
        "source": Side(revision=3, hash="bad", images={"app": "sha256:3"}, generation=4),
        "destination": Side(revision=2, hash="good", images={"app": "sha256:2"}),
        "state": State.SUCCEEDED,
        "intent_at": ago(minutes=10),
        "deadline": NOW,
        **changes,
    }
    return Record(**values)


def lease(*records: Record, spec: Object | None = None, text: str | None = None) -> dict[str, Any]:
    """Return a Lease that carries these records with what they teach, or `text` as it is."""
    whole = Ledger(records=records)
    for one in records:
        whole = memory.with_record(whole, one)
    holder = next((r for r in records if r.op == (spec or {}).get("holderIdentity")), None)
    if holder is not None:
        whole = replace(
            whole,
            holder=Holder(
                op=holder.op,
                actor=holder.actor,
                host=holder.host,
                boot_id=holder.boot_id,
                pid=holder.pid,
            ),
        )
    content = written(whole) if text is None else text
    return {
        "metadata": {"name": "backout-web", "annotations": {ANNOTATION: content}},
        "spec": dict(spec or {}),
    }


def snapshot(**changes: Any) -> Snapshot:
    """Revision 3 is current and has no Ready Pod; of revision 2 three Pods are Ready."""
    values: dict[str, Any] = {
        "target": TARGET,
        "workload": deployment(template("reg.example/app:v3")),
        "stored": (replica_set(1), replica_set(2), replica_set(3)),
        "pods": (
            pod("web-3-a", of="web-3", ready=False),
            *(pod(f"web-2-{x}", of="web-2") for x in "abc"),
        ),
        "now": NOW,
        "is_observed": True,
        **changes,
    }
    return Snapshot(**values)


def preflight(*, to: int | None = None, policy: Object | None = None, **changes: Any) -> Preflight:
    """Return what the checks look at, with the choice made; `to` is the user's --to-revision."""
    seen = snapshot(**changes)
    history = seen.revisions
    if to is None:
        choice = choose(history, seen.known)
        assert isinstance(choice, Choice)
    else:
        wanted = revisions.numbered(history, to)
        assert wanted is not None
        choice = asked_for(wanted, seen.known, history=history)
    return Preflight(
        snapshot=seen,
        policy=Request(to_revision=to, **(policy or {})),
        revisions=history,
        choice=choice,
    )


def shaped(now: Object, then: Object, **changes: Any) -> Any:
    """Return a preflight whose current and whose target revision have these Pod specs."""
    sets = [replica_set(1), replica_set(2), replica_set(3)]
    current = template("reg.example/app:v3")
    sets[1]["spec"]["template"]["spec"].update({**then, "hostname": "then"})
    for made in (sets[2]["spec"]["template"], current):
        made["spec"].update(now)
    return preflight(workload=deployment(current), stored=tuple(sets), to=2, **changes)
