"""Which running Pods of a revision are asked for their health: a few, so that requests are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

MOST = 10
"""Pods that are asked; hundreds run where a rollout is in its middle."""


def running(pods: Iterable[Object]) -> list[Object]:
    """Return the Pods whose containers run, well or not."""
    return [pod for pod in pods if objects.dig(pod, "status", "phase") == "Running"]


def chosen(pods: Iterable[Object]) -> list[Object]:
    """Return the Pods to ask: all that run, or `MOST` of them spread evenly.

    Over their nodes; Ready and not Ready in proportion, and each at least once where both are: so
    a revision of which a Pod is Ready is never judged by those alone that are not.
    """
    there = sorted(running(pods), key=_place)
    if len(there) <= MOST:
        return there
    return [there[i * (len(there) - 1) // (MOST - 1)] for i in range(MOST)]


def _place(pod: Object) -> tuple[bool, str, str]:
    return objects.is_ready(pod), str(objects.dig(pod, "spec", "nodeName")), objects.name(pod)


def out_of(pods: Iterable[Object], asked: int) -> str:
    """Return `10 of 37`, where not all that run were asked; empty where they were."""
    count = len(running(pods))
    return f"{asked} of {count}" if asked < count else ""
