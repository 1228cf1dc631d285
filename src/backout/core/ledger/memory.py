"""The health memory of a workload: which templates are known to be good, which to be bad, and why.

Kept beside the records by the hash of the template, so that renumbering, deleting and creating
again do not matter (reference ledger.md). It follows the records: whoever replaces one here
remembers what it teaches, in the same write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.health.judgement import Healthy
from backout.core.history.revisions import Known
from backout.core.ledger.records import Bad, Ledger, Record, Remembered, State
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KEPT = 50
"""Templates that are remembered; what was heard of longest ago is forgotten first."""
WHY = 120
"""Characters of a reason."""

_HAPPENED = {State.APPLIED, State.SUCCEEDED, State.FAILED, State.UNDECIDED}


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


def known(ledger: Ledger, now: datetime) -> Known:
    """Return in words what is known of templates; `now` is the server's time."""
    return Known(
        bad={h: f"{b.why}, {span(now, since=b.at)} ago" for h, b in known_bad(ledger).items()},
        good={
            h: f"recorded healthy {span(now, since=at)} ago" for h, at in known_good(ledger).items()
        },
    )


def with_record(
    ledger: Ledger, record: Record, references: Mapping[str, str] | None = None
) -> Ledger:
    """Return the ledger with the record of the same operation replaced, and its lesson learned.

    `references` are the versions of what the record's target names, remembered where it is healthy.
    """
    records = tuple(record if r.op == record.op else r for r in ledger.records)
    return _learned(replace(ledger, records=records), record, references)


def marked(
    ledger: Ledger,
    template_hash: str,
    revision: int,
    *,
    at: datetime,
    bad: str | None = None,
    told: str = "",
    images: Mapping[str, str] | None = None,
    references: Mapping[str, str] | None = None,
) -> Ledger:
    """Return the ledger with a word on a template: healthy at this time, or bad and why.

    `told` is who says that it is healthy, and why; `images` maps containers to the digests that ran
    healthy, `references` what it named then (`ConfigMap/settings`) to resourceVersions: what could
    not be read this time keeps the version that was remembered before.
    """
    before = ledger.memory.get(template_hash, Remembered(revision=revision))
    if bad is not None:
        after = replace(before, revision=revision, bad=Bad(at=at, why=bad[:WHY]), told="")
    else:
        after = replace(
            before,
            revision=revision,
            first_healthy_at=before.first_healthy_at or at,
            last_healthy_at=at,
            images=images or before.images,
            references={**before.references, **(references or {})},
            bad=None,
            told=told[:WHY],
        )
    return replace(ledger, memory=_newest({**ledger.memory, template_hash: after}))


def heard_at(one: Remembered) -> datetime | None:
    """Return when something was last heard of a template."""
    times = [t for t in (one.last_healthy_at, one.bad.at if one.bad else None) if t is not None]
    return max(times, default=None)


def _learned(ledger: Ledger, record: Record, references: Mapping[str, str] | None) -> Ledger:
    """Remember what a record teaches: its source was rolled back from, its end judged its target.

    A rollout that completed without a word on its health proves nothing, and only clears `bad`.
    """
    if record.state not in _HAPPENED:
        return ledger
    source, target = record.source, record.destination
    at = record.closed_at or record.patched_at or record.intent_at
    if not _is_told(ledger, source.hash, record.intent_at):
        words = f"rolled back by {record.actor}"
        ledger = marked(ledger, source.hash, source.revision, at=at, bad=words)
    if record.state is State.FAILED:
        why = (record.causes or (f"{record.verdict}, {record.health}".strip(", "),))[0]
        return marked(ledger, target.hash, target.revision, at=at, bad=f"its rollout failed: {why}")
    if record.state is not State.SUCCEEDED:
        return ledger
    if record.health == Healthy.__name__:
        images = target.digests
        return marked(
            ledger, target.hash, target.revision, at=at, images=images, references=references
        )
    return _cleared(ledger, target.hash)


def _is_told(ledger: Ledger, template_hash: str, since: datetime) -> bool:
    """Tell whether a newer word on a template came since, a person's perhaps: that one stays."""
    known = ledger.memory.get(template_hash)
    heard = heard_at(known) if known is not None else None
    return heard is not None and heard > since


def _cleared(ledger: Ledger, template_hash: str) -> Ledger:
    known = ledger.memory.get(template_hash)
    if known is None:
        return ledger
    return replace(ledger, memory={**ledger.memory, template_hash: replace(known, bad=None)})


def _newest(memory: Mapping[str, Remembered]) -> Mapping[str, Remembered]:
    """Return the `KEPT` templates that were heard of last."""

    def age(entry: tuple[str, Remembered]) -> tuple[bool, float, str]:
        heard = heard_at(entry[1])
        return heard is not None, heard.timestamp() if heard else 0.0, entry[0]

    return dict(sorted(memory.items(), key=age)[-KEPT:])
