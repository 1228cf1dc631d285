"""PF1xx: is the revision the right one to go to, and will the controller act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.checks.lines import ANY, again, elsewhere, of
from backout.core.history import barriers
from backout.core.history.choice import TWIN, is_twin
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.rights import permissions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.history.barriers import Barrier
    from backout.core.model import Revision

ENOUGH_HISTORY = 3
_LIMIT = '{"spec":{"revisionHistoryLimit":10}}'
"""The API server's own default."""
"""The one block that has a flag of its own to lift it: `--unpause`."""


def controller_has_not_observed_a_choice(preflight: Preflight) -> Iterator[Fact]:
    """Undoing before the controller has seen the newest spec goes to the wrong revision."""
    if not preflight.snapshot.is_observed and not preflight.policy.is_named:
        yield Fact(
            message=f"the {preflight.snapshot.kind.resource.name} controller has not observed the "
            "newest change, so the newest revision is not in the history yet",
            remedy="see why the controller-manager does not act, or name the revision: "
            "--to-revision N",
            risk="the choice may be one revision too old",
        )


def controller_has_not_observed(preflight: Preflight) -> Iterator[Fact]:
    """A revision that the user named is the right one anyway; it may only take long."""
    if not preflight.snapshot.is_observed and preflight.policy.is_named:
        yield Fact(
            message=f"the {preflight.snapshot.kind.resource.name} controller has not observed the "
            "newest change; it may not act on this one either",
            remedy="see whether the controller-manager runs",
        )


def workload_is_paused(preflight: Preflight) -> Iterator[Fact]:
    """A paused workload takes the patch and rolls nothing out."""
    still = preflight.snapshot.kind.unmoving(preflight.snapshot.workload)
    if still is not None and still.lift is not None and not preflight.policy.unpause:
        yield Fact(
            message=f"{still.why}: its controller would not roll the target out",
            remedy="resume it in the same write, not before (that would roll the bad template "
            f"further): {again(preflight.policy, preflight.snapshot, '--unpause')}",
            risk="whoever paused it may have had a reason",
        )


def workload_is_being_deleted(preflight: Preflight) -> Iterator[Fact]:
    """The controller only writes the status of an object with a deletionTimestamp."""
    since = objects.dig(preflight.snapshot.workload, "metadata", "deletionTimestamp")
    if since:
        yield Fact(
            message=f"the {preflight.snapshot.kind.resource.name} is being deleted since {since}",
            remedy="wait until it is gone and create it again from its source",
            risk="the controller no longer replaces Pods of it: nothing would move",
        )


def history_is_short(preflight: Preflight) -> Iterator[Fact]:
    """With a limit below 3, one bad deploy or two leave no good revision to go back to."""
    limit = objects.dig(preflight.snapshot.workload, "spec", "revisionHistoryLimit", default=10)
    if limit < ENOUGH_HISTORY:
        yield Fact(
            message=f"revisionHistoryLimit is {limit}: the next deploys evict the revisions that "
            "one could go back to",
            remedy=f"set spec.revisionHistoryLimit to {ENOUGH_HISTORY} or more: "
            + of("kubectl patch", preflight.policy, preflight.snapshot, "-p", _LIMIT),
        )


def choice_is_half_blind(preflight: Preflight) -> Iterator[Fact]:
    """What the choice is made from was denied: it goes by the rest, and that is said."""
    hidden, policy = preflight.snapshot.unreadable, preflight.policy
    if policy.to_revision is not None:
        return
    if Need.PODS in hidden:
        yield Fact(
            message=f"revision {preflight.destination.number} was chosen without the Pods, which "
            f"could not be read ({hidden[Need.PODS]}): another revision may have Ready Pods",
            remedy=permissions.remedy("pods"),
        )
    if Need.LEDGER in hidden:
        yield Fact(
            message=f"revision {preflight.destination.number} was chosen without the ledger, which "
            f"could not be read ({hidden[Need.LEDGER]}): it may be known to be bad",
            remedy=permissions.remedy("leases"),
        )


def barrier_is_crossed(preflight: Preflight) -> Iterator[Fact]:
    """A newer revision says that what came before it cannot be gone back to."""
    wanted = preflight.snapshot.workload["spec"]["template"]
    found = barriers.crossed(preflight.origin, preflight.revisions, wanted)
    if found:
        yield barrier_fact(preflight.destination, found)


def barrier_fact(target: Revision, found: Sequence[Barrier]) -> Fact:
    """Return that these barriers stand before a revision."""
    return Fact(
        message=f"revision {target.number} lies beyond a barrier: "
        + "; ".join(str(one) for one in found),
        detail=f"the annotation {barriers.ANNOTATION} of the Pod templates says so",
        remedy="ask whoever set it whether the older code still works; deploy a repaired version "
        "instead",
        risk="the older code may not work any more, or may destroy what the newer one wrote",
    )


def target_runs_the_same(preflight: Preflight) -> Iterator[Fact]:
    """What the user named differs in nothing that runs: it is a restart."""
    if is_twin(preflight.destination, preflight.snapshot.workload["spec"]["template"]):
        yield Fact(
            message=f"revision {preflight.destination.number} runs what runs now: {TWIN}",
            remedy="leave --to-revision out to go to a revision that differs, or restart it: "
            + of("kubectl rollout restart", preflight.policy, preflight.snapshot),
        )


def target_is_known_bad(preflight: Preflight) -> Iterator[Fact]:
    """Rolled back from, its rollout failed, or marked. Undoing an undo must be possible."""
    bad = preflight.snapshot.known.bad
    why = bad.get(preflight.destination.hash) or bad.get(preflight.origin.hash)
    if why is not None:
        other = elsewhere(preflight)
        yield Fact(
            message=f"revision {preflight.destination.number} is known to be bad: {why}",
            remedy="leave --to-revision out to go to a revision that is not"
            if other == ANY
            else f"go to a revision that is not known to be bad: {other}",
        )


def no_pod_runs(preflight: Preflight) -> Iterator[Fact]:
    """Where no Pod is to run every rollout completes at once and proves nothing."""
    idle = preflight.snapshot.kind.idle(preflight.snapshot.workload)
    if idle:
        yield Fact(
            message=f"{idle}: no Pod will start, so nothing about the target is proven",
            remedy="scale it up afterwards and look at the Pods",
        )


BARRIER = Check(
    id="PF116",
    severity=Severity.BLOCK,
    title="the target lies beyond a barrier",
    find=barrier_is_crossed,
    by_person=True,
)

CHECKS = (
    Check(
        id="PF105",
        severity=Severity.BLOCK,
        title="the workload is paused",
        find=workload_is_paused,
        lifted_by=("--unpause",),
    ),
    Check(
        id="PF106",
        severity=Severity.BLOCK,
        title="the controller has not observed the spec, and the target is to be chosen",
        find=controller_has_not_observed_a_choice,
    ),
    Check(
        id="PF107",
        severity=Severity.WARN,
        title="the controller has not observed the spec",
        find=controller_has_not_observed,
    ),
    Check(
        id="PF108",
        severity=Severity.WARN,
        title="the history limit is below 3",
        find=history_is_short,
    ),
    Check(
        id="PF109",
        severity=Severity.WARN,
        title="the target is known to be bad",
        find=target_is_known_bad,
        needs=frozenset({Need.LEDGER}),
    ),
    Check(
        id="PF111",
        severity=Severity.BLOCK,
        title="the workload is being deleted",
        find=workload_is_being_deleted,
    ),
    Check(
        id="PF112",
        severity=Severity.WARN,
        title="no Pod is to run",
        find=no_pod_runs,
    ),
    Check(
        id="PF115",
        severity=Severity.WARN,
        title="what the choice is made from could not be read",
        find=choice_is_half_blind,
    ),
    BARRIER,
    Check(
        id="PF117",
        severity=Severity.WARN,
        title="the target only restarts what runs now",
        find=target_runs_the_same,
    ),
)
