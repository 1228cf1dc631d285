"""The ledger's JSON: read with every type checked, written with the schema version first.

What cannot be read is never overwritten, so a wrong guess here would lose somebody's record.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from backout.core.heal.hand_back import Owned
from backout.core.kubernetes import objects
from backout.core.ledger.records import (
    Bad,
    Blame,
    Holder,
    Ledger,
    Record,
    Remembered,
    Side,
    State,
    UnreadableLedger,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.core.mask import Mask
    from backout.core.model import Object

T = TypeVar("T")

SCHEMA = 1
ANNOTATION = "backout.dev/ledger"

_KEYS = frozenset({"schema", "holder", "memory", "records"})
_MEMORY_KEYS = frozenset(
    {"revision", "firstHealthyAt", "lastHealthyAt", "images", "references", "bad", "told"}
    | {"marked", "fingerprint"}
)
_RECORD_KEYS = frozenset(
    {"op", "actor", "reason", "accepted", "traceID", "host", "bootID", "pid", "uid", "from", "to"}
    | {"state", "intentAt", "deadline", "patchedAt", "verdict", "health", "causes", "condemns"}
    | {"closedAt", "replaces", "replaced", "owners", "isHealed"}
)


def read(lease: Object | None) -> Ledger | UnreadableLedger:
    """Return the ledger that a Lease carries; an absent Lease or annotation is an empty one."""
    text = objects.annotations_of(lease).get(ANNOTATION) if lease is not None else None
    if text is None:
        return Ledger()
    try:
        content = _typed(json.loads(text), dict)
        schema = content["schema"]
        if type(schema) is not int or schema != SCHEMA:
            return UnreadableLedger(why=f"its schema is {schema!r:.20}, this one knows {SCHEMA}")
        records = tuple(_record(r) for r in _typed(content["records"], list))
        memory = _typed(content.get("memory", {}), dict)
        remembered = {_typed(h, str): _remembered(m) for h, m in memory.items()}
        holder = _holder(content["holder"]) if content.get("holder") is not None else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        why = f"it is not a ledger of schema {SCHEMA} ({type(error).__name__}: {error!s:.60})"
        return UnreadableLedger(why=why)
    rest = {k: v for k, v in content.items() if k not in _KEYS}
    return Ledger(records=records, memory=remembered, holder=holder, rest=rest)


def written(ledger: Ledger, mask: Mask | None = None) -> str:
    """Return the annotation's text, in ASCII; `mask` leaves secrets out of what is ours."""
    ours = {
        "holder": _holder_json(ledger.holder),
        "memory": {h: _remembered_json(m) for h, m in ledger.memory.items()},
        "records": [_json(r) for r in ledger.records],
    }
    content = {"schema": SCHEMA, **ledger.rest, **(mask.of(ours) if mask else ours)}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True)


def _json(record: Record) -> dict[str, Any]:
    return {
        **record.rest,
        "op": record.op,
        "actor": record.actor,
        "reason": record.reason,
        "accepted": list(record.accepted),
        "traceID": record.trace_id,
        "host": record.host,
        "bootID": record.boot_id,
        "pid": record.pid,
        "uid": record.uid,
        "from": _side_json(record.source),
        "to": _side_json(record.destination),
        "state": str(record.state),
        "intentAt": _time(record.intent_at),
        "deadline": _time(record.deadline),
        "patchedAt": _time(record.patched_at),
        "verdict": record.verdict,
        "health": record.health,
        "causes": list(record.causes),
        **({"condemns": True} if record.condemns else {}),
        **({"replaces": True} if record.replaces else {}),
        **({"replaced": dict(record.replaced)} if record.replaced else {}),
        **({"owners": [_owned_json(o) for o in record.owners]} if record.owners else {}),
        **({"isHealed": True} if record.is_healed else {}),
        "closedAt": _time(record.closed_at),
    }


def _record(value: Any) -> Record:
    content = _typed(value, dict)
    return Record(
        op=_typed(content["op"], str),
        actor=_typed(content["actor"], str),
        reason=_typed(content["reason"], str),
        accepted=_texts(content["accepted"]),
        trace_id=_typed(content["traceID"], str),
        host=_typed(content["host"], str),
        boot_id=_typed(content["bootID"], str),
        pid=_typed(content["pid"], int),
        uid=_typed(content["uid"], str),
        source=_side(content["from"]),
        destination=_side(content["to"]),
        state=State(content["state"]),
        intent_at=_moment(content["intentAt"]),
        deadline=_moment(content["deadline"]),
        patched_at=_maybe_moment(content["patchedAt"]),
        verdict=_typed(content["verdict"], str),
        health=_typed(content["health"], str),
        causes=_texts(content["causes"]),
        condemns=_typed(content.get("condemns", False), bool),
        replaces=_typed(content.get("replaces", False), bool),
        replaced=_images(content.get("replaced", {})),
        owners=tuple(_owned(one) for one in _typed(content.get("owners", []), list)),
        is_healed=_typed(content.get("isHealed", False), bool),
        closed_at=_maybe_moment(content["closedAt"]),
        rest={k: v for k, v in content.items() if k not in _RECORD_KEYS},
    )


def _remembered_json(one: Remembered) -> dict[str, Any]:
    bad = None if one.bad is None else _bad_json(one.bad)
    return {
        **one.rest,
        "revision": one.revision,
        "firstHealthyAt": _time(one.first_healthy_at),
        "lastHealthyAt": _time(one.last_healthy_at),
        "images": dict(one.images),
        "references": dict(one.references),
        "bad": bad,
        "told": one.told,
        **({"marked": True} if one.is_marked else {}),
        **({"fingerprint": one.fingerprint} if one.fingerprint else {}),
    }


def _remembered(value: Any) -> Remembered:
    content = _typed(value, dict)
    bad = content["bad"] and _typed(content["bad"], dict)
    return Remembered(
        revision=_typed(content["revision"], int),
        first_healthy_at=_maybe_moment(content["firstHealthyAt"]),
        last_healthy_at=_maybe_moment(content["lastHealthyAt"]),
        images=_images(content["images"]),
        references=_typed(content["references"], dict),
        bad=_bad(bad) if bad else None,
        told=_typed(content.get("told", ""), str),
        is_marked=_typed(content.get("marked", False), bool),
        fingerprint=_typed(content.get("fingerprint", ""), str),
        rest={k: v for k, v in content.items() if k not in _MEMORY_KEYS},
    )


def _bad_json(bad: Bad) -> dict[str, Any]:
    return {"at": _time(bad.at), "why": bad.why, "blame": bad.blame.name.lower()}


def _bad(content: Mapping[str, Any]) -> Bad:
    blame = Blame[_typed(content.get("blame", Blame.LEFT.name), str).upper()]
    return Bad(at=_moment(content["at"]), why=_typed(content["why"], str), blame=blame)


def _holder_json(holder: Holder | None) -> dict[str, Any] | None:
    if holder is None:
        return None
    return {
        "op": holder.op,
        "actor": holder.actor,
        "host": holder.host,
        "bootID": holder.boot_id,
        "pid": holder.pid,
        "pidNamespace": holder.namespace,
        "startedAt": holder.started,
    }


def _holder(value: Any) -> Holder:
    content = _typed(value, dict)
    return Holder(
        op=_typed(content["op"], str),
        actor=_typed(content["actor"], str),
        host=_typed(content["host"], str),
        boot_id=_typed(content["bootID"], str),
        pid=_typed(content["pid"], int),
        namespace=_typed(content.get("pidNamespace", ""), str),
        started=_typed(content.get("startedAt", ""), str),
    )


def _side_json(side: Side) -> dict[str, Any]:
    content = {"revision": side.revision, "hash": side.hash, "images": dict(side.images)}
    known: dict[str, Any] = {
        "generation": side.generation,
        "stored": side.stored or None,
        "steady": list(side.steady) or None,
        "fingerprint": side.fingerprint or None,
    }
    return {**content, **{k: v for k, v in known.items() if v is not None}}


def _side(value: Any) -> Side:
    content = _typed(value, dict)
    generation = content.get("generation")
    return Side(
        revision=_typed(content["revision"], int),
        hash=_typed(content["hash"], str),
        images=_images(content["images"]),
        generation=None if generation is None else _typed(generation, int),
        stored=_typed(content.get("stored", ""), str),
        steady=_texts(content.get("steady", [])),
        fingerprint=_typed(content.get("fingerprint", ""), str),
    )


def _owned_json(owned: Owned) -> dict[str, Any]:
    return {
        "manager": owned.manager,
        "operation": owned.operation,
        "apiVersion": owned.api_version,
        "time": owned.at,
        "fields": dict(owned.fields),
    }


def _owned(value: Any) -> Owned:
    content = _typed(value, dict)
    return Owned(
        manager=_typed(content["manager"], str),
        operation=_typed(content["operation"], str),
        api_version=_typed(content["apiVersion"], str),
        at=_typed(content["time"], str),
        fields=_typed(content["fields"], dict),
    )


def _typed(value: Any, kind: type[T]) -> T:
    """Return the value if it is exactly of this JSON type (true is no number); else TypeError."""
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} where {kind.__name__} should be")
    return value


def _images(value: Any) -> dict[str, str]:
    return {_typed(k, str): _typed(v, str) for k, v in _typed(value, dict).items()}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_typed(text, str) for text in _typed(value, list))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _maybe_moment(text: Any) -> datetime | None:
    return None if text is None else _moment(text)


def _moment(text: Any) -> datetime:
    moment = objects.timestamp(text)
    if moment is None:
        raise ValueError(f"not a time: {text!r:.40}")
    return moment
