"""PF1xx: is the target proven? Its Pods that run now are asked; without any it is unproven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core import permissions
from backout.core.checks.check import Check, Fact
from backout.core.health import Answer
from backout.core.model import Severity
from backout.core.snapshot import Need, Preflight

if TYPE_CHECKING:
    from collections.abc import Iterator


def target_is_unproven(preflight: Preflight) -> Iterator[Fact]:
    """It was never recorded healthy and no Pod of it is Ready: nothing shows that it works."""
    revision = preflight.destination
    if not preflight.choice.proven:
        yield Fact(
            message=f"revision {revision.number} is unproven: no Pod of it is Ready now, and it "
            "was not recorded healthy",
            remedy="watch the outcome; backout does not stop before the service answers",
        )


def target_is_half_started(preflight: Preflight) -> Iterator[Fact]:
    """Pods of it run, and not one of them answers well."""
    samples = preflight.snapshot.pod_health
    unwell = [s for s in samples if s.answer is Answer.UNWELL]
    if unwell and len(unwell) == len(samples):
        yield Fact(
            message=f"every running Pod of revision {preflight.destination.number} that was asked "
            f"({len(samples)}) answers badly ({unwell[0].subject}: "
            f"{unwell[0].detail})",
            remedy="go to another revision (--to-revision N), or wait until its Pods are well",
            risk="the target may be as broken as what runs now",
        )


def some_pods_are_unhealthy(preflight: Preflight) -> Iterator[Fact]:
    """Some Pods of the target do not answer well; others do, or could not be asked."""
    samples = preflight.snapshot.pod_health
    unwell = [s for s in samples if s.answer is Answer.UNWELL]
    if 0 < len(unwell) < len(samples):
        yield Fact(
            message=f"{len(unwell)} of {len(samples)} running Pods of revision "
            f"{preflight.destination.number} do not answer well ({unwell[0].subject}: "
            f"{unwell[0].detail})",
            remedy=f"look at it: kubectl logs {unwell[0].subject.removeprefix('Pod ')} "
            f"-n {preflight.snapshot.target.namespace}",
        )


def pod_health_is_inconclusive(preflight: Preflight) -> Iterator[Fact]:
    """Pods of it run, and their health could not be asked: that makes them neither well nor bad."""
    samples = preflight.snapshot.pod_health
    unknown = [s for s in samples if s.answer is Answer.UNKNOWN]
    if unknown:
        is_forbidden = any(s.is_forbidden for s in unknown)
        rule = permissions.remedy("pods/proxy")
        yield Fact(
            message=f"the health of {len(unknown)} of {len(samples)} running Pods of revision "
            f"{preflight.destination.number} could not be asked ({unknown[0].subject}: "
            f"{unknown[0].detail})",
            remedy=rule if is_forbidden else "name where they answer: --health PORT/PATH",
        )


CHECKS = (
    Check(
        id="PF110",
        severity=Severity.WARN,
        title="the target is unproven",
        find=target_is_unproven,
        needs=frozenset({Need.PODS}),
    ),
    Check(
        id="PF121",
        severity=Severity.BLOCK,
        title="the target is half-started: none of its Pods answers well",
        find=target_is_half_started,
        needs=frozenset({Need.PODS, Need.POD_HEALTH}),
    ),
    Check(
        id="PF122",
        severity=Severity.WARN,
        title="some Pods of the target do not answer well",
        find=some_pods_are_unhealthy,
        needs=frozenset({Need.PODS, Need.POD_HEALTH}),
    ),
    Check(
        id="PF123",
        severity=Severity.WARN,
        title="the health of the target's Pods could not be asked",
        find=pod_health_is_inconclusive,
        needs=frozenset({Need.PODS, Need.POD_HEALTH}),
    ),
)
