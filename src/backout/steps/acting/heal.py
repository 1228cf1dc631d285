"""The second write: hands the template's fields back to who applies them, beside the watch.

It touches `metadata.managedFields` alone: no generation moves, no Pod starts (measured on 1.34.4).
It is over before the record is closed, and nothing is sent where the lock is no longer ours.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import Struct

from backout.core.errors import BackoutError, Conflict
from backout.core.events.acting import FieldsReturned
from backout.core.events.told import Noted, Warned
from backout.core.heal.hand_back import appliers, handed_back, is_kept, is_ours, operations
from backout.core.history.patch import MARKER
from backout.core.kubernetes import objects, template
from backout.core.ledger.edits import healed, not_to_heal, unchanged
from backout.kube import paths
from backout.kube.errors import Unclear
from backout.steps.acting.conclude import resume_line
from backout.steps.concurrency import unbroken
from backout.steps.ledger.lease import see

if TYPE_CHECKING:
    from backout.core.heal.field_sets import Paths
    from backout.core.heal.hand_back import Owned
    from backout.core.ledger.edits import Edit
    from backout.core.model import Object
    from backout.steps.ledger.lease import Held
    from backout.steps.run import Run

ATTEMPTS = 6
PATIENCE = 10.0
"""Seconds for all of it: the record is closed only then."""
_JITTER = random.SystemRandom()


class Ours(Struct, frozen=True, kw_only=True):
    """What our PATCH left: its operation, the hash of its template, and who had which fields.

    `is_kept`: the record has them, too.
    """

    op: str
    hash: str
    owners: tuple[Owned, ...]
    is_kept: bool = True

    @property
    def names(self) -> str:
        """Who applies the template's fields."""
        return ", ".join(appliers(self.owners))


class Returned(Struct, frozen=True, kw_only=True):
    """The fields are handed back; of `untold` it could not be told whose they are."""

    untold: Paths = frozenset()


class NotOurs(Struct, frozen=True, kw_only=True):
    """Somebody has changed the template since: nothing is to be handed back."""


class Pending(Struct, frozen=True, kw_only=True):
    """They are still ours, and `why`: it can be made up for while the template is ours."""

    why: str


Ended = Returned | NotOurs | Pending


async def hand_back(run: Run, held: Held, ours: Ours, workload: Object | None) -> Ended:
    """Hand the fields back, and say how it went; the rollback is none the worse where it fails.

    `workload` is as it was seen after our PATCH; None: read it now. An interruption waits for the
    answer to a write that is under way.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            found = await _written(run, held, ours, workload)
    except TimeoutError:
        found = Pending(why=f"no answer within {PATIENCE:g} s")
    except BackoutError as error:
        found = Pending(why=error.message)
    _tell(run, ours, found)
    return found


async def _written(run: Run, held: Held, ours: Ours, workload: Object | None) -> Ended:
    """Write under the version that was read; after a 409 nothing was written, and it is read again.

    After an answer that is not clear it is read, too, and not sent again.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(_JITTER.uniform(0, 0.02 * 2**attempt))
        if workload is None:
            workload = await run.client.get(paths.workload(run.target))
            held.check(run, await see(run))
        if not _is_still(workload, ours):
            return NotOurs()
        wanted = handed_back(workload, ours.owners)
        if wanted is None:
            return Returned()
        try:
            held.check_fresh(run)
            answer = await _sent(run, operations(workload, wanted.entries))
        except Conflict:
            workload = None
            continue
        except Unclear as error:
            return await _looked(run, ours, error)
        if is_kept(wanted.entries, answer):
            return Returned(untold=wanted.untold)
        return Pending(why="the API server did not keep the managed fields that it was sent")
    return Pending(why=f"the workload changed under each of {ATTEMPTS} attempts")


async def _sent(run: Run, ops: list[dict[str, Any]]) -> Object:
    request = asyncio.ensure_future(run.client.patch_json(paths.workload(run.target), ops))
    return (await unbroken(request, patience=run.limits.wind_down / 2)).object


async def _looked(run: Run, ours: Ours, unclear: Unclear) -> Ended:
    workload = await run.client.get(paths.workload(run.target))
    if not _is_still(workload, ours):
        return NotOurs()
    return Pending(why=unclear.message) if is_ours(workload) else Returned()


def _is_still(workload: Object, ours: Ours) -> bool:
    """Tell whether nobody has changed the template since our PATCH."""
    has_marker = objects.annotations_of(workload).get(MARKER) == ours.op
    return has_marker and template.digest(workload["spec"]["template"]) == ours.hash


def edit_of(found: Ended) -> Edit:
    """Return what the record becomes: what is needed is kept while it may still be done."""
    match found:
        case Returned():
            return healed
        case NotOurs():
            return not_to_heal
        case Pending():
            return unchanged
        case _ as unreachable:
            assert_never(unreachable)


def _tell(run: Run, ours: Ours, found: Ended) -> None:
    match found:
        case Returned(untold=untold):
            words = f"the fields of the Pod template are handed back to {ours.names}"
            more = f"; of {len(untold)} it cannot be told whose they are: nobody owns them now"
            said = f"{words}{more if untold else ''}"
            run.say(FieldsReturned(message=said, managers=ours.names))
        case NotOurs():
            words = "somebody has changed the Pod template: no fields are handed back"
            run.say(Noted(message=words))
        case Pending(why=why):
            words = (
                f"the fields of the Pod template could not be handed back to {ours.names}: {why}; "
                "until they are, a server-side apply meets conflicts with backout"
            )
            run.say(Warned(message=f"{words}; {_line(run, ours)}"))
        case _ as unreachable:
            assert_never(unreachable)


def _line(run: Run, ours: Ours) -> str:
    """Return what a person runs then: to hand them back, or to see whose they are."""
    if ours.is_kept:
        return f"hand them back: {resume_line(run)}"
    where = f"{run.target} -n {run.target.namespace} {run.kubectl_context}"
    return f"see whose they are: kubectl get {where}-o yaml --show-managed-fields"
