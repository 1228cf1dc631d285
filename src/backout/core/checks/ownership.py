"""PF4xx: who else owns the workload, and will they put the template back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.heal import hand_back, next_deploy
from backout.core.heal.last_applied import LeftAlone, Rewritten
from backout.core.heal.next_deploy import Brings
from backout.core.model import Severity
from backout.core.owners.owners import CLIENT_SIDE, HELM, SERVER_SIDE, Policy
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.owners.owners import Owner
    from backout.core.preflight.snapshot import Preflight


_OFF = "nothing is healed (--no-heal)"
_RELEASE = "Helm keeps its own record of the release, which only helm rollback corrects"
_UNDONE = "the rollback is undone within seconds or minutes, and still counts towards the limit"
_NOT_UNDONE = "the Pods that serve are the owner's: the rollback does not reach them as you expect"


def owner_reverts(preflight: Preflight) -> Iterator[Fact]:
    """It is known that the owner will undo the rollback behind the user's back."""
    for owner in _owners(preflight, Policy.REVERTS):
        yield Fact(
            message=f"{owner.tool} ({owner.name}) owns {preflight.snapshot.target} and "
            f"{owner.does or 'puts its template back by itself'}",
            detail=owner.detail,
            remedy=f"roll back with its own tool: {owner.command}",
            risk=_NOT_UNDONE if owner.does else _UNDONE,
        )


def owner_is_unknown(preflight: Preflight) -> Iterator[Fact]:
    """There is an owner, and whether it undoes the rollback could not be read."""
    for owner in _owners(preflight, Policy.UNKNOWN):
        yield Fact(
            message=f"{owner.tool} ({owner.name}) owns {preflight.snapshot.target}; whether it "
            "puts the template back by itself could not be read",
            detail=owner.detail,
            remedy=f"to be safe, roll back with its own tool: {owner.command}",
        )


def next_deploy_reverts(preflight: Preflight) -> Iterator[Fact]:
    """The next deploy brings back the current template, unless its source is corrected.

    Not where what was applied last asks for the target already: a person changed the live object.
    """
    for owner in _owners(preflight, Policy.NEXT_DEPLOY):
        brings = _brings(preflight, owner)
        if brings is Brings.TARGET:
            continue
        images = next_deploy.new_images(preflight.snapshot.workload, preflight.destination.template)
        current = f"back the current template{f' ({images})' if images else ''}"
        other = "a third template, neither the current one nor the target"
        what = other if brings is Brings.OTHER else current
        yield Fact(
            message=f"{owner.tool} ({owner.name}) deployed {preflight.snapshot.target}: its next "
            f"deploy brings {what}",
            detail="; ".join(s for s in (_corrected(preflight, owner), owner.detail) if s),
            remedy=f"correct its source, too, with its own tool: {owner.command}",
        )


def _brings(preflight: Preflight, owner: Owner) -> Brings:
    """Return what the owner's manifest would bring, as far as the object tells."""
    workload, target = preflight.snapshot.workload, preflight.destination.template
    if owner.tool == CLIENT_SIDE:
        return next_deploy.by_client(workload, target)
    if owner.tool == SERVER_SIDE:
        return next_deploy.by_server(workload, target, owner.name)
    return Brings.UNKNOWN


def _corrected(preflight: Preflight, owner: Owner) -> str:
    """Return what a corrected deploy does after the rollback, healed or not."""
    workload, target = preflight.snapshot.workload, preflight.destination.template
    healing = preflight.healing
    if owner.tool == CLIENT_SIDE:
        if isinstance(healing.applied, Rewritten):
            return "a corrected manifest works as usual: last-applied-configuration is healed"
        why = _OFF
        if isinstance(healing.applied, LeftAlone):
            why = f"last-applied-configuration is left alone ({healing.applied.why})"
        return _told(why, next_deploy.client_harm(workload, target))
    if hand_back.owners_of(workload):
        if healing.owners:
            return "a corrected deploy works as usual: the fields that change are handed back"
        return _told(_OFF, next_deploy.server_harm(workload, target))
    if owner.tool == HELM:
        return _told(_RELEASE, next_deploy.client_harm(workload, target))
    return ""


def _told(why: str, harm: str) -> str:
    return f"{why}: {harm}" if harm else ""


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
        title="the owner's next deploy brings back the current template",
        find=next_deploy_reverts,
    ),
)
