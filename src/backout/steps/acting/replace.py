"""Deletes a Pod that the rollback waits for in vain, where the user asked for that (rule 8.3).

One at a time: the lowest is judged again from what is read then, its name goes on record, and the
DELETE names its UID and its resourceVersion. The next is looked for once its successor is there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, Conflict, NotFound
from backout.core.events.acting import PodReplaced
from backout.core.events.told import Warned
from backout.core.kubernetes import objects
from backout.core.ledger.edits import replaced
from backout.core.rollout.replacing import to_delete
from backout.kube import paths
from backout.kube.errors import Unclear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.diagnosis.diagnosis import Scene
    from backout.core.model import Object
    from backout.steps.ledger.closing import Closing
    from backout.steps.run import Run

PAUSE = 1.0
"""Seconds after which a Pod that could not be deleted is looked at again."""


class StuckPods:
    """Those of one rollback; `before` are the names and UIDs of what was deleted so far."""

    def __init__(
        self, run: Run, closing: Closing, workload: Object, wanted: str, before: Mapping[str, str]
    ) -> None:
        self._run, self._closing = run, closing
        self._uid, self._wanted = objects.uid(workload), wanted
        self._before = dict(before)
        self._not_until = 0.0
        self._told: set[str] = set()

    async def replace(self, scene: Scene) -> bool:
        """Delete the Pod that holds the rollback up, if one does; return whether one was deleted.

        `scene` only tells whether it is worth a look. Raises LockLost where the lock is not ours.
        """
        clock = asyncio.get_running_loop().time
        seen = scene.kind.stuck(scene.workload, scene.seen)
        if seen is None or not (seen.is_safe and seen.is_due) or clock() < self._not_until:
            return False
        try:
            pod = await self._read(scene)
            return pod is not None and await self._deleted(pod)
        except (Conflict, NotFound):
            return False  # it has changed, or has gone: it is judged again
        except Unclear:
            self._not_until = clock() + PAUSE
            return False  # what is read then tells whether it was executed
        except BackoutError as error:
            self._not_until = clock() + PAUSE
            self._tell(f"a Pod that holds the rollback up could not be deleted: {error.message}")
            return False

    async def _read(self, scene: Scene) -> Object | None:
        """Return the Pod to delete from what is read now."""
        run, kind = self._run, self._run.target.kind
        workload = await run.client.get(paths.workload(run.target))
        selector = objects.selector_text(workload["spec"]["selector"])
        pods = await run.client.list(paths.pods(run.target.namespace), label_selector=selector)
        found = to_delete(
            workload,
            kind,
            [scene.stored] if scene.stored is not None else [],
            pods.items,
            uid=self._uid,
            wanted=self._wanted,
            now=run.server_now(),
            before=self._before,
        )
        return found.pod if found is not None else None

    async def _deleted(self, pod: Object) -> bool:
        name, uid = objects.name(pod), objects.uid(pod)
        held = self._closing.held
        if held is None or not await self._closing.note(replaced(name, uid)):
            return False
        held.check_fresh(self._run)
        version = objects.resource_version(pod)
        self._before[name] = uid
        path = paths.pod(self._run.target.namespace, name)
        await self._run.client.delete(path, uid=uid, version=version)
        words = f"Pod {name} held the rollback up and was deleted; the controller makes a new one"
        self._run.say(PodReplaced(message=words, pod=name, uid=uid))
        return True

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._run.say(Warned(message=words))
