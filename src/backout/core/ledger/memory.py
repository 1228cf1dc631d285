"""The health memory of a workload: which templates are known to be good, which to be bad, and why.

Kept beside the records by the hash of the template, so that renumbering, deleting and creating
again do not matter (docs/choice.md); `again.py` follows a hash that has changed on its own. The
memory follows the records: whoever replaces one here remembers what it teaches, in the same write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.health.judgement import Healthy
from backout.core.history.choice import Known
from backout.core.kubernetes import objects, restarts
from backout.core.ledger import again
from backout.core.ledger.records import (
    Bad,
    Blame,
    Ledger,
    Record,
    Remembered,
    State,
    called,
)
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from backout.core.model import Revision

KEPT = 50
"""Templates that are remembered."""
WHY = 120
"""Characters of a reason."""
ENOUGH = timedelta(minutes=10)
"""Of Ready Pods lift the word that a template did not become Ready."""


def known_bad(ledger: Ledger) -> Mapping[str, Bad]:
    """Return the templates known to be bad, by hash: rolled back from, failed, or marked."""
    return {h: r.bad for h, r in ledger.memory.items() if r.bad is not None}


def known_good(ledger: Ledger) -> Mapping[str, datetime]:
    """Return when each template was last recorded healthy, by hash; none that is known bad."""
    return {
        h: r.last_healthy_at
        for h, r in ledger.memory.items()
        if r.last_healthy_at is not None and r.bad is None
    }


def known(ledger: Ledger, now: datetime, history: Sequence[Revision] = ()) -> Known:
    """Return in words what is known of templates; `now` is the server's time.

    What is known of a template is known of each revision of the `history` that runs the same and
    differs only in annotations that restart Pods or carry checksums: the newest word counts. Pods
    of the history that have been Ready for long enough since lift that it did not become Ready.
    """
    said = {h: _own(h, one) for h, one in ledger.memory.items()}
    for twins in _by_what_runs(history):
        entries = {r.hash: ledger.memory[r.hash] for r in twins if r.hash in ledger.memory}
        if entries:
            said |= dict.fromkeys((r.hash for r in twins), _joined(entries, _ready(twins), now))

    def told(template_hash: str, words: str, at: datetime) -> str:
        of = said[template_hash].of
        elsewhere = "" if of == template_hash else f" (as {called(ledger.memory[of].revision)})"
        return f"{words} {span(now, since=at)} ago{elsewhere}"

    return Known(
        bad={h: told(h, f"{w.bad.why},", w.bad.at) for h, w in said.items() if w.bad is not None},
        good={
            h: told(h, "recorded healthy", w.good)
            for h, w in said.items()
            if w.good is not None and w.bad is None
        },
    )


class _Said(Struct, frozen=True, kw_only=True):
    """What stands of a template, and the hash under which it is remembered."""

    bad: Bad | None
    good: datetime | None
    of: str


def _own(template_hash: str, one: Remembered) -> _Said:
    return _Said(bad=one.bad, good=one.last_healthy_at, of=template_hash)


def _joined(entries: Mapping[str, Remembered], ready: datetime | None, now: datetime) -> _Said:
    """Return the word that stands of templates that run the same, Ready since `ready` if at all."""
    healthy = {h: e.last_healthy_at for h, e in entries.items() if e.last_healthy_at is not None}
    last = max(healthy, key=lambda h: healthy[h], default="")
    bad = {
        h: e.bad
        for h, e in entries.items()
        if e.bad is not None and _stands(e.bad, healthy.get(last), ready, now)
    }
    worst = max(bad, key=lambda h: (bad[h].blame, bad[h].at), default="")
    return _Said(
        bad=bad.get(worst), good=healthy.get(last), of=worst or last or next(iter(entries))
    )


def _stands(bad: Bad, healthy: datetime | None, ready: datetime | None, now: datetime) -> bool:
    if bad.blame is Blame.MARKED:
        return True
    if healthy is not None and healthy > bad.at:
        return False
    is_up = ready is not None and now - max(ready, bad.at) >= ENOUGH
    return not (bad.blame is Blame.FAILED and is_up)


def _by_what_runs(history: Iterable[Revision]) -> Iterable[list[Revision]]:
    found: dict[str, list[Revision]] = {}
    for one in history:
        found.setdefault(restarts.runs(one), []).append(one)
    return found.values()


def _ready(twins: Iterable[Revision]) -> datetime | None:
    """Return since when a Pod of theirs has been Ready; None where none is."""
    ready = (objects.condition(p, "Ready") for r in twins for p in r.pods if objects.is_ready(p))
    since = (objects.timestamp(objects.dig(one, "lastTransitionTime")) for one in ready)
    return min((at for at in since if at is not None), default=None)


def with_record(
    ledger: Ledger, record: Record, references: Mapping[str, str] | None = None
) -> Ledger:
    """Return the ledger with the record of the same operation replaced, and its lesson learned.

    `references` are the versions of what the record's target names, remembered where it is healthy.
    """
    hashes = {side.fingerprint: side.hash for side in (record.source, record.destination)}
    ledger = again.followed(ledger, hashes)
    records = tuple(record if r.op == record.op else r for r in ledger.records)
    ledger = _learned(replace(ledger, records=records), record, references)
    known = {
        h: replace(ledger.memory[h], fingerprint=f)
        for f, h in hashes.items()
        if f and h in ledger.memory
    }
    return replace(ledger, memory={**ledger.memory, **known})


def marked(
    ledger: Ledger,
    template_hash: str,
    revision: int,
    *,
    at: datetime,
    bad: str | None = None,
    told: str = "",
    images: Mapping[str, str] | None = None,
    fingerprint: str = "",
) -> Ledger:
    """Return the ledger with a person's word on a template: it works, or it is bad and why.

    `told` is who says that it is healthy, and why. Nothing outranks it but another such word.
    """
    ledger = again.followed(ledger, {fingerprint: template_hash})
    before = _before(ledger, template_hash, revision, fingerprint)
    if bad is not None:
        word = Bad(at=at, why=bad[:WHY], blame=Blame.MARKED)
        return _with(ledger, template_hash, replace(before, bad=word, told="", is_marked=True))
    before = _healthy(before, at, images, None)
    return _with(ledger, template_hash, replace(before, bad=None, told=told[:WHY], is_marked=True))


def recorded(
    ledger: Ledger,
    template_hash: str,
    revision: int,
    *,
    at: datetime,
    told: str = "",
    images: Mapping[str, str] | None = None,
    references: Mapping[str, str] | None = None,
    fingerprint: str = "",
) -> Ledger:
    """Return the ledger with a health that was seen: it lifts what is bad, but no person's mark.

    `told` is who saw it where no rollback did; `images` maps containers to the digests that ran,
    `references` what the template named then (`ConfigMap/settings`) to resourceVersions: what could
    not be read this time keeps the version that was remembered before.
    """
    ledger = again.followed(ledger, {fingerprint: template_hash})
    before = _before(ledger, template_hash, revision, fingerprint)
    before = _healthy(before, at, images, references)
    if before.bad is None or before.bad.blame is not Blame.MARKED:
        is_marked = before.is_marked and before.bad is None
        before = replace(before, bad=None, told=told[:WHY], is_marked=is_marked)
    return _with(ledger, template_hash, before)


def heard_at(one: Remembered) -> datetime | None:
    """Return when something was last heard of a template."""
    times = [t for t in (one.last_healthy_at, one.bad.at if one.bad else None) if t is not None]
    return max(times, default=None)


def least_first(memory: Mapping[str, Remembered]) -> list[str]:
    """Return the templates' hashes in the order in which they are forgotten.

    What was heard of longest ago goes first; a person's marks and the newest known good go last.
    """
    good = {h: e.last_healthy_at for h, e in memory.items() if e.last_healthy_at and not e.bad}
    newest = max(good, key=lambda h: (good[h], h), default=None)

    def worth(template_hash: str) -> tuple[bool, float, str]:
        one = memory[template_hash]
        heard = heard_at(one)
        is_kept = one.is_marked or template_hash == newest
        return is_kept, heard.timestamp() if heard else 0.0, template_hash

    return sorted(memory, key=worth)


def _learned(ledger: Ledger, record: Record, references: Mapping[str, str] | None) -> Ledger:
    """Remember what a record teaches of its source and of its target.

    A failure condemns the target where it is its own fault. A rollback that did not end well says
    nothing of its source, and so whoever goes back there has not rolled back from anything.
    """
    source, target = record.source, record.destination
    at = record.closed_at or record.patched_at or record.intent_at
    if record.state is State.FAILED and record.condemns:
        words = f"its rollout failed: {(record.causes or (record.verdict,))[0]}"
        for template_hash in target.hashes:
            ledger = _blamed(ledger, template_hash, target.revision, at, words, Blame.FAILED)
        return ledger
    if record.state is not State.SUCCEEDED:
        return ledger
    if _is_return(ledger.records, record):
        ledger = _forgiven(ledger, target.hash)
    elif not _is_told(ledger, source.hash, record.intent_at):
        words = f"{record.actor} rolled back from it"
        ledger = _blamed(ledger, source.hash, source.revision, at, words, Blame.LEFT)
    if record.health != Healthy.__name__:
        return ledger
    for template_hash in target.hashes:
        ledger = recorded(
            ledger,
            template_hash,
            target.revision,
            at=at,
            images=target.digests,
            references=references,
        )
    return ledger


def _is_return(records: Sequence[Record], record: Record) -> bool:
    """Tell whether it goes back to what the rollback before it left without ending well."""
    landed = [r for r in records if r.op != record.op and r.state in _LANDED]
    last = max(landed, key=lambda r: r.intent_at, default=None)
    return (
        last is not None
        and last.state is not State.SUCCEEDED
        and last.source.is_same(record.destination)
        and last.destination.is_same(record.source)
    )


_LANDED = {State.APPLIED, State.SUCCEEDED, State.FAILED, State.UNDECIDED}


def _is_told(ledger: Ledger, template_hash: str, since: datetime) -> bool:
    """Tell whether a newer word on a template came since, a person's perhaps: that one stays."""
    known = ledger.memory.get(template_hash)
    heard = heard_at(known) if known is not None else None
    return heard is not None and heard > since


def _blamed(
    ledger: Ledger, template_hash: str, revision: int, at: datetime, why: str, blame: Blame
) -> Ledger:
    """Return the ledger with a word against a template; it is lifted no easier than one before."""
    before = _before(ledger, template_hash, revision)
    if before.bad is not None and before.bad.blame is Blame.MARKED:
        return ledger
    worst = max(blame, before.bad.blame) if before.bad is not None else blame
    word = Bad(at=at, why=why[:WHY], blame=worst)
    return _with(ledger, template_hash, replace(before, bad=word, told="", is_marked=False))


def _forgiven(ledger: Ledger, template_hash: str) -> Ledger:
    """Return the ledger without the word that a template was rolled back from."""
    one = ledger.memory.get(template_hash)
    if one is None or one.bad is None or one.bad.blame is not Blame.LEFT:
        return ledger
    return replace(ledger, memory={**ledger.memory, template_hash: replace(one, bad=None)})


def _before(ledger: Ledger, template_hash: str, revision: int, fingerprint: str = "") -> Remembered:
    """Return what is remembered of a template, with the number that it has now."""
    one = ledger.memory.get(template_hash, Remembered(revision=revision))
    return replace(one, revision=revision, fingerprint=fingerprint or one.fingerprint)


def _healthy(
    before: Remembered,
    at: datetime,
    images: Mapping[str, str] | None,
    references: Mapping[str, str] | None,
) -> Remembered:
    return replace(
        before,
        first_healthy_at=before.first_healthy_at or at,
        last_healthy_at=at,
        images=images or before.images,
        references={**before.references, **(references or {})},
    )


def _with(ledger: Ledger, template_hash: str, one: Remembered) -> Ledger:
    """Return the ledger with a template remembered, and no more of them than are kept."""
    memory = {**ledger.memory, template_hash: one}
    kept = least_first(memory)[-KEPT:]
    return replace(ledger, memory={h: memory[h] for h in kept})
