"""PF2xx: is what the target names still there, with the keys that it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import SHOWN, Check, Fact, few, folded, still_runs
from backout.core.checks.lines import elsewhere
from backout.core.ledger.records import Ledger, Remembered
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.references import references
from backout.core.room.startability import must_start
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from backout.core.model import Revision
    from backout.core.references.references import Reference


def reference_is_gone(preflight: Preflight) -> Iterator[Fact]:
    """Something that the target names is gone, or lacks a key, and Pods must be started."""
    if not _must_start(preflight):
        return
    for words in _lacking(preflight):
        yield Fact(
            message=f"revision {preflight.destination.number} cannot start: {words}",
            remedy="create what it needs again, or go to a revision that does not need it: "
            f"{elsewhere(preflight, avoiding=_needing(preflight))}",
            risk="Pods of the target will not start",
        )


def reference_is_gone_but_runs(preflight: Preflight) -> Iterator[Fact]:
    """Something that the target names is gone, and enough Pods of the target still run."""
    if Need.PODS not in preflight.snapshot.unreadable and _must_start(preflight):
        return
    revision = f"revision {preflight.destination.number}"
    for words in _lacking(preflight):
        yield Fact(
            message=f"{words}; {still_runs(preflight, revision)}",
            remedy="create what it needs again before a node is drained",
        )


def reference_has_changed(preflight: Preflight) -> Iterator[Fact]:
    """A ConfigMap or Secret is no longer what the target ran with.

    The version that the ledger remembers outranks times: what is the same again has not changed.
    """
    lived, evidence = last_live(preflight)
    if lived is None:
        return
    now, number = preflight.snapshot.now, preflight.destination.number
    remembered = _remembered(preflight)
    used = references.versioned(preflight.destination.template)
    found: dict[Reference, Fact] = {}
    for one, named in sorted(preflight.snapshot.named.items()):
        if one not in used or named.changed is None:
            continue
        version = remembered.references.get(f"{one.kind}/{one.name}") if remembered else None
        if version is not None and version == named.version:
            continue
        if named.changed.at > lived:
            found[one] = Fact(
                message=f"{one} was changed {span(now, since=named.changed.at)} ago by "
                f"{named.changed.by}, after revision {number} was last live "
                f"({span(now, since=lived)} ago)",
                detail=f"by {_evidence(version)}; last live by {evidence}",
                remedy=f"see whether revision {number} works with it as it is now",
            )
    yield from folded(found, f"were changed after revision {number} was last live")


def _evidence(version: str | None) -> str:
    known = "the version that the ledger remembers and managed fields"
    return "managed fields, the weaker evidence" if version is None else known


def claim_waits_for_nothing(preflight: Preflight) -> Iterator[Fact]:
    """A claim of the target is not bound, and the StorageClass that would do it is gone."""
    template, gone = preflight.destination.template, preflight.snapshot.gone_classes
    used = {u.reference for u in references.of_template(template)}
    waiting = {
        f"{one} is not bound and its": named.waits_for
        for one, named in sorted(preflight.snapshot.named.items())
        if one in used
    }
    made = references.ephemeral_classes(template)
    waiting |= {f"volume {name} makes a claim whose": its for name, its in made.items()}
    for words, storage_class in waiting.items():
        if storage_class in gone:
            yield Fact(
                message=f"{words} StorageClass {storage_class} does not exist: a Pod of revision "
                f"{preflight.destination.number} waits for it for ever",
                remedy="create the StorageClass again, or a PersistentVolume that the claim fits",
            )


def last_live(preflight: Preflight) -> tuple[datetime | None, str]:
    """Return when the target was last live for certain, and what tells so.

    The later of what the ledger remembers and the moment when the revision after it was made: it
    may have lived on for long after it was recorded.
    """
    if preflight.origin.ready:
        return None, ""
    made = preflight.origin.created
    later = [r.created for r in preflight.revisions if r.created and made and r.created > made]
    told = [(at, "the creation of the revision after it") for at in sorted(later)[:1]]
    remembered = _remembered(preflight)
    recorded = remembered.last_healthy_at if remembered is not None else None
    told += [(recorded, "the ledger")] if recorded is not None else []
    return max(told, default=(None, ""))


def _remembered(preflight: Preflight) -> Remembered | None:
    """Return what the ledger knows of the target, also if it was found bad since."""
    ledger = preflight.snapshot.ledger
    known = ledger.memory if isinstance(ledger, Ledger) else {}
    return known.get(preflight.origin.hash)


def _lacking(preflight: Preflight) -> Iterator[str]:
    named = preflight.snapshot.named
    uses = references.of_template(preflight.destination.template)
    told = {references.lacking(u, named[u.reference]): u for u in uses if u.reference in named}
    told.pop("", None)
    if len(told) <= SHOWN:
        yield from told
        return
    names = dict.fromkeys(str(use.reference) for use in told.values())
    yield f"{len(names)} objects that it needs are gone or lack a key: {few([*names])}"


def _needing(preflight: Preflight) -> Iterator[Revision]:
    """Yield the revisions that name what the target lacks; with that key or another."""
    named = preflight.snapshot.named
    uses = references.of_template(preflight.destination.template)
    gone = {
        u.reference
        for u in uses
        if u.reference in named and references.lacking(u, named[u.reference])
    }
    for revision in preflight.revisions:
        if any(use.reference in gone for use in references.of_template(revision.template)):
            yield revision


def _must_start(preflight: Preflight) -> bool:
    return must_start(preflight.snapshot.pace, ready=preflight.destination.ready)


_READ = frozenset(
    {
        Need.CONFIG_MAPS,
        Need.SECRETS,
        Need.KEYS,
        Need.CLAIMS,
        Need.SERVICE_ACCOUNTS,
        Need.CLASSES,
    }
)

CHECKS = (
    Check(
        id="PF201",
        severity=Severity.BLOCK,
        title="what the target names is gone, and Pods must be started",
        find=reference_is_gone,
        needs=frozenset({Need.PODS}),
        parts=_READ,
    ),
    Check(
        id="PF202",
        severity=Severity.WARN,
        title="what the target names is gone, but enough Pods run",
        find=reference_is_gone_but_runs,
        parts=_READ,
    ),
    Check(
        id="PF203",
        severity=Severity.WARN,
        title="what the target uses was changed since it was last live",
        find=reference_has_changed,
        needs=frozenset({Need.PODS}),
        parts=frozenset({Need.CONFIG_MAPS, Need.SECRETS}),
    ),
    Check(
        id="PF204",
        severity=Severity.WARN,
        title="a claim of the target waits for a StorageClass that is gone",
        find=claim_waits_for_nothing,
        needs=frozenset({Need.CLAIMS, Need.STORAGE_CLASSES}),
    ),
)
