"""What scales a workload, and what keeps its Pods: HorizontalPodAutoscalers and budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import condition

if TYPE_CHECKING:
    from tests.objects.metadata import Object


def autoscaler(reason: str = "DesiredWithinRange", *, of: str = "web", **metric: Any) -> Object:
    """Return an autoscaler by CPU; `reason` is that of its condition ScalingLimited."""
    limited = str(reason == "TooManyReplicas")
    resource = {"name": "cpu", "target": {"type": "Utilization"}, **metric}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": of},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": of},
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": resource}],
        },
        "status": {"conditions": [condition("ScalingLimited", limited, reason)]},
    }


def budget(allowed: int, **selector: str) -> Object:
    """Return a PodDisruptionBudget that allows so many disruptions now."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "generation": 1},
        "spec": {"selector": {"matchLabels": selector or {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed, "observedGeneration": 1},
    }
