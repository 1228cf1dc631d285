"""Asks registries about the target's images, with its own pull Secrets where strangers see none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageState
from backout.core.kubernetes import template
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need
from backout.core.room.startability import must_start
from backout.steps.reading import pull_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.history.revisions import Choice
    from backout.core.images.names import ImageAnswer
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run

LONGEST = 25.0
"""Seconds for all of it where the answer can block; each image has a time-out of its own."""
_HIDDEN = {ImageState.DENIED, ImageState.MISSING}


class Heard:
    """What registries said, field by field of the Snapshot, and why something was not heard."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.unreadable: dict[Need, str] = {}


async def ask(run: Run, snapshot: Snapshot, choice: Choice) -> Heard:
    """Return what the registries say of the target's images, and of what they were when it ran.

    What can only warn gets no more than the preflight budget. What was heard by then is kept.
    """
    origin = choice.unpinned or choice.revision
    ran = pin.what_ran(snapshot, origin)
    moves = ran.keys() & pin.tagged(choice.revision.template)
    can_block = bool(moves) or must_start(snapshot.pace, ready=choice.revision.ready)
    budget = LONGEST if can_block else run.limits.preflight
    asked = Heard()
    with suppress(TimeoutError):
        async with asyncio.timeout(budget):
            await _ask(run, choice.revision.template, ran, asked)
    answers: Mapping[str, ImageAnswer] = asked.fields.get("images", {})
    if not answers and template.images(choice.revision.template):
        why = f"no answer of the registry within the preflight budget, {budget:g} s"
        asked.unreadable[Need.IMAGES] = why
    unread = [f"{a.image}: {a.unread}" for a in answers.values() if a.unread]
    if unread:
        asked.unreadable[Need.IMAGE_INDEXES] = "; ".join(unread)
    return asked


async def _ask(
    run: Run, pod_template: Mapping[str, Any], ran: Mapping[str, str], asked: Heard
) -> None:
    names = set(template.images(pod_template).values())
    asked.fields["images"] = answers = await _answers(run, names, Keyring())
    keys = Keyring()
    hidden = {a.image for a in answers.values() if a.state in _HIDDEN}
    if hidden:
        asked.fields["pull_notes"] = ("pull Secrets were not read in time",)
        keys, asked.fields["pull_notes"] = await pull_secrets.read(run, pod_template)
    if keys.entries:
        told = await _answers(run, hidden, keys)
        answers |= {i: a for i, a in told.items() if not _is_outranked(a, answers[i])}
    then = {
        pin.by_digest(image, ran[container])
        for container, image in pin.tagged(pod_template).items()
        if container in ran and _says_else(answers[image], ran[container])
    }
    asked.fields["ran_images"] = await _answers(run, then, keys)


async def _answers(run: Run, names: Iterable[str], keys: Keyring) -> dict[str, ImageAnswer]:
    asked = await asyncio.gather(*(run.registry.ask(n, pull=keys) for n in sorted(names)))
    return {answer.image: answer for answer in asked}


def _is_outranked(one: ImageAnswer, other: ImageAnswer) -> bool:
    """Tell whether a refusal comes after a "not found", which says more."""
    return one.state is ImageState.DENIED and other.state is ImageState.MISSING


def _says_else(answer: ImageAnswer, recorded: str) -> bool:
    """Tell whether a tag is not what ran, so that it is to be asked whether that is there yet."""
    if answer.state is ImageState.MISSING:
        return True
    return answer.state is ImageState.EXISTS and recorded not in answer.digests
