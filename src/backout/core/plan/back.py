"""A rollback that has led here already -> why there is no second, and the lines that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.checks import lines
from backout.core.checks.breaker import beyond_limit
from backout.core.history import revisions
from backout.core.history.choice import NoChoice, choose
from backout.core.ledger.records import State
from backout.core.outcome import Outcome, Result
from backout.core.spans import span

if TYPE_CHECKING:
    from backout.core.ledger.once import Back
    from backout.core.ledger.records import Record
    from backout.core.model import Revision
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Snapshot

ALREADY_BACK = "already rolled back to revision"
"""The product's own wording, with the number behind it; scripts rely on it."""


def already_back(back: Back, snapshot: Snapshot, policy: Request) -> Outcome:
    """Return the refusal: what has happened, how it ended, and the safest next step."""
    record = back.record
    number = record.destination.revision
    now = revisions.current(snapshot.revisions)
    renumbered = f" (now revision {now.number})" if now and now.number != number else ""
    ago = span(snapshot.now, since=record.intent_at)
    how = () if record.state is State.SUCCEEDED else (_ended(record),)
    return Outcome(
        result=Result.REFUSED,
        message=f"{ALREADY_BACK} {number}{renumbered}, {ago} ago by {record.actor}",
        also=("nothing was changed", *how),
        remedy="check that the service is healthy now: "
        + lines.of("backout verify", policy, snapshot),
    )


def ways_on(back: Back, snapshot: Snapshot, policy: Request) -> list[str]:
    """Return the lines that go anywhere else, each in a sentence.

    The way back first, where the rollback did not succeed; after one that did it is none.
    """
    record = back.record
    there = snapshot.revisions
    source = next((r for r in there if r.hash in record.source.hashes), None)
    now = revisions.current(there)
    tried = {r.hash: "tried before" for r in (source, now) if r is not None}
    known = replace(snapshot.known, bad={**snapshot.known.bad, **tried})
    further = choose(there, known, wanted=snapshot.workload["spec"]["template"])
    sentences = []
    if source is not None and source != now and record.state is not State.SUCCEEDED:
        good = snapshot.known.good.get(source.hash, "not recorded healthy")
        words = f"return to revision {source.number}, where it was before ({good})"
        sentences.append(_to(source, words, snapshot, policy))
    if not isinstance(further, NoChoice):
        older = further.revision
        beyond = beyond_limit(snapshot, policy)
        start = "roll back further, to" if record.state is State.SUCCEEDED else "go to"
        words = f"{start} revision {older.number} ({further.why}){beyond.words}"
        sentences.append(_to(older, words, snapshot, policy) + beyond.flags)
    return sentences


def _to(revision: Revision, words: str, snapshot: Snapshot, policy: Request) -> str:
    line = lines.of("backout undo", policy, snapshot, "--to-revision", str(revision.number))
    return f"{words}: {line}"


def _ended(record: Record) -> str:
    number = record.destination.revision
    if record.state is State.FAILED:
        why = f": {record.causes[0]}" if record.causes else ""
        return f"the last rollback, to revision {number}, failed{why}"
    verdict = f": {record.verdict}" if record.verdict else ""
    return f"how it ended is undecided{verdict}"
