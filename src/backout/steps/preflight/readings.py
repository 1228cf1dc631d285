"""What is read beside the workload, by the names that the Snapshot has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.images.names import ImageAnswer
    from backout.core.model import Object
    from backout.core.owners.owners import Owner
    from backout.core.preflight.admission import DryRun
    from backout.core.references.references import Named, Reference

WholeList = Literal["quotas", "limit_ranges", "autoscalers", "budgets", "neighbours"]
"""What is read whole of a namespace."""


class Readings(TypedDict, total=False):
    """Fields of a Snapshot; what is not in it could not be read, or was not asked for."""

    images: Mapping[str, ImageAnswer]
    ran_images: Mapping[str, ImageAnswer]
    pull_notes: tuple[str, ...]
    named: Mapping[Reference, Named]
    owners: tuple[Owner, ...]
    dry_run: DryRun | None
    pod_dry_run: DryRun | None
    nodes: Sequence[Object]
    other_pods: tuple[Object, ...]
    quotas: tuple[Object, ...]
    limit_ranges: tuple[Object, ...]
    autoscalers: tuple[Object, ...]
    budgets: tuple[Object, ...]
    neighbours: tuple[Object, ...]
    gone_classes: frozenset[str]
