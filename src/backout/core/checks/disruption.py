"""PF6xx: is there room for the target's Pods, and what else scales or keeps them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from backout.core.checks import lines
from backout.core.checks.check import Check, Fact, still_runs
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.references.references import Reference, Referent
from backout.core.room import autoscaling, holding, nodes, quotas
from backout.core.room.admitted import admitted
from backout.core.room.eligible import eligible
from backout.core.room.holding import Room
from backout.core.room.startability import first_pods, must_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.model import Object
    from backout.core.room.quotas import Shortage


def quota_leaves_too_little(preflight: Preflight) -> Iterator[Fact]:
    """A quota has no room for the surge, but old Pods may go first: it is slower, and it moves."""
    wanted = _wanted(preflight)
    for short in _shortages(preflight):
        if _moves(preflight, short):
            yield Fact(
                message=f"{short.words(wanted)}: it waits until old Pods are gone",
                remedy="raise the quota, or scale something else down: kubectl describe quota "
                f"{short.quota} -n {preflight.snapshot.target.namespace}",
            )


def no_node_fits(preflight: Preflight) -> Iterator[Fact]:
    """No node could take a Pod of the target, even if it were empty."""
    why = _unplaced(preflight)
    if not why or _is_stuck_by_nodes(preflight, why):
        return
    number, ready = preflight.destination.number, preflight.destination.ready
    if must_start(preflight.snapshot.pace, ready=ready):
        words = f"no node takes a Pod of revision {number} now ({why})"
    else:
        words = f"no node takes a new Pod of revision {number} now ({why}); {still_runs(preflight)}"
    yield Fact(message=words, remedy=_FIND_A_NODE)


def autoscaler_cannot_help(preflight: Preflight) -> Iterator[Fact]:
    """An autoscaler is at its maximum and wants more, or cannot measure the target."""
    snapshot = preflight.snapshot
    for one in autoscaling.of(snapshot.autoscalers, snapshot.target):
        name = objects.name(one)
        most = objects.dig(one, "spec", "maxReplicas")
        if autoscaling.wants_more(one):
            yield Fact(
                message=f"HorizontalPodAutoscaler {name} is at its maximum of {most} and wants "
                "more Pods: load may be what is wrong, and a rollback adds no Pod",
                remedy="look at the load, and at spec.maxReplicas",
            )
        for lacking in autoscaling.unmeasured(one, _admitted(preflight)):
            yield Fact(
                message=f"HorizontalPodAutoscaler {name} scales by a share of requests, and "
                f"revision {preflight.destination.number} has none: {lacking}; it stops scaling",
                remedy="watch the load after the rollback, and scale by hand where needed",
            )


def autoscaler_holds_at_zero(preflight: Preflight) -> Iterator[Fact]:
    """KEDA has scaled it to 0: the rollback starts no Pod that could show whether it works."""
    snapshot = preflight.snapshot
    if preflight.replicas:
        return
    for one in autoscaling.of(snapshot.autoscalers, snapshot.target):
        name = autoscaling.scaled_object(one)
        if name:
            yield Fact(
                message=f"KEDA (ScaledObject {name}) scales {snapshot.target}, which is at 0 "
                "replicas now: no Pod will show whether revision "
                f"{preflight.destination.number} works until KEDA scales it up",
                remedy="see why it does not scale up, and verify afterwards: "
                f"{_kubectl('describe scaledobjects.keda.sh', name, preflight)}",
            )


def autoscaler_changes_pods(preflight: Preflight) -> Iterator[Fact]:
    """A VerticalPodAutoscaler sets what Pods ask for: not what the template says."""
    for name, changed in autoscaling.changed_by_vpa(preflight.snapshot.pods).items():
        yield Fact(
            message=f"VerticalPodAutoscaler {name} sets the {changed} of Pods when they are made: "
            f"those of revision {preflight.destination.number} get its numbers, not the template's",
            detail="room by quota and nodes is judged by the template",
            remedy=f"see what it recommends: {_kubectl('describe vpa', name, preflight)}",
        )


def budget_allows_no_eviction(preflight: Preflight) -> Iterator[Fact]:
    """A PodDisruptionBudget lets no Pod go: a rollout does not ask it, a drain does."""
    labels = objects.labels_of(preflight.destination.template)
    for budget in preflight.snapshot.budgets:
        allowed = objects.dig(budget, "status", "disruptionsAllowed")
        selects = objects.selects(objects.dig(budget, "spec", "selector"), labels)
        if selects and allowed == 0 and objects.is_observed(budget):
            yield Fact(
                message=f"PodDisruptionBudget {objects.name(budget)} allows no eviction now: a "
                "rollout does not evict and goes on, but a drain of a node waits for it",
                remedy="do not wait for a drain; the budget frees itself when Pods are Ready again",
            )


def rollout_cannot_move(preflight: Preflight) -> Iterator[Fact]:
    """With maxUnavailable 0 no old Pod goes before a new one is Ready, and none can be."""
    number = preflight.destination.number
    for short in _shortages(preflight):
        if not _moves(preflight, short):
            yield Fact(
                message=f"{short.words(_wanted(preflight))}; maxUnavailable is 0, and not one Pod "
                f"of revision {number} can be made, so the rollout does not move at all",
                remedy=f"raise ResourceQuota {short.quota}, or let one Pod go first: "
                "maxUnavailable 1",
            )
    why = _unplaced(preflight)
    if why and _is_stuck_by_nodes(preflight, why):
        yield Fact(
            message=f"no node takes a Pod of revision {number} now ({why}), and maxUnavailable is "
            "0: the rollout does not move at all",
            remedy=_FIND_A_NODE,
        )
    elif preflight.snapshot.pace.unavailable == 0 and _wanted(preflight) > 0:
        yield from _held(preflight)


def _held(preflight: Preflight) -> Iterator[Fact]:
    """Yield what the Pods that run hold: they stay until one more is Ready beside them."""
    snapshot, template = preflight.snapshot, _admitted(preflight)
    has_priority = bool(objects.dig(template, "spec", "priorityClassName"))
    room = Room(
        nodes=eligible(snapshot.nodes, template),
        own=snapshot.pods,
        others=() if has_priority else snapshot.other_pods,
    )
    modes = {r.name: n.modes for r, n in snapshot.named.items() if r.kind is Referent.CLAIM}
    held, claimed = holding.held(template, room), holding.claimed(template, room, modes)
    number = preflight.destination.number
    change = snapshot.pace.first
    first = lines.of("kubectl patch", preflight.policy, snapshot, "--type=merge", "-p", change)
    for words, moves in ((held, "cannot"), (claimed, "may not")):
        if words:
            yield Fact(
                message=f"a Pod of revision {number} finds no room beside those that run: {words}; "
                f"maxUnavailable is 0, so none of them goes first, and the rollout {moves} move",
                detail=f"{_meanwhile(preflight)} while one goes first",
                remedy=f"let one Pod go first (maxSurge 0, maxUnavailable 1): {first}",
            )


def _meanwhile(preflight: Preflight) -> str:
    return "nothing serves" if preflight.replicas == 1 else "one Pod fewer serves"


def _kubectl(words: str, name: str, preflight: Preflight) -> str:
    namespace = preflight.snapshot.target.namespace
    return f"kubectl {words} {shlex.quote(name)} -n {namespace}"


_FIND_A_NODE = "kubectl describe nodes; an autoscaler may add one that fits"


def _wanted(preflight: Preflight) -> int:
    """Return how many Pods are made before an old one goes; Recreate makes none so early."""
    pace = preflight.snapshot.pace
    if pace.recreates:
        return 0
    there = [sum(map(objects.is_active, r.pods)) for r in preflight.revisions]
    of_target = sum(map(objects.is_active, preflight.destination.pods))
    return first_pods(pace, of_target=of_target, of_all=sum(there))


def _shortages(preflight: Preflight) -> tuple[Shortage, ...]:
    quotas_read = preflight.snapshot.quotas
    return quotas.shortages(quotas_read, _admitted(preflight), _wanted(preflight))


def _admitted(preflight: Preflight) -> Object:
    """Return the target's template as its Pods will be made of it."""
    snapshot = preflight.snapshot
    template = snapshot.kind.as_made(snapshot.workload, preflight.destination.template)
    name = str(objects.dig(template, "spec", "runtimeClassName", default=""))
    named = preflight.snapshot.named.get(Reference(kind=Referent.RUNTIME_CLASS, name=name))
    overhead = named.overhead if named is not None else {}
    return admitted(template, preflight.snapshot.limit_ranges, overhead)


def _moves(preflight: Preflight, short: Shortage) -> bool:
    """Tell whether a rollout that finds too little room goes on anyway.

    One Pod that comes up lets an old one go; without any, old ones go only where maxUnavailable
    allows it (cleanupUnhealthyReplicas in kubernetes pkg/controller/deployment/rolling.go).
    """
    return short.fits > 0 or preflight.snapshot.pace.unavailable > 0


def _unplaced(preflight: Preflight) -> str:
    """Return why no node takes a Pod; with replicas 0 none is asked to."""
    if preflight.replicas == 0 or Need.NODES in preflight.snapshot.unreadable:
        return ""
    return nodes.why_none(preflight.snapshot.nodes, _admitted(preflight))


def _is_stuck_by_nodes(preflight: Preflight, why: str) -> bool:
    is_strict = preflight.snapshot.pace.unavailable == 0
    return bool(why) and is_strict and _wanted(preflight) > 0


_ADDED = frozenset({Need.LIMIT_RANGES, Need.CLASSES})
"""What adds to what the target's Pods ask for."""

CHECKS = (
    Check(
        id="PF601",
        severity=Severity.WARN,
        title="a quota leaves too little room for the surge",
        find=quota_leaves_too_little,
        needs=frozenset({Need.PODS, Need.QUOTAS}),
        parts=_ADDED,
    ),
    Check(
        id="PF602",
        severity=Severity.WARN,
        title="no node fits the target's Pods",
        find=no_node_fits,
        needs=frozenset({Need.PODS, Need.NODES}),
        parts=_ADDED,
    ),
    Check(
        id="PF603",
        severity=Severity.WARN,
        title="an autoscaler cannot help the target",
        find=autoscaler_cannot_help,
        needs=frozenset({Need.AUTOSCALERS}),
        parts=frozenset({Need.LIMIT_RANGES}),
    ),
    Check(
        id="PF604",
        severity=Severity.INFO,
        title="a PodDisruptionBudget allows no eviction",
        find=budget_allows_no_eviction,
        needs=frozenset({Need.BUDGETS}),
    ),
    Check(
        id="PF605",
        severity=Severity.WARN,
        title="the rollout cannot move at all",
        find=rollout_cannot_move,
        needs=frozenset({Need.PODS}),
        parts=frozenset({Need.QUOTAS, Need.NODES, Need.NODE_PODS, Need.CLAIMS, *_ADDED}),
    ),
    Check(
        id="PF606",
        severity=Severity.INFO,
        title="KEDA holds the workload at 0 replicas",
        find=autoscaler_holds_at_zero,
        needs=frozenset({Need.AUTOSCALERS}),
    ),
    Check(
        id="PF607",
        severity=Severity.INFO,
        title="a VerticalPodAutoscaler sets what Pods ask for",
        find=autoscaler_changes_pods,
        needs=frozenset({Need.PODS}),
    ),
)
