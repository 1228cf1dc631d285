"""Knows a template again by the object that keeps it, where its hash has changed on its own.

An API server fills in its defaults when it reads what it stored, too: after an upgrade an old
ReplicaSet has a field that nobody wrote, and its template another hash. The object is still the
same, and so is all that somebody wrote into it. Either alone proves nothing: a ReplicaSet's
template can be edited in place, and the revision that brings a new field differs in nothing else.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.kubernetes import objects, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.ledger.records import Ledger, Record, Remembered, Side
    from backout.core.model import Revision

_WHOLE = frozenset({"annotations", "labels", "limits", "nodeSelector", "requests"})
"""Maps whose keys are the user's."""

_WRITTEN = _WHOLE | frozenset(
    {"metadata", "spec", "containers", "initContainers", "volumes", "serviceAccountName"}
    | {"name", "image", "command", "args", "workingDir", "resources", "ports", "containerPort"}
    | {"env", "envFrom", "prefix", "value", "valueFrom", "key", "fieldRef", "fieldPath"}
    | {"configMapKeyRef", "configMapRef", "secretKeyRef", "secretRef", "resourceFieldRef"}
    | {"resource", "volumeMounts", "mountPath", "subPath"}
    | {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "postStart", "preStop"}
    | {"exec", "grpc", "httpGet", "tcpSocket", "path", "port"}
    | {"configMap", "secret", "secretName", "persistentVolumeClaim", "claimName", "projected"}
    | {"sources", "items", "csi", "driver", "hostPath", "emptyDir"}
)
"""Fields of a template that people write and no API server fills in: those say what runs.

What is remembered goes by them: another set here forgets what an upgrade of the cluster meanwhile
would have kept.
"""


def fingerprint(revision: Revision) -> str:
    """Return what stays of a revision whatever the API server fills in; 16 hex digits.

    Its object's UID and what somebody wrote into its template; empty where there is no UID.
    """
    uid = objects.uid(revision.stored)
    if not uid:
        return ""
    written = _written(template.normalise(revision.template))
    text = json.dumps([uid, written], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def of_history(ledger: Ledger, history: Iterable[Revision]) -> Ledger:
    """Return the ledger by the hashes that the templates of the history have now."""
    if not any(one.fingerprint for one in _told(ledger)):
        return ledger
    return followed(ledger, {fingerprint(r): r.hash for r in history})


def followed(ledger: Ledger, now: Mapping[str, str]) -> Ledger:
    """Return the ledger with templates by other hashes: `now` has them by fingerprint.

    What is remembered by the new hash itself is the newer word, and stays.
    """
    memory: dict[str, Remembered] = {}
    for old, one in ledger.memory.items():
        new = _hash(one.fingerprint, old, now)
        memory[old if new in ledger.memory else new] = one
    records = tuple(_record(r, now) for r in ledger.records)
    return replace(ledger, memory=memory, records=records)


def _told(ledger: Ledger) -> Iterable[Remembered | Side]:
    yield from ledger.memory.values()
    for record in ledger.records:
        yield from (record.source, record.destination)


def _record(record: Record, now: Mapping[str, str]) -> Record:
    source, there = _side(record.source, now), _side(record.destination, now)
    return replace(record, source=source, destination=there)


def _side(side: Side, now: Mapping[str, str]) -> Side:
    new = _hash(side.fingerprint, side.hash, now)
    return replace(side, hash=new, stored=new if side.stored == side.hash else side.stored)


def _hash(known: str, old: str, now: Mapping[str, str]) -> str:
    return now.get(known, old) if known else old


def _written(value: Any) -> Any:
    """Return a part of a template without the fields that are not in the list."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k in _WRITTEN}
        return {k: v if k in _WHOLE else _written(v) for k, v in kept.items()}
    return [_written(one) for one in value] if isinstance(value, list) else value
