"""The history, newest first: which is current, and what a number means to kubectl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Revision


def current(revisions: Iterable[Revision]) -> Revision | None:
    """Return the revision the workload's template asks for, or None."""
    return next((r for r in revisions if r.is_current), None)


def of_template(revisions: Iterable[Revision], digest: str) -> Revision | None:
    """Return the oldest revision whose template has this hash, or None."""
    found = [r for r in revisions if r.hash == digest]
    return min(found, key=lambda r: objects.age(r.stored), default=None)


def numbered(revisions: Iterable[Revision], number: int) -> Revision | None:
    """Return the revision of this number, or None.

    Of several with one number it is the oldest, the current one last, as kubectl takes them
    (kubectl pkg/polymorphichelpers/rollback.go, deploymentRevision).
    """
    return next((r for r in _walked(revisions) if r.number == number), None)


def kubectl_choice(revisions: Iterable[Revision]) -> int | None:
    """Return the number plain `kubectl rollout undo` goes to: the second highest.

    Reproduces kubectl's one pass over the history by age with the current one last, ties included.
    A revision without a number counts as 0, one with an unreadable number not at all (kubectl
    pkg/polymorphichelpers/rollback.go, deploymentRevision).
    """
    latest = previous = -1
    for number in (r.number for r in _walked(revisions) if r.is_numbered):
        if latest < number:
            previous, latest = latest, number
        elif previous < number:
            previous = number
    return previous if previous >= 0 else None


def is_where_we_are(revision: Revision, now: Revision | None) -> bool:
    """Tell whether going to a revision would change nothing: it has the current one's template."""
    return revision.is_current or (now is not None and revision.hash == now.hash)


def _walked(revisions: Iterable[Revision]) -> list[Revision]:
    """Return them as kubectl looks at them: the oldest first, the current one last, or by place."""
    return sorted(revisions, key=lambda r: r.place or (str(r.is_current), *objects.age(r.stored)))
