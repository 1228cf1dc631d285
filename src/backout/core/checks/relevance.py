"""PF9xx: will a rollback help? Where the template is not what changed, something else did."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact, folded
from backout.core.checks.proof import is_unproven
from backout.core.health.judgement import Answer
from backout.core.history import revisions
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.references import references
from backout.core.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from backout.core.model import Object
    from backout.core.references.references import Reference

LONG = timedelta(days=1)
"""After so long a template that works is hardly what is wrong today."""
RECENT = timedelta(hours=1)
FEW = 2
"""Other workloads, below which their failing tells nothing."""


def current_is_healthy(preflight: Preflight) -> Iterator[Fact]:
    """All Pods of the current revision have been Ready for a day and more."""
    now = revisions.current(preflight.revisions)
    if now is None or not preflight.replicas or now.ready < preflight.replicas:
        return
    since = [_ready_since(p) for p in now.pods if objects.is_ready(p)]
    youngest = max((at for at in since if at is not None), default=None)
    if youngest is None or None in since or preflight.snapshot.now - youngest < LONG:
        return
    yield Fact(
        message=f"revision {now.number} has been Ready on all its Pods for "
        f"{span(preflight.snapshot.now, since=youngest)}: its template is hardly what changed",
        remedy="look for what changed today: configuration, dependencies, traffic",
    )


def configuration_has_changed(preflight: Preflight) -> Iterator[Fact]:
    """A ConfigMap or Secret of the current revision changed after it was rolled out, lately."""
    current = revisions.current(preflight.revisions)
    moment = preflight.snapshot.now
    if current is None or current.created is None:
        return
    used = {u.reference for u in references.of_template(current.template)}
    found: dict[Reference, Fact] = {}
    for one, named in sorted(preflight.snapshot.named.items()):
        if one in used and one.kind in references.VERSIONED and named.changed is not None:
            at = named.changed.at
            if current.created < at and moment - at < RECENT:
                found[one] = Fact(
                    message=f"{one} was changed {span(moment, since=at)} ago by "
                    f"{named.changed.by}, after revision {current.number} was rolled out: the "
                    "template may not be what broke",
                    detail="by managed fields",
                    remedy=f"compare it with what it was; a rollback does not bring {one} back",
                )
    yield from folded(found, f"were changed after revision {current.number} was rolled out")


def nodes_are_not_ready(preflight: Preflight) -> Iterator[Fact]:
    """Nodes do not answer: Pods fail there whatever their template."""
    down = [n for n in preflight.snapshot.nodes if not _is_up(n)]
    if down:
        names = ", ".join(objects.name(n) for n in down[:3])
        verb = "is" if len(down) == 1 else "are"
        yield Fact(
            message=f"{len(down)} of {len(preflight.snapshot.nodes)} nodes {verb} not Ready "
            f"({names})",
            remedy="repair the nodes, a rollback does not: kubectl describe node NAME",
        )


def neighbours_fail_too(preflight: Preflight) -> Iterator[Fact]:
    """Every other workload of the namespace has Pods missing: the cause is likely a shared one."""
    own = objects.uid(preflight.snapshot.workload)
    kind = preflight.snapshot.kind
    others = [
        count
        for one in preflight.snapshot.neighbours
        if objects.uid(one) != own and (count := kind.counters(one)).wanted > 0
    ]
    failing = [count for count in others if count.unavailable]
    if len(others) >= FEW and len(failing) == len(others):
        yield Fact(
            message=f"every other {kind.resource.name} of namespace "
            f"{preflight.snapshot.target.namespace} ({len(others)}) has Pods that are not "
            "available, too",
            remedy="look for what they share: a database, a node, a quota, the network",
        )


def service_was_healthy(preflight: Preflight) -> Iterator[Fact]:
    """The service answers well, and only the current revision's Pods can be the ones answering."""
    healthy = _healthy_now(preflight)
    if healthy:
        yield Fact(
            message=healthy,
            remedy="ask for what is broken: --health URL, --health-text, --health-command"
            if preflight.policy.reason
            else "if it must be rolled back anyway, say why: --reason TEXT",
        )


def healthy_service_would_be_risked(preflight: Preflight) -> Iterator[Fact]:
    """What works would be given up for what nothing shows to work, and nobody says why."""
    is_bad = preflight.destination.hash in preflight.snapshot.known.bad
    if preflight.policy.reason or not is_unproven(preflight) or not _healthy_now(preflight):
        return
    what = "known to be bad" if is_bad else "unproven"
    yield Fact(
        message=f"the service is healthy now, and revision {preflight.destination.number} is "
        f"{what}",
        remedy="leave it as it is: the service is healthy",
        risk="a service that works is replaced by a revision that may not",
    )


def _healthy_now(preflight: Preflight) -> str:
    """Return what shows that the service is healthy with the current revision; else nothing."""
    now, before = revisions.current(preflight.revisions), preflight.snapshot.baseline
    if now is None or not preflight.replicas or now.ready < preflight.replicas:
        return ""
    if any(one.ready for one in preflight.revisions if one.hash != now.hash):
        return ""
    if not before or any(sample.answer is not Answer.WELL for sample in before):
        return ""
    subjects = ", ".join(sample.subject for sample in before)
    return (
        f"the service is healthy now: {subjects} answered well, and every Ready Pod is of revision "
        f"{now.number}"
    )


def _ready_since(pod: Object) -> datetime | None:
    ready = objects.condition(pod, "Ready")
    return objects.timestamp(objects.dig(ready, "lastTransitionTime"))


def _is_up(node: Object) -> bool:
    return bool(objects.dig(objects.condition(node, "Ready"), "status") == "True")


CHECKS = (
    Check(
        id="PF901",
        severity=Severity.WARN,
        title="the current revision has been healthy for days",
        find=current_is_healthy,
        needs=frozenset({Need.PODS, Need.INTENT}),
    ),
    Check(
        id="PF902",
        severity=Severity.WARN,
        title="configuration of the current revision was changed lately",
        find=configuration_has_changed,
        parts=frozenset({Need.CONFIG_MAPS, Need.SECRETS}),
    ),
    Check(
        id="PF903",
        severity=Severity.WARN,
        title="nodes are not Ready",
        find=nodes_are_not_ready,
        needs=frozenset({Need.NODES}),
    ),
    Check(
        id="PF904",
        severity=Severity.WARN,
        title="every other workload of the namespace fails too",
        find=neighbours_fail_too,
        needs=frozenset({Need.NEIGHBOURS}),
    ),
    Check(
        id="PF905",
        severity=Severity.WARN,
        title="the service was healthy before",
        find=service_was_healthy,
        needs=frozenset({Need.PODS, Need.BASELINE}),
    ),
    Check(
        id="PF906",
        severity=Severity.BLOCK,
        title="a healthy service would be moved to a revision that nothing shows to work",
        find=healthy_service_would_be_risked,
        needs=frozenset({Need.PODS, Need.BASELINE}),
        lifted_by=(),
    ),
)
