"""PF3xx: are the target's images the bytes that ran? A tag says so only until it is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.checks.lines import ANY, again, elsewhere
from backout.core.images.names import ImageState, parse
from backout.core.kubernetes import objects, template
from backout.core.model import Severity
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.room.eligible import eligible, is_schedulable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.images.names import ImageAnswer
    from backout.core.model import Object

_NEVER: frozenset[str | None] = frozenset({"Never"})
_UNLESS_HELD: frozenset[str | None] = frozenset({"Never", "IfNotPresent"})
SHOWN = 19
"""Characters of a digest in a message: enough to tell two apart."""


def tag_was_moved(preflight: Preflight) -> Iterator[Fact]:
    """A tag resolves to other bytes than those that the target ran."""
    ran, number = pin.what_ran(preflight.snapshot, preflight.origin), preflight.destination.number
    foreign = pin.by_another_name(preflight.snapshot, preflight.origin)
    for container, image in sorted(pin.tagged(preflight.destination.template).items()):
        now, recorded = preflight.snapshot.images.get(image), ran.get(container)
        if now is None or recorded is None or not _is_told(now) or _pulls(preflight, image, _NEVER):
            continue
        then = preflight.snapshot.ran_images.get(pin.by_digest(image, recorded))
        if container in foreign and (then is None or then.state is not ImageState.EXISTS):
            continue  # a digest that this repository never had: another one's, of the same image
        if not pin.is_same(recorded, now, then):
            yield Fact(
                message=f"the tag of image {image} has moved: revision {number} ran "
                f"{recorded[:SHOWN]}…, the tag is {str(now.digest)[:SHOWN]}… now",
                detail=f"container {container} ran {recorded}; the tag is {now.digest}",
                remedy=_remedy(preflight, image, then),
                risk=f"Pods that start run something else than revision {number} did",
            )


def what_ran_is_not_known(preflight: Preflight) -> Iterator[Fact]:
    """`--pin` was asked for, and nothing tells which bytes a container ran."""
    if not preflight.policy.pin:
        return
    hidden = preflight.snapshot.unreadable
    idle = [r for r in preflight.revisions if not r.pods]
    why = [f"{need} could not be read" for need in (Need.PODS, Need.LEDGER) if need in hidden]
    for container, image in sorted(pin.tagged(preflight.destination.template).items()):
        yield Fact(
            message=f"what container {container} of revision {preflight.destination.number} ran is "
            f"not known: --pin has no digest for image {image}",
            detail="; ".join(why) or "no Pod of it is left, and the ledger does not remember it",
            remedy="leave --pin out, or go to a revision that has running Pods "
            f"({elsewhere(preflight, avoiding=idle)})",
            risk="the image is taken by its tag, which may have moved",
        )


def holders(preflight: Preflight, image: str) -> str:
    """Return which nodes hold an image, in words; empty where none is known to.

    Evidence beside the registry's answer, never instead of it: lists of images are cut short, and
    that a node holds it does not mean that every Pod may use it.
    """
    nodes = [n for n in preflight.snapshot.nodes if is_schedulable(n) and _holds(n, image)]
    if not nodes:
        return ""
    which = "a node still holds it" if len(nodes) == 1 else f"{len(nodes)} nodes still hold it"
    always = any(c.get("imagePullPolicy") == "Always" for c in _using(preflight, image))
    return which + (", but its pull policy is Always" if always else "")


def needs_no_registry(preflight: Preflight, image: str) -> str:
    """Return why Pods of the target start without the registry, in words; empty where not.

    A kubelet that may not pull does not ask it; one that pulls only what it lacks does not where it
    has the image, be it from a mirror that only nodes know.
    """
    if _pulls(preflight, image, _NEVER):
        return "its pull policy is Never: a Pod starts only where the node has it already"
    nodes = eligible(preflight.snapshot.nodes, preflight.destination.template)
    is_held = bool(nodes) and all(_holds(node, image) for node in nodes)
    if is_held and _pulls(preflight, image, _UNLESS_HELD):
        return "each node that may take its Pods holds it"
    return ""


def still_there(preflight: Preflight, image: str) -> str:
    """Return `image@digest` of what the target ran, where the registry has that still."""
    ran = pin.what_ran(preflight.snapshot, preflight.origin)
    for container, name in pin.tagged(preflight.destination.template).items():
        if name == image and container in ran:
            wanted = pin.by_digest(image, ran[container])
            answer = preflight.snapshot.ran_images.get(wanted)
            if answer is not None and answer.state is ImageState.EXISTS:
                return wanted
    return ""


def pin_line(preflight: Preflight) -> str:
    """Return the command line that goes to what ran."""
    return again(preflight.policy, preflight.snapshot, "--pin")


def another(preflight: Preflight, image: str, *, has: str) -> str:
    """Return how to go to a revision that does not name an image; its own was not looked at."""
    naming = (r for r in preflight.revisions if image in template.images(r.template).values())
    line = elsewhere(preflight, avoiding=naming)
    if line == ANY:
        return f"go to a revision whose image {has} ({line})"
    return f"go to a revision with another image ({line})"


def _remedy(preflight: Preflight, image: str, then: ImageAnswer | None) -> str:
    if then is None or then.state in {ImageState.DENIED, ImageState.UNREACHABLE}:
        return f"to run what ran, if the registry has it still: {pin_line(preflight)}"
    if still_there(preflight, image):
        return f"to run what ran: {pin_line(preflight)}"
    return f"{another(preflight, image, has='is there')}: the registry no longer has what ran"


def _is_told(now: ImageAnswer) -> bool:
    """Tell whether it is known what a tag is: an index that could not be read may hold anything."""
    return now.state is ImageState.EXISTS and now.digest is not None and not now.unread


def _pulls(preflight: Preflight, image: str, policies: frozenset[str | None]) -> bool:
    """Tell whether all containers with an image have one of these pull policies."""
    using = _using(preflight, image)
    return bool(using) and all(c.get("imagePullPolicy") in policies for c in using)


def _using(preflight: Preflight, image: str) -> list[Object]:
    every = objects.containers(preflight.destination.template)
    return [c for c in every if c.get("image") == image]


def _holds(node: Object, image: str) -> bool:
    listed = objects.dig(node, "status", "images", default=[])
    names = {str(name) for one in listed for name in objects.dig(one, "names", default=[])}
    try:
        reference = parse(image)
    except ValueError:
        return False
    mark = f"@{reference.digest}" if reference.digest else f":{reference.tag}"
    return reference.name + mark in names


CHECKS = (
    Check(
        id="PF307",
        severity=Severity.BLOCK,
        title="the tag of an image is not what the target ran",
        find=tag_was_moved,
        needs=frozenset({Need.IMAGES}),
        parts=frozenset({Need.PODS, Need.LEDGER, Need.IMAGE_INDEXES}),
    ),
    Check(
        id="PF310",
        severity=Severity.BLOCK,
        title="--pin, and what the target ran is not known",
        find=what_ran_is_not_known,
    ),
)
