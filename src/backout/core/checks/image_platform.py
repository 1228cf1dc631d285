"""PF3xx: is there something in an image's index for the nodes that may take its Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.checks.image_bytes import another, needs_no_registry
from backout.core.model import Severity
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.room.eligible import eligible, platform
from backout.core.room.startability import must_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.images.names import ImageAnswer


def no_node_can_run_it(preflight: Preflight) -> Iterator[Fact]:
    """No node that may take its Pods has a platform that the index has something for."""
    if not _must_start(preflight):
        return
    for answer, wanted in _lacking(preflight):
        if not wanted & answer.platforms:
            yield Fact(
                message=f"{_has(answer)}; the nodes that may take its Pods are {_listed(wanted)}",
                remedy="push it for that platform, too, or "
                + another(preflight, answer.image, has="has it"),
                risk="Pods of the target cannot start",
            )


def some_nodes_cannot_run_it(preflight: Preflight) -> Iterator[Fact]:
    """Some nodes lack it only, or enough Pods of the target run already."""
    starts = Need.PODS in preflight.snapshot.unreadable or _must_start(preflight)
    for answer, wanted in _lacking(preflight):
        lacking = wanted - answer.platforms
        if lacking != wanted:
            what = f"nodes of {_listed(lacking)} may take its Pods, too, and cannot run them"
        elif starts and Need.PODS not in preflight.snapshot.unreadable:
            continue
        else:
            what = f"a Pod that is started on {_listed(lacking)} could not run"
        yield Fact(
            message=f"{_has(answer)}; {what}",
            remedy="push it for that platform, too, or keep its Pods off those nodes",
        )


def _lacking(preflight: Preflight) -> Iterator[tuple[ImageAnswer, frozenset[str]]]:
    """Yield each index that lacks a platform of an eligible node, and all their platforms.

    An index that names no platform at all is for all, or for none: it tells nothing.
    """
    nodes = eligible(preflight.snapshot.nodes, preflight.destination.template)
    wanted = frozenset(p for p in map(platform, nodes) if p)
    for answer in preflight.snapshot.images.values():
        if needs_no_registry(preflight, answer.image):
            continue
        if answer.platforms and wanted - answer.platforms:
            yield answer, wanted


def _has(answer: ImageAnswer) -> str:
    return f"image {answer.image} is there for {_listed(answer.platforms)} only"


def _listed(platforms: frozenset[str]) -> str:
    return ", ".join(sorted(platforms))


def _must_start(preflight: Preflight) -> bool:
    return must_start(preflight.snapshot.pace, ready=preflight.destination.ready)


_ASKED = frozenset({Need.IMAGES, Need.NODES})

CHECKS = (
    Check(
        id="PF308",
        severity=Severity.BLOCK,
        title="an image of the target is not for the nodes' platform, and Pods must be started",
        find=no_node_can_run_it,
        needs=_ASKED | {Need.PODS},
        parts=frozenset({Need.IMAGE_INDEXES}),
    ),
    Check(
        id="PF309",
        severity=Severity.WARN,
        title="an image of the target is not for the platform of every node, or enough Pods run",
        find=some_nodes_cannot_run_it,
        needs=_ASKED,
        parts=frozenset({Need.IMAGE_INDEXES}),
    ),
)
