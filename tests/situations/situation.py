"""What a situation is: a shop that is up, something that changes, and how that ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cluster.space import Space


OFTEN = 5
"""Plays of what depends on timing; the worst counts."""


def nothing(_: Space) -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A rollout that goes wrong, or seems to.

    `change` makes the second version (`Space.version`), `spec` more of the Deployment's spec.
    `prepare` is called once the first version is up, `meanwhile` while the rollout is followed.
    `code` is the class of the root cause, empty where nothing is wrong; `final` whether that is
    certain before any deadline. `registry` is the status of a registry that refuses, `times` how
    often it does. `observed`: the controller sees the change. `ends` is the exit code of
    `backout status`. `plays` is how often it has to be played: more than once where its outcome
    depends on timing, since a single run may hide what most of them show.
    """

    code: str = ""
    final: bool = True
    change: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Space], None] = nothing
    meanwhile: Callable[[Space], None] = nothing
    registry: int = 0
    times: int | None = None
    ends: int = 4
    soak: str = "3s"
    observed: bool = True
    says: str = ""
    plays: int = 1
