"""The choice of a target: which revision a rollback goes to, and why (docs/choice.md)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.history import barriers, served
from backout.core.history.revisions import current, is_where_we_are, kubectl_choice
from backout.core.kubernetes import restarts
from backout.core.spans import words

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import timedelta

    from backout.core.history.barriers import Barrier
    from backout.core.model import Object, Revision

UNPROVEN = "; unproven"
"""Stands in a choice's reason where little or nothing shows that it works."""
TWIN = (
    "it differs from the current revision only in annotations that restart Pods or carry checksums"
)


class Evidence(IntEnum):
    """What speaks for a revision; the higher outranks the newer."""

    NOTHING = 0
    PAST = 1
    """It was recorded healthy, or it served."""
    READY = 2
    """Pods of it are Ready now."""


class Known(Struct, frozen=True, kw_only=True):
    """What the ledger's memory says of templates, by hash: why one is bad, since when one is good.

    The good ones in words: `recorded healthy 4 min ago`.
    """

    bad: Mapping[str, str] = field(default_factory=dict)
    good: Mapping[str, str] = field(default_factory=dict)


NOTHING = Known()


class Choice(Struct, frozen=True, kw_only=True):
    """The revision to go to, why, which newer ones were passed over and why, and kubectl's choice.

    `kubectl` is the revision number plain `kubectl rollout undo` would go to, None where it would
    refuse. `proven` tells whether it was recorded healthy or Pods of it are Ready now,
    `has_served_long` whether it was current for an hour or more: evidence, no proof. `unpinned` is
    the revision as it stands in the history, where its images were pinned.
    """

    revision: Revision
    why: str
    proven: bool
    has_served_long: bool = False
    passed_over: tuple[tuple[int, str], ...] = ()
    kubectl: int | None = None
    unpinned: Revision | None = None


class NoChoice(Struct, frozen=True, kw_only=True):
    """There is nothing to go to.

    `known_bad` are other revisions that are known to be bad, `twins` those that run just what the
    current one runs; `beyond` is what would be chosen were there no `barriers` before it.
    """

    known_bad: tuple[int, ...] = ()
    twins: tuple[int, ...] = ()
    beyond: Revision | None = None
    barriers: tuple[Barrier, ...] = ()


def choose(
    revisions: Sequence[Revision],
    known: Known = NOTHING,
    *,
    wanted: Object | None = None,
    only: Container[int] | None = None,
    is_recorded: bool = False,
) -> Choice | NoChoice:
    """Return the newest other revision with Ready Pods, else that with a past, else the newest.

    `revisions` are newest first. What is known to be bad, what lies beyond a barrier and what runs
    just what the current one runs is none to go to. `wanted` is the template that the workload asks
    for, where no revision may have it yet. With `only` it is one of these numbers; with
    `is_recorded` it was recorded healthy, whatever runs.
    """
    others = _Others(revisions, known, wanted)
    scope = [r for r in others.listed if only is None or r.number in only]
    named = [r for r in scope if not is_recorded or r.hash in known.good]
    candidates = [r for r in named if not others.why_none(r)]
    if not candidates:
        return _none(scope, named, others)
    best = candidates[0] if is_recorded else _best(candidates, others)
    rank = None if is_recorded else others.evidence(best)
    return Choice(
        revision=best,
        why=others.why(best),
        proven=bool(others.proofs(best)),
        has_served_long=served.is_long(others.span(best)),
        passed_over=tuple(
            (r.number, others.why_not(r, rank)) for r in scope if r.number > best.number
        ),
        kubectl=kubectl_choice(revisions),
    )


def asked_for(
    revision: Revision,
    known: Known = NOTHING,
    *,
    history: Sequence[Revision] = (),
    by: str = "--to-revision",
) -> Choice:
    """Return the choice the user made with `--to-revision`, or with another option."""
    others = _Others(history or (revision,), known, None)
    proofs = others.proofs(revision)
    return Choice(
        revision=revision,
        why=", ".join([f"asked for by {by}", *proofs]),
        proven=bool(proofs),
        has_served_long=served.is_long(others.span(revision)),
    )


def is_twin(revision: Revision, wanted: Object) -> bool:
    """Tell whether going to a revision would only restart what the workload asks for already."""
    return restarts.runs(revision) == restarts.digest(wanted)


class _Others:
    """The other revisions, and what is known of each."""

    def __init__(self, revisions: Sequence[Revision], known: Known, wanted: Object | None) -> None:
        self._history, self._known, self._wanted = revisions, known, wanted
        now = current(revisions)
        self.listed = [r for r in revisions if not is_where_we_are(r, now)]
        self._running = {
            *([restarts.runs(now)] if now is not None else []),
            *([restarts.digest(wanted)] if wanted is not None else []),
        }

    def crossed(self, revision: Revision) -> tuple[Barrier, ...]:
        return barriers.crossed(revision, self._history, self._wanted)

    def is_twin(self, revision: Revision) -> bool:
        return restarts.runs(revision) in self._running

    def is_bad(self, revision: Revision) -> bool:
        return revision.hash in self._known.bad

    def why_none(self, revision: Revision) -> str:
        """Return why a revision is none to go to; empty where it may be one."""
        if self.is_twin(revision):
            return TWIN
        if self.is_bad(revision):
            return f"known to be bad: {self._known.bad[revision.hash]}"
        crossed = self.crossed(revision)
        return f"beyond a barrier: {crossed[-1]}" if crossed else ""

    def span(self, revision: Revision) -> timedelta | None:
        return served.current_for(revision, self._history)

    def proofs(self, revision: Revision) -> list[str]:
        """Return what shows that it works, in words; nothing where it is known to be bad."""
        if self.is_bad(revision):
            return []
        recorded = self._known.good.get(revision.hash)
        ready = f"with Ready Pods ({revision.ready} now)" if revision.ready else None
        return [proof for proof in (recorded, ready) if proof is not None]

    def evidence(self, revision: Revision) -> Evidence:
        if revision.ready:
            return Evidence.READY
        is_good = revision.hash in self._known.good
        return Evidence(is_good or served.has_served(self.span(revision)))

    def why(self, chosen: Revision) -> str:
        proofs = self.proofs(chosen)
        if proofs:
            return f"newest other revision {', '.join(proofs)}"
        span = self.span(chosen)
        if span is None:
            return f"newest other revision; how long it was current is not known{UNPROVEN}"
        if not served.has_served(span):
            return f"newest other revision{UNPROVEN}, was current for {words(span)}"
        doubt = "" if served.is_long(span) else UNPROVEN
        return f"newest other revision that was current for {words(span)}{doubt}"

    def why_not(self, revision: Revision, rank: Evidence | None) -> str:
        """Return why a revision was passed over for one of this rank; None: only records count."""
        why = self.why_none(revision)
        if why:
            return why
        if rank is None:
            return "it was not recorded healthy"
        if rank is Evidence.READY:
            return "no Pod of it is Ready"
        span = self.span(revision)
        short = f"and was current for {words(span)} only" if span is not None else ""
        return f"it was not recorded healthy {short}".rstrip()


def _best(candidates: Sequence[Revision], others: _Others) -> Revision:
    """Return the newest of those with the most evidence; `candidates` are newest first."""
    return max(candidates, key=others.evidence)


def _none(scope: Sequence[Revision], named: Sequence[Revision], others: _Others) -> NoChoice:
    """Return why nothing is left; what lies beyond a barrier is all that could be gone to."""
    beyond = [r for r in named if not others.is_twin(r) and not others.is_bad(r)]
    best = _best(beyond, others) if beyond else None
    return NoChoice(
        known_bad=tuple(r.number for r in scope if others.is_bad(r) and not others.is_twin(r)),
        twins=tuple(r.number for r in scope if others.is_twin(r)),
        beyond=best,
        barriers=others.crossed(best) if best is not None else (),
    )
