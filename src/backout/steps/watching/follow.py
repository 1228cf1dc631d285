"""Follows a workload with its history, Pods and events, merged into one newest state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.errors import BackoutError
from backout.core.kubernetes import objects
from backout.core.kubernetes.managed_fields import slim
from backout.kube import paths
from backout.kube.watch import Change, Interrupted, Removed, Synced, Upserted, follow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from backout.core.kinds.kind import Kind
    from backout.core.kinds.target import Target
    from backout.core.model import Object
    from backout.kube.client import Client, Keep

_ROUTINE = (
    *("Scheduled", "Created", "Started", "Killing", "Completed"),
    *("SuccessfulCreate", "SuccessfulDelete", "ScalingReplicaSet"),
)
EVENTS = ",".join(f"reason!={r}" for r in _ROUTINE)
"""All events but what a healthy rollout floods a namespace with.

Not by type: that a node is on its way, that a claim is never bound and that an image is being
pulled (and when that is over) are of type Normal.
"""


class Newest(Struct, kw_only=True):
    """The newest object of each UID, by what is followed. Judged from here, never from events.

    `kind` is the workload's, `stored` its history. `missing` tells what could not be followed and
    why (RBAC); `interrupted` what is out of reach for the moment. `is_complete` once
    the workload, its history and its Pods were listed.
    """

    kind: Kind
    workload: Object | None = None
    stored: dict[str, Object] = field(default_factory=dict)
    pods: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    interrupted: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)

    @property
    def needed(self) -> frozenset[str]:
        """What a verdict is made from; events only word it."""
        return frozenset({self.kind.resource.plural, self.kind.stored.plural, "pods"})

    @property
    def is_complete(self) -> bool:
        """Whether all that a verdict needs has been listed (or cannot be)."""
        return self.listed | self.missing.keys() >= self.needed

    @property
    def shows_pods(self) -> bool:
        """Whether it can be seen which Pods are of which revision."""
        return not self.missing.keys() & {self.kind.stored.plural, "pods"}

    @property
    def has_heard_events(self) -> bool:
        """Whether the events are there, or cannot be: they word a verdict, and do not make it."""
        return "events" in self.listed | self.missing.keys() | self.interrupted.keys()

    @property
    def blindness(self) -> str:
        """Why nothing can be judged now; empty where all that a verdict needs is seen."""
        for resource, why in self.interrupted.items():
            if resource in self.needed:
                return why
        return "" if self.is_complete else "no answer"


class _Followed(Struct, frozen=True, kw_only=True):
    resource: str
    path: str
    labels: str = ""
    fields: str = ""
    keep: Keep = slim
    """Of thousands of Pods the names of their fields are half."""


async def newest_states(
    client: Client, target: Target, selector: str
) -> AsyncGenerator[Newest, None]:
    """Yield the newest state after every change, for ever: the caller sets the deadline.

    What may not be watched is noted in `missing` and done without, except the workload itself:
    then the error is raised.
    """
    kind = target.kind
    state = Newest(kind=kind)
    changes: asyncio.Queue[tuple[str, Change | BackoutError]] = asyncio.Queue()
    pumps = [
        asyncio.create_task(_pump(client, one, changes)) for one in _followed(target, selector)
    ]
    try:
        while True:
            resource, change = await changes.get()
            if isinstance(change, BackoutError):
                if resource == kind.resource.plural:
                    raise change
                state.missing[resource] = change.message
            else:
                _merge(state, resource, change)
            if changes.empty():
                yield state
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)


def _followed(target: Target, selector: str) -> tuple[_Followed, ...]:
    namespace, own, stored = target.namespace, target.kind.resource, target.kind.stored
    name = f"metadata.name={target.name}"
    return (
        _Followed(resource=own.plural, path=paths.listed(own, namespace), fields=name, keep=dict),
        _Followed(resource=stored.plural, path=paths.listed(stored, namespace), labels=selector),
        _Followed(resource="pods", path=paths.pods(namespace), labels=selector),
        _Followed(resource="events", path=paths.events(namespace), fields=EVENTS),
    )


async def _pump(
    client: Client, one: _Followed, changes: asyncio.Queue[tuple[str, Change | BackoutError]]
) -> None:
    try:
        changed = follow(
            client,
            one.path,
            label_selector=one.labels,
            field_selector=one.fields,
            keep=one.keep,
        )
        async for change in changed:
            changes.put_nowait((one.resource, change))
    except BackoutError as error:
        changes.put_nowait((one.resource, error))
    except Exception as error:  # noqa: BLE001 (a defect of ours must not be silence to the end)
        words = f"internal error ({type(error).__name__}: {error})"
        changes.put_nowait((one.resource, BackoutError(words, remedy="report this error")))


def _merge(state: Newest, resource: str, change: Change) -> None:
    if isinstance(change, Interrupted):
        state.interrupted[resource] = change.why
        return
    state.interrupted.pop(resource, None)
    kind = state.kind
    if resource == kind.resource.plural:
        _merge_workload(state, change)
    else:
        kept = {kind.stored.plural: state.stored, "pods": state.pods, "events": state.events}
        _merge_into(kept[resource], change)
    if isinstance(change, Synced):
        state.listed.add(resource)


def _merge_workload(state: Newest, change: Change) -> None:
    match change:
        case Synced(items=items):
            state.workload = items[0] if items else None
        case Upserted(object=item):
            state.workload = item
        case Removed():
            state.workload = None


def _merge_into(kept: dict[str, Object], change: Change) -> None:
    match change:
        case Synced(items=items):
            kept.clear()
            kept.update({objects.uid(i): i for i in items})
        case Upserted(object=item):
            kept[objects.uid(item)] = item
        case Removed(object=item):
            kept.pop(objects.uid(item), None)
