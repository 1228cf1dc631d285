"""The history, newest first -> the choice of a target (design 4.4)."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.spans import span
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backout.core.model import Revision

UNPROVEN = "; unproven"
"""Stands in a choice's reason where nothing shows that it works."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The revision to go to, why, which newer ones were passed over and why, and kubectl's choice.

    `kubectl` is the revision number plain `kubectl rollout undo` would go to, None where it would
    refuse. `proven` tells whether it was recorded healthy or Pods of it are Ready now. `unpinned`
    is the revision as it stands in the history, where its images were pinned.
    """

    revision: Revision
    why: str
    proven: bool
    passed_over: tuple[tuple[int, str], ...] = ()
    kubectl: int | None = None
    unpinned: Revision | None = None


@dataclass(frozen=True, kw_only=True)
class NoChoice:
    """There is nothing to go to; `known_bad` are the other revisions, all known to be bad."""

    known_bad: tuple[int, ...] = ()


def current(revisions: Iterable[Revision]) -> Revision | None:
    """Return the revision the workload's template asks for, or None."""
    return next((r for r in revisions if r.is_current), None)


def of_template(revisions: Iterable[Revision], digest: str) -> Revision | None:
    """Return the oldest revision whose template has this hash, or None."""
    found = [r for r in revisions if r.hash == digest]
    return min(found, key=lambda r: objects.age(r.stored), default=None)


def numbered(revisions: Iterable[Revision], number: int) -> Revision | None:
    """Return the revision of this number, or None."""
    return next((r for r in revisions if r.number == number), None)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the ledger's memory says of templates, by hash: why one is bad, since when one is good.

    The good ones in words: `recorded healthy 4 min ago`.
    """

    bad: Mapping[str, str] = field(default_factory=dict)
    good: Mapping[str, str] = field(default_factory=dict)


NOTHING = Known()


def choose(revisions: Sequence[Revision], known: Known = NOTHING) -> Choice | NoChoice:
    """Return the newest other revision with proof, else the newest not known to be bad.

    `revisions` are newest first. Proof is recorded health, or a Ready Pod of the revision now; a
    revision that was rolled back from has none, however Ready its Pods are.
    """
    now = current(revisions)
    others = [r for r in revisions if not is_where_we_are(r, now)]
    candidates = [r for r in others if r.hash not in known.bad]
    if not candidates:
        return NoChoice(known_bad=tuple(r.number for r in others))
    chosen = next((r for r in candidates if _proofs(r, known)), candidates[0])
    return Choice(
        revision=chosen,
        why=_reason(chosen, revisions, known),
        proven=bool(_proofs(chosen, known)),
        passed_over=tuple(
            (r.number, _why_not(r, known)) for r in others if r.number > chosen.number
        ),
        kubectl=kubectl_choice(revisions),
    )


def last_healthy(revisions: Sequence[Revision], known: Known = NOTHING) -> Choice | NoChoice:
    """Return the newest other revision that was recorded healthy (`--to-last-healthy`).

    Ready Pods are no record: a revision that is newer and only runs is passed over.
    """
    now = current(revisions)
    others = [r for r in revisions if not is_where_we_are(r, now)]
    chosen = next((r for r in others if r.hash in known.good and r.hash not in known.bad), None)
    if chosen is None:
        return NoChoice(known_bad=tuple(r.number for r in others if r.hash in known.bad))
    return Choice(
        revision=chosen,
        why=_reason(chosen, revisions, known),
        proven=True,
        passed_over=tuple(
            (r.number, _why_not_healthy(r, known)) for r in others if r.number > chosen.number
        ),
        kubectl=kubectl_choice(revisions),
    )


def asked_for(revision: Revision, known: Known = NOTHING) -> Choice:
    """Return the choice the user made with `--to-revision`."""
    proofs = _proofs(revision, known)
    why = ", ".join(["asked for by --to-revision", *proofs])
    return Choice(revision=revision, why=why, proven=bool(proofs))


def kubectl_choice(revisions: Iterable[Revision]) -> int | None:
    """Return the number plain `kubectl rollout undo` goes to: the second highest.

    Reproduces kubectl's one pass over the history by age with the current one last, ties included.
    A revision without a number counts as 0, one with an unreadable number not at all (kubectl
    pkg/polymorphichelpers/rollback.go, deploymentRevision).
    """
    by_age = sorted(revisions, key=lambda r: (r.is_current, *objects.age(r.stored)))
    latest = previous = -1
    for number in (r.number for r in by_age if r.is_numbered):
        if latest < number:
            previous, latest = latest, number
        elif previous < number:
            previous = number
    return previous if previous >= 0 else None


def is_where_we_are(revision: Revision, now: Revision | None) -> bool:
    """Tell whether going to a revision would change nothing: it has the current one's template."""
    return revision.is_current or (now is not None and revision.hash == now.hash)


def _proofs(revision: Revision, known: Known) -> list[str]:
    """Return what shows that a revision works, in words; nothing where it is known to be bad."""
    if revision.hash in known.bad:
        return []
    recorded = known.good.get(revision.hash)
    ready = f"with Ready Pods ({revision.ready} now)" if revision.ready else None
    return [proof for proof in (recorded, ready) if proof is not None]


def _why_not(revision: Revision, known: Known) -> str:
    why = known.bad.get(revision.hash)
    return "no Pod of it is Ready" if why is None else f"known to be bad: {why}"


def _why_not_healthy(revision: Revision, known: Known) -> str:
    why = known.bad.get(revision.hash)
    return "it was not recorded healthy" if why is None else f"known to be bad: {why}"


def _reason(chosen: Revision, revisions: Sequence[Revision], known: Known) -> str:
    proofs = _proofs(chosen, known)
    if proofs:
        return f"newest other revision {', '.join(proofs)}"
    served = _was_current_for(chosen, revisions)
    return f"newest other revision{UNPROVEN}" + (f", was current for {served}" if served else "")


def _was_current_for(revision: Revision, revisions: Sequence[Revision]) -> str:
    """Return how long until the next revision was created, in words; empty where unknown.

    A renumbered revision is older than its number says, and a gap in the numbers hides one: the
    creation times tell nothing then.
    """
    follower = numbered(revisions, revision.number + 1)
    if follower is None or revision.earlier:
        return ""
    if revision.created is None or follower.created is None or follower.created < revision.created:
        return ""
    return span(follower.created, since=revision.created)
