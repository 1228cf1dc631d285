"""PF4xx: who else owns the workload, and will they put the template back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.model import Severity
from backout.core.owners.owners import Policy
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.owners.owners import Owner
    from backout.core.preflight.snapshot import Preflight


_UNDONE = "the rollback is undone within seconds or minutes, and counts all the same"
_NOT_UNDONE = "the Pods that serve are the owner's: the rollback does not reach them as you expect"


def owner_reverts(preflight: Preflight) -> Iterator[Fact]:
    """It is known that the owner will undo the rollback behind the user's back."""
    for owner in _owners(preflight, Policy.REVERTS):
        yield Fact(
            message=f"{owner.tool} ({owner.name}) owns {preflight.snapshot.target} and "
            f"{owner.does or 'puts its template back by itself'}",
            detail=owner.detail,
            remedy=f"go its own way: {owner.command}",
            risk=_NOT_UNDONE if owner.does else _UNDONE,
        )


def owner_is_unknown(preflight: Preflight) -> Iterator[Fact]:
    """There is an owner, and whether it undoes the rollback could not be read."""
    for owner in _owners(preflight, Policy.UNKNOWN):
        yield Fact(
            message=f"{owner.tool} ({owner.name}) owns {preflight.snapshot.target}; whether it "
            "puts the template back by itself could not be read",
            detail=owner.detail,
            remedy=f"its own way: {owner.command}",
        )


def next_deploy_reverts(preflight: Preflight) -> Iterator[Fact]:
    """The next deploy brings the bad template again, unless its source is corrected."""
    for owner in _owners(preflight, Policy.NEXT_DEPLOY):
        yield Fact(
            message=f"{owner.tool} ({owner.name}) deployed {preflight.snapshot.target}: its next "
            "deploy brings the bad template again",
            detail=owner.detail,
            remedy=f"correct its source, too; its own way: {owner.command}",
        )


def _owners(preflight: Preflight, policy: Policy) -> Iterator[Owner]:
    return (o for o in preflight.snapshot.owners if o.policy is policy)


REVERTS = Check(
    id="PF401",
    severity=Severity.BLOCK,
    title="an owner puts the template back by itself",
    find=owner_reverts,
    parts=frozenset({Need.ROLLOUTS}),
)
CHECKS = (
    REVERTS,
    Check(
        id="PF402",
        severity=Severity.WARN,
        title="an owner's policy could not be read",
        find=owner_is_unknown,
    ),
    Check(
        id="PF403",
        severity=Severity.WARN,
        title="the owner's next deploy brings the bad template again",
        find=next_deploy_reverts,
    ),
)
