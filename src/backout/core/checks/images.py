"""PF3xx: are the target's images still in their registry? The registry is always asked.

Only an authenticated "not found" says that an image is gone; every other answer warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact, still_runs
from backout.core.checks.image_bytes import (
    another,
    holders,
    needs_no_registry,
    pin_line,
    still_there,
)
from backout.core.images.names import ImageAnswer, ImageState, parse
from backout.core.kubernetes import template
from backout.core.model import Severity
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.room.startability import must_start

if TYPE_CHECKING:
    from collections.abc import Iterator


def image_is_gone(preflight: Preflight) -> Iterator[Fact]:
    """An image is gone, and Pods of the target must be started and need it from there."""
    if not _must_start(preflight):
        return
    for answer in _answers(preflight, ImageState.MISSING):
        if needs_no_registry(preflight, answer.image):
            continue
        yield Fact(
            message=f"an image of revision {preflight.destination.number} is gone: {answer.detail}",
            detail=holders(preflight, answer.image),
            remedy=f"push it again, or {another(preflight, answer.image, has='is there')}"
            + _or_pin(preflight, answer.image),
            risk="Pods of the target cannot start where the image is not on the node",
        )


def image_is_gone_but_runs(preflight: Preflight) -> Iterator[Fact]:
    """An image is gone, and enough Pods of the target run, or they start from what nodes hold."""
    is_seen = Need.PODS not in preflight.snapshot.unreadable
    starts = is_seen and _must_start(preflight)
    for answer in _answers(preflight, ImageState.MISSING):
        why = needs_no_registry(preflight, answer.image)
        if starts and not why:
            continue
        yield Fact(
            message=f"image {answer.image} is gone from its registry; "
            + (why if starts else still_runs(preflight)),
            detail=holders(preflight, answer.image),
            remedy="push it again before a node is drained",
        )


def registry_denies(preflight: Preflight) -> Iterator[Fact]:
    """401 or 403: it may be there or not; a registry hides what one may not see."""
    for answer in _answers(preflight, ImageState.DENIED):
        notes = preflight.snapshot.pull_notes
        yield Fact(
            message=f"the registry does not tell whether image {answer.image} exists: "
            + "; ".join((answer.detail, *notes)),
            detail=holders(preflight, answer.image),
            remedy="give backout a Docker config that may pull it: --registry-auth-file FILE",
        )


def registry_is_unreachable(preflight: Preflight) -> Iterator[Fact]:
    """No answer, or none that tells anything."""
    for answer in _answers(preflight, ImageState.UNREACHABLE):
        yield Fact(
            message=answer.detail,
            remedy="check that the nodes reach the registry, even if this machine does not",
        )


def image_name_is_invalid(preflight: Preflight) -> Iterator[Fact]:
    """The name is not an image reference: no kubelet will pull it."""
    for answer in _answers(preflight, ImageState.INVALID):
        yield Fact(
            message=answer.detail,
            remedy=another(preflight, answer.image, has="is right"),
        )


def tag_is_mutable(preflight: Preflight) -> Iterator[Fact]:
    """`latest`, or no tag, and nothing tells what ran: it may have been something else."""
    ran = pin.what_ran(preflight.snapshot, preflight.origin)
    images = template.images(preflight.destination.template).items()
    for name in sorted({image for container, image in images if container not in ran}):
        try:
            reference = parse(name)
        except ValueError:
            continue
        if reference.is_mutable:
            tag = "no tag" if reference.tag_is_implied else "the tag latest"
            yield Fact(
                message=f"image {name} has {tag}: it may not be what this revision ran before",
                remedy="deploy images by digest or by a tag that is never moved",
            )


def _or_pin(preflight: Preflight, image: str) -> str:
    """Return the way to the bytes that ran, where only their tag is gone."""
    there = still_there(preflight, image)
    return f"; {there} is still there: {pin_line(preflight)}" if there else ""


def _must_start(preflight: Preflight) -> bool:
    return must_start(preflight.snapshot.pace, ready=preflight.destination.ready)


def _answers(preflight: Preflight, state: ImageState) -> Iterator[ImageAnswer]:
    return (a for a in preflight.snapshot.images.values() if a.state is state)


_ASKED = frozenset({Need.IMAGES})

CHECKS = (
    Check(
        id="PF301",
        severity=Severity.BLOCK,
        title="an image of the target is gone, and Pods must be started",
        find=image_is_gone,
        needs=_ASKED | {Need.PODS},
    ),
    Check(
        id="PF302",
        severity=Severity.WARN,
        title="an image of the target is gone, but enough Pods run it or the nodes hold it",
        find=image_is_gone_but_runs,
        needs=_ASKED,
    ),
    Check(
        id="PF303",
        severity=Severity.WARN,
        title="the registry does not let us see an image of the target",
        find=registry_denies,
        needs=_ASKED,
    ),
    Check(
        id="PF304",
        severity=Severity.WARN,
        title="the registry of the target's image could not be asked",
        find=registry_is_unreachable,
        needs=_ASKED,
    ),
    Check(
        id="PF305",
        severity=Severity.WARN,
        title="an image of the target has a tag that moves",
        find=tag_is_mutable,
    ),
    Check(
        id="PF306",
        severity=Severity.WARN,
        title="an image of the target is not a valid reference",
        find=image_name_is_invalid,
        needs=_ASKED,
    ),
)
