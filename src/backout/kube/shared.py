"""A client for a run over many workloads: what they have in common is read once.

Lists are read whole, once a namespace, and a selector is answered from them. Writes and dry runs
go out as they are.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self, TypeVar

from backout.core.errors import BackoutError, Forbidden, NotFound
from backout.core.kubernetes import objects
from backout.core.kubernetes.labels import Labelled
from backout.kube import paths
from backout.kube.call import NO_PARAMS
from backout.kube.client import Client
from backout.kube.retry import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping

    from backout.core.kinds.kind import Kind
    from backout.kube.answers import Listing

T = TypeVar("T")
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_IDENTITY = ("namespace", "name")
_LEASES = "/leases"
_NEEDLESS = {"Pod", "Service"}
"""Kinds whose managed fields nobody reads, beside a history's: they are up to half of an object."""


class _Whole:
    """One list with what is asked of it; `given` are the names handed out one by one."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.labelled = Labelled(listing.items)
        self.by_name = {objects.name(item): item for item in listing.items}
        self.given: set[str] = set()


class SharedClient(Client):
    """An async context manager over a client that stays open; what it has read it keeps.

    An error is kept, too: what could not be read once is not asked for by every workload. `kinds`
    are those of the workloads.
    """

    def __init__(self, plain: Client, kinds: Collection[Kind]) -> None:
        # The same transport, identity and time-outs: only the reads differ.
        vars(self).update(vars(plain))
        self._plain = plain
        self._wholes = (_LEASES, *(f"/{kind.resource.plural}" for kind in kinds))
        self._needless = _NEEDLESS | {kind.stored.name for kind in kinds}
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await _end(self._asked.values())

    @property
    def plain(self) -> Client:
        """The client that reads again."""
        return self._plain

    def forget(self, namespace: str) -> None:
        """Let go of what was read of a namespace: all of its workloads are done."""
        inside = f"/namespaces/{namespace}/"
        for key in [k for k in self._asked if inside in k]:
            del self._asked[key]

    async def get(self, path: str, params: Mapping[str, str] = NO_PARAMS) -> dict[str, Any]:
        """Return one object; a workload or a Lease out of the list of its namespace."""
        collection, _, name = path.rpartition("/")
        if not collection.endswith(self._wholes):
            key = f"GET {path}?{json.dumps(dict(params))}"
            return await self._once(key, lambda: self._plain.get(path, params))
        try:
            whole = await self._whole(collection)
        except Forbidden:
            return await self._plain.get(path, params)
        if name not in whole.by_name and collection.endswith(_LEASES):
            raise NotFound(f'leases "{name}" not found', code=404, reason="NotFound")
        if name not in whole.by_name or name in whole.given:  # the second time it is wanted again
            return await self._plain.get(path, params)
        whole.given.add(name)
        return whole.by_name[name]

    async def metadata(self, path: str) -> dict[str, Any]:
        """Return an object's metadata."""
        return await self._once(f"METADATA {path}", lambda: self._plain.metadata(path))

    async def counted(self, path: str) -> tuple[dict[str, Any], int | None]:
        """Return a ConfigMap's or Secret's metadata, and how many keys it has."""
        return await self._once(f"COUNTED {path}", lambda: self._plain.counted(path))

    async def list(self, path: str, **how: Any) -> Listing:
        """Return a list; only a whole one is kept."""
        if how:
            return await self._plain.list(path, **how)
        return (await self._whole(path)).listing

    async def first(self, path: str, most: int) -> tuple[tuple[dict[str, Any], ...], bool]:
        """Return the first objects of a list, and whether there are more."""
        return await self._once(f"FIRST {most} {path}", lambda: self._plain.first(path, most))

    async def selected(self, path: str, selector: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what a LabelSelector selects of the whole list."""
        return (await self._whole(path)).labelled.selected(selector)

    async def names(self, path: str, *, label_selector: str = "") -> tuple[tuple[str, str], ...]:
        """Return namespace and name of each object of a list: no spec leaves the server."""
        params = {"labelSelector": label_selector} if label_selector else {}
        listing = await self._listed(
            path, params, tries=TRIES, accept=METADATA_LIST, keep=_identity
        )
        return tuple((item["namespace"], item["name"]) for item in listing.items)

    async def create(self, path: str, body: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        """Create an object; of access reviews the one for any name stands for all that it allows.

        Where it denies, a rule may still name this object (`resourceNames`): that is asked.
        """
        if path != paths.self_subject_access_reviews():
            return await self._plain.create(path, body, **how)
        attributes = dict(body["spec"]["resourceAttributes"])
        name = attributes.pop("name", None)
        general = {**body, "spec": {"resourceAttributes": attributes}}
        inside = f"/namespaces/{attributes['namespace']}/"
        answer = await self._once(
            f"REVIEW {inside} {json.dumps(attributes)}", lambda: self._plain.create(path, general)
        )
        if name is None or objects.dig(answer, "status", "allowed") is True:
            return answer
        return await self._plain.create(path, body)

    async def _whole(self, path: str) -> _Whole:
        return await self._once(f"LIST {path}/", lambda: self._read_whole(path))

    async def _read_whole(self, path: str) -> _Whole:
        return _Whole(await self._plain.list(path, keep=self._kept))

    def _kept(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return what a run over many keeps of an object of a list."""
        if item.get("kind") in self._needless:
            objects.dig(item, "metadata", default={}).pop("managedFields", None)
        return item

    async def _once(self, key: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if key not in self._asked:
            task = asyncio.create_task(ask())
            task.add_done_callback(_seen)
            self._asked[key] = task
        try:
            # Shielded: the one who asked first may be cancelled while others still wait.
            found: T = await asyncio.shield(self._asked[key])
        except BackoutError as error:
            # Raised once for each who waits: their frames must not pile up in it.
            raise error.with_traceback(None) from None
        return found


def _identity(item: dict[str, Any]) -> dict[str, Any]:
    return {key: str(objects.dig(item, "metadata", key, default="")) for key in _IDENTITY}


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at a task's error: nobody may have waited for it to the end."""
    if not task.cancelled():
        task.exception()


async def _end(tasks: Any) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
