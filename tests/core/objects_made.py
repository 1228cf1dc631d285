"""Objects as the API server gives them, small, with overrides; and the values made of them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from backout.core.history import revisions
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.replica_sets import NUMBER
from backout.core.ledger import memory
from backout.core.ledger.form import ANNOTATION, written
from backout.core.ledger.records import Holder, Ledger, Record, Side, State
from backout.core.model import Object, Revision, Target
from backout.core.preflight.snapshot import Policy, Preflight, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
UID = "uid-web"
TARGET = Target(kind=DEPLOYMENT, namespace="shop", name="web")


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def template(image: str = "reg.example/app:v1", **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image,
                    "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                    "resources": {},
                    **container,
                }
            ],
            "restartPolicy": "Always",
        },
    }


def deployment(
    pod_template: Object | None = None,
    *,
    metadata: Object | None = None,
    status: Object | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": UID,
            "resourceVersion": "41",
            "generation": 4,
            "annotations": {"deployment.kubernetes.io/revision": "3"},
            **(metadata or {}),
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": copy.deepcopy(dict(pod_template or template())),
            **spec,
        },
        "status": {"observedGeneration": 4, **(status or {})},
    }


def owned_by(uid: str) -> list[dict[str, Any]]:
    return [{"kind": "Owner", "name": "owner", "uid": uid, "controller": True}]


def replica_set(
    number: int | str | None,
    image: str | None = None,
    *,
    name: str = "",
    created: datetime | None = None,
    owner: str = UID,
    notes: dict[str, str] | None = None,
    status: Object | None = None,
) -> dict[str, Any]:
    """Return a ReplicaSet; `number` None leaves the annotation out; an image of its own each."""
    name = name or f"web-{number}"
    made = template(image or f"reg.example/app:v{number}")
    made["metadata"]["labels"]["pod-template-hash"] = name
    annotations = {} if number is None else {NUMBER: str(number)}
    age = number if isinstance(number, int) else 0
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": stamp(created or NOW - timedelta(hours=48 - age)),
            "annotations": {**annotations, **(notes or {})},
            "ownerReferences": owned_by(owner),
        },
        "spec": {"replicas": 0, "template": made},
        "status": dict(status or {}),
    }


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def pod(
    name: str = "web-3-a",
    *,
    of: str = "web-3",
    ready: bool = True,
    metadata: Object | None = None,
    conditions: Sequence[Object] = (),
    containers: Sequence[Object] = (),
    init: Sequence[Object] = (),
    spec: Object | None = None,
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "ownerReferences": owned_by(f"uid-{of}"),
            **(metadata or {}),
        },
        "spec": dict(spec or template()["spec"]),
        "status": {
            "conditions": [condition("Ready", str(ready)), *conditions],
            "initContainerStatuses": list(init),
            "containerStatuses": list(containers),
        },
    }


def waiting(reason: str, message: str = "", **status: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return container_status(state=state, **status)


def terminated(reason: str, code: int, message: str = "") -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, "message": message}}


def container_status(**status: Any) -> dict[str, Any]:
    return {
        "name": "app",
        "image": "reg.example/app:v9",
        "ready": False,
        "restartCount": 0,
        "state": {"running": {"startedAt": stamp(NOW)}},
        "lastState": {},
        **status,
    }


def event(
    about: str, reason: str, message: str, *, at: datetime = NOW, **more: Any
) -> dict[str, Any]:
    return {
        "involvedObject": {"uid": about},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "lastTimestamp": stamp(at),
        **more,
    }


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
        choice = revisions.choose(history, seen.known)
        assert isinstance(choice, revisions.Choice)
    else:
        wanted = revisions.numbered(history, to)
        assert wanted is not None
        choice = revisions.asked_for(wanted, seen.known)
    return Preflight(
        snapshot=seen,
        policy=Policy(to_revision=to, **(policy or {})),
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


def service(port: str | int = "http", **selector: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "web"},
        "spec": {"selector": selector or {"app": "web"}, "ports": [{"targetPort": port}]},
    }
