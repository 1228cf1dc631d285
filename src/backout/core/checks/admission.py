"""PF5xx: will the API server take the patch, and the Pods that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact, still_runs
from backout.core.checks.lines import elsewhere
from backout.core.difference import shown
from backout.core.difference.fields import differences
from backout.core.model import Severity
from backout.core.preflight import admission
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.room.startability import must_start

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 5
"""Fields that differ and fit in a finding."""


def patch_is_refused(preflight: Preflight) -> Iterator[Fact]:
    """The dry run of the exact patch was refused: so would be the patch."""
    dry = preflight.snapshot.dry_run
    if dry is not None and dry.refused:
        yield Fact(
            message=f"the API server refuses the patch: {dry.refused}",
            remedy=_remedy(preflight),
            risk="the patch is refused again, and counts as a rollback",
        )


def template_is_rewritten(preflight: Preflight) -> Iterator[Fact]:
    """Something between us and the store changes the template: what runs is not the target."""
    dry = preflight.snapshot.dry_run
    if dry is None or dry.template is None:
        return
    found = differences(preflight.destination.template, dry.template)
    if found:
        places = [shown.place(one.path) for one in found]
        told = shown.lines(found, with_plain=True) if preflight.policy.show_values else places
        fields = "1 field is" if len(found) == 1 else f"{len(found)} fields are"
        yield Fact(
            message=f"admission rewrites the template: {fields} not as in revision "
            f"{preflight.destination.number}",
            detail="; ".join(told[:SHOWN]),
            remedy="see which mutating webhook does: kubectl get mutatingwebhookconfigurations",
        )


def server_warns(preflight: Preflight) -> Iterator[Fact]:
    """The server's own warnings; the one about Pod Security says that every Pod is refused."""
    dry = preflight.snapshot.dry_run
    for text in dry.warnings if dry is not None else ():
        yield Fact(message=f"the API server warns: {text}", remedy="correct what it names")


def pod_is_refused(preflight: Preflight) -> Iterator[Fact]:
    """A Pod of the target is refused, and Pods must be started."""
    refused = _refused(preflight)
    if refused and not admission.is_of_policy(refused) and _must_start(preflight):
        yield Fact(
            message=f"Pods of revision {preflight.destination.number} are refused: {refused}",
            remedy=_remedy(preflight),
            risk="Pods of the target cannot be created",
        )


def pod_is_refused_but_runs(preflight: Preflight) -> Iterator[Fact]:
    """A Pod of the target is refused, and enough Pods of the target still run."""
    refused = _refused(preflight)
    if refused and not admission.is_of_policy(refused) and not _must_start(preflight):
        yield Fact(
            message=f"a new Pod of revision {preflight.destination.number} would be refused: "
            f"{refused}; {still_runs(preflight, 'that revision')}",
            remedy="correct what its message names before a node is drained",
        )


def pod_is_refused_by_policy(preflight: Preflight) -> Iterator[Fact]:
    """A quota or a policy refuses it for us: for the controller it may be otherwise."""
    refused = _refused(preflight)
    if refused and admission.is_of_policy(refused):
        yield Fact(
            message=f"a Pod of revision {preflight.destination.number} is refused, asked as this "
            f"user: {refused}",
            detail="the real Pods are made by a controller, when bad Pods have gone",
            remedy="raise the quota, or see what the policy asks for",
        )


def _remedy(preflight: Preflight) -> str:
    return f"correct what its message names, or go to another revision ({elsewhere(preflight)})"


def _refused(preflight: Preflight) -> str:
    dry = preflight.snapshot.pod_dry_run
    return dry.refused if dry is not None else ""


def _must_start(preflight: Preflight) -> bool:
    return must_start(preflight.snapshot.pace, ready=preflight.destination.ready)


_PATCH = frozenset({Need.DRY_RUN})
_POD = frozenset({Need.POD_DRY_RUN, Need.PODS})

CHECKS = (
    Check(
        id="PF501",
        severity=Severity.BLOCK,
        title="the API server refuses the patch",
        find=patch_is_refused,
        needs=_PATCH,
    ),
    Check(
        id="PF502",
        severity=Severity.WARN,
        title="admission rewrites the target's template",
        find=template_is_rewritten,
        needs=_PATCH,
    ),
    Check(
        id="PF503",
        severity=Severity.WARN,
        title="the API server warns of the patch",
        find=server_warns,
        needs=_PATCH,
    ),
    Check(
        id="PF504",
        severity=Severity.BLOCK,
        title="Pods of the target are refused, and Pods must be started",
        find=pod_is_refused,
        needs=_POD,
    ),
    Check(
        id="PF505",
        severity=Severity.WARN,
        title="Pods of the target are refused, but enough run",
        find=pod_is_refused_but_runs,
        needs=_POD,
    ),
    Check(
        id="PF506",
        severity=Severity.WARN,
        title="a quota or a policy refuses a Pod of the target",
        find=pod_is_refused_by_policy,
        needs=_POD,
    ),
)
