"""Asks registries about the target's images, with its own pull Secrets where strangers see none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageAnswer, ImageState
from backout.core.kubernetes import template
from backout.core.preflight import pin
from backout.core.preflight.snapshot import Need
from backout.core.room.startability import must_start
from backout.core.text import untrusted
from backout.steps.reading import pull_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.history.choice import Choice
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.preflight.readings import Readings
    from backout.steps.run import Run

LONGEST = 25.0
"""Seconds for all of it where the answer can block; each image has a time-out of its own."""
_HIDDEN = {ImageState.DENIED, ImageState.MISSING}
_UNREAD = ("pull Secrets were not read in time",)


class Heard:
    """What registries said, field by field of the Snapshot, and why something was not heard."""

    def __init__(self) -> None:
        self.fields: Readings = {}
        self.unreadable: dict[Need, str] = {}


async def ask(run: Run, snapshot: Snapshot, choice: Choice) -> Heard:
    """Return what the registries say of the target's images, and of what they were when it ran.

    What can only warn gets no more than the preflight budget. What was heard by then is kept: one
    registry that is slow hides no other's answer.
    """
    origin = choice.unpinned or choice.revision
    pod_template = choice.revision.template
    ran = pin.what_ran(snapshot, origin)
    moves = ran.keys() & pin.tagged(pod_template)
    can_block = bool(moves) or must_start(snapshot.pace, ready=choice.revision.ready)
    budget = LONGEST if can_block else run.limits.preflight
    asking = _Asking(run, pod_template, ran)
    with suppress(TimeoutError):
        async with asyncio.timeout(budget):
            await asking.all()
    return asking.told(f"no answer of the registry within the preflight budget, {budget:g} s")


class _Asking:
    """The questions about one template's images: each goes on by itself, and keeps what it heard.

    Pull Secrets are read once, and only where a registry hides an image from strangers.
    """

    def __init__(self, run: Run, pod_template: Mapping[str, Any], ran: Mapping[str, str]) -> None:
        self._run, self._template, self._ran = run, pod_template, ran
        self._names = sorted(set(template.images(pod_template).values()))
        self._answers: dict[str, ImageAnswer] = {}
        self._then: dict[str, ImageAnswer] = {}
        self._notes: tuple[str, ...] = ()
        self._reading: asyncio.Task[tuple[Keyring, tuple[str, ...]]] | None = None

    async def all(self) -> None:
        """Ask about every image at once."""
        try:
            await asyncio.gather(*(self._one(name) for name in self._names))
        finally:
            if self._reading is not None and not self._reading.done():
                self._reading.cancel()
                await asyncio.wait({self._reading})

    def told(self, late: str) -> Heard:
        """Return what was heard; an image of which nothing was, is not known for being `late`."""
        asked = Heard()
        answers = {n: self._answers.get(n) or _unheard(n, late) for n in self._names}
        asked.fields = {"ran_images": self._then, "pull_notes": self._notes}
        if self._names and not self._answers:
            asked.unreadable[Need.IMAGES] = late
        else:
            asked.fields["images"] = answers
        if unread := [f"{a.image}: {a.unread}" for a in answers.values() if a.unread]:
            asked.unreadable[Need.IMAGE_INDEXES] = "; ".join(unread)
        return asked

    async def _one(self, name: str) -> None:
        answer = self._answers[name] = await self._run.registry.ask(name)
        keys = Keyring()
        if answer.state in _HIDDEN:
            # Until they are read, a "not found" is what a stranger was told.
            self._answers[name] = _not_seen(answer, _UNREAD)
            keys, notes = await self._secrets()
            if keys.entries:
                told = await self._run.registry.ask(name, pull=keys)
                answer = answer if _is_outranked(told, answer) else told
            self._answers[name] = answer = _not_seen(answer, notes)
        await self._what_ran(name, answer, keys)

    async def _secrets(self) -> tuple[Keyring, tuple[str, ...]]:
        if self._reading is None:
            self._notes = _UNREAD
            self._reading = asyncio.create_task(pull_secrets.read(self._run, self._template))
        keys, self._notes = await asyncio.shield(self._reading)
        return keys, self._notes

    async def _what_ran(self, name: str, answer: ImageAnswer, keys: Keyring) -> None:
        """Ask whether the bytes that ran are still there, where the tag is something else."""
        for container, image in pin.tagged(self._template).items():
            recorded = self._ran.get(container)
            if image == name and recorded is not None and _says_else(answer, recorded):
                wanted = pin.by_digest(image, recorded)
                self._then[wanted] = await self._run.registry.ask(wanted, pull=keys)


def _unheard(image: str, late: str) -> ImageAnswer:
    words = f"cannot tell whether {untrusted(image)} is there: {late}"
    return ImageAnswer(image=image, state=ImageState.UNREACHABLE, detail=words)


def _not_seen(answer: ImageAnswer, notes: tuple[str, ...]) -> ImageAnswer:
    """Return a stranger's "not found" as a refusal where a Pod's own Secrets could not be used."""
    if answer.state is not ImageState.MISSING or answer.credential is not None or not notes:
        return answer
    words = f"{answer.detail}: it is not visible to us"
    return replace(answer, state=ImageState.DENIED, detail=words)


def _is_outranked(one: ImageAnswer, other: ImageAnswer) -> bool:
    """Tell whether a refusal comes after a "not found", which says more."""
    return one.state is ImageState.DENIED and other.state is ImageState.MISSING


def _says_else(answer: ImageAnswer, recorded: str) -> bool:
    """Tell whether a tag is not what ran, so that it is to be asked whether that is there yet."""
    if answer.state is ImageState.MISSING:
        return True
    return answer.state is ImageState.EXISTS and recorded not in answer.digests
