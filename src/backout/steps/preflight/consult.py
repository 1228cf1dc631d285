"""Reads what surrounds the target: what it names, who owns it, nodes, and the dry runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeVar

from backout.core.checks.check import few
from backout.core.errors import BackoutError, NotFound
from backout.core.history import revisions
from backout.core.kubernetes import objects
from backout.core.owners import owners
from backout.core.owners.referring import REFERRING, Referring, is_served, owners_of
from backout.core.preflight.snapshot import Need, Snapshot
from backout.core.references import references
from backout.core.references.references import Referent
from backout.core.rights import permissions
from backout.core.room import demand
from backout.core.room.eligible import eligible
from backout.core.room.startability import must_start
from backout.kube import paths
from backout.steps.preflight import dry_run
from backout.steps.reading import references as named

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from backout.core.model import Object, Revision
    from backout.core.owners.owners import Owner
    from backout.core.preflight.admission import DryRun
    from backout.core.references.references import Named, Reference
    from backout.steps.preflight.readings import Readings, WholeList
    from backout.steps.run import Run

T = TypeVar("T")
MOST_NODES = 500
"""One page; of a larger cluster nothing is said about nodes."""
MOST_FULL = 20
"""Nodes whose Pods are read: hardly ever are more full at once, and each is a request."""
LONGEST = 10.0
"""Seconds for what can block: nobody waits longer for it during an outage."""
LISTED: tuple[tuple[WholeList, Need, Callable[[str], str]], ...] = (
    ("quotas", Need.QUOTAS, paths.quotas),
    ("limit_ranges", Need.LIMIT_RANGES, paths.limit_ranges),
    ("autoscalers", Need.AUTOSCALERS, paths.autoscalers),
    ("budgets", Need.BUDGETS, paths.budgets),
)
"""What is read whole of a namespace: the Snapshot's field, the need that it meets, and where."""
_NEEDS = {
    Referent.CONFIG_MAP: Need.CONFIG_MAPS,
    Referent.SECRET: Need.SECRETS,
    Referent.CLAIM: Need.CLAIMS,
    Referent.SERVICE_ACCOUNT: Need.SERVICE_ACCOUNTS,
    Referent.PRIORITY_CLASS: Need.CLASSES,
    Referent.RUNTIME_CLASS: Need.CLASSES,
}


class Consulted:
    """What was found, field by field of the Snapshot, and why something was not."""

    def __init__(self, run: Run, snapshot: Snapshot, revision: Revision) -> None:
        self._run = run
        self._snapshot = snapshot
        self._revision = revision
        can_block = must_start(snapshot.pace, ready=revision.ready)
        self._budget = LONGEST if can_block else run.limits.preflight
        self.fields: Readings = {}
        self.unreadable: dict[Need, str] = {}

    async def ask(self) -> None:
        """Ask for all of it at once; nothing raises and nothing takes longer than its budget."""
        async with asyncio.TaskGroup() as group:
            for one in (
                self._references,
                self._owners,
                self._patch,
                self._pod,
                self._nodes,
            ):
                group.create_task(one())
            group.create_task(self._listed("neighbours", Need.NEIGHBOURS, self._alike))
            for field, need, path in LISTED:
                group.create_task(self._listed(field, need, path))

    async def _within(self, need: Need, asked: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(self._budget):
                return await asked
        except BackoutError as error:
            self.unreadable[need] = error.message
        except TimeoutError:
            self.unreadable[need] = f"no answer within the preflight budget, {self._budget:g} s"
        return None

    async def _references(self) -> None:
        """Read what the target names, and what the current revision does: it may have changed."""
        now = revisions.current(self._snapshot.revisions)
        templates = [self._revision.template, *([now.template] if now is not None else [])]
        uses = [u for t in templates for u in references.of_template(t)]
        found: dict[Reference, Named] = {}
        by_need: dict[Need, set[Reference]] = {}
        for use in uses:
            by_need.setdefault(_NEEDS[use.reference.kind], set()).add(use.reference)

        async def of(need: Need, wanted: set[Reference]) -> None:
            told = await self._within(need, named.read(self._run, wanted))
            if told is not None:
                found.update(told[0])
                self.unreadable.update((need, why) for why in told[1].values())

        await asyncio.gather(*(of(need, wanted) for need, wanted in by_need.items()))
        self.fields["named"] = found
        if untold := references.untold(self._revision.template, found):
            self.unreadable[Need.KEYS] = (
                f"of {few([*map(str, untold)])} managed fields do not show every key, and values "
                "are not read"
            )
        made = references.ephemeral_classes(self._revision.template)
        waited = {n.waits_for for n in found.values() if n.waits_for}
        await self._classes(waited.union(made.values()))

    async def _classes(self, names: set[str]) -> None:
        """Look for the StorageClasses that claims wait for, or will; few templates have such."""

        async def is_gone(name: str) -> bool:
            try:
                await self._run.client.metadata(paths.storage_class(name))
            except NotFound:
                return True
            return False

        asked = [self._within(Need.STORAGE_CLASSES, is_gone(name)) for name in sorted(names)]
        gone = zip(sorted(names), await asyncio.gather(*asked), strict=True)
        self.fields["gone_classes"] = frozenset(name for name, told in gone if told)

    async def _owners(self) -> None:
        named = [self._judged(o) for o in owners.of(self._snapshot.workload, self._snapshot.kind)]
        referring = [self._referring(one) for one in REFERRING]
        judged, others = await asyncio.gather(asyncio.gather(*named), asyncio.gather(*referring))
        self.fields["owners"] = (*judged, *(owner for found in others for owner in found))

    async def _referring(self, one: Referring) -> tuple[Owner, ...]:
        """Look for an object that refers to it, such as an Argo Rollout.

        Whether there are such is asked first, as anybody may: where there are none, a list would
        be refused to most anyway, and a refusal would be told.
        """

        async def used_by() -> tuple[Owner, ...]:
            try:
                kinds = await self._run.client.get(paths.served(one.group, one.version))
            except NotFound:
                return ()
            if not is_served(one, kinds):
                return ()
            namespace = self._run.target.namespace
            path = paths.custom(one.group, one.version, namespace, one.plural)
            page = await self._run.client.list(path)
            return owners_of(one, self._snapshot.workload, self._snapshot.kind, page.items)

        return await self._within(Need.ROLLOUTS, used_by()) or ()

    async def _judged(self, owner: Owner) -> Owner:
        ask = owner.ask
        if ask is None:
            return owner
        try:
            path = paths.owner(ask.group, ask.version, ask.namespace, ask.resource, ask.name)
            async with asyncio.timeout(self._budget):
                return owners.judged(owner, await self._run.client.get(path))
        except (BackoutError, TimeoutError):
            return owner

    async def _patch(self) -> None:
        needed = f"patch {self._snapshot.kind.resource.plural}"
        if self._snapshot.permissions.get(needed) is False:
            self.unreadable[Need.DRY_RUN] = f"you may not {needed}"
            return
        asked = dry_run.of_patch(self._run, self._snapshot.workload, self._revision)
        self._note("dry_run", Need.DRY_RUN, await self._within(Need.DRY_RUN, asked))

    async def _pod(self) -> None:
        if not self._snapshot.permissions.get(str(permissions.CREATE_PODS)):
            self.unreadable[Need.POD_DRY_RUN] = f"you may not {permissions.CREATE_PODS}"
            return
        asked = dry_run.of_pod(self._run, self._snapshot.workload, self._revision)
        self._note("pod_dry_run", Need.POD_DRY_RUN, await self._within(Need.POD_DRY_RUN, asked))

    def _note(
        self, field: Literal["dry_run", "pod_dry_run"], need: Need, told: DryRun | str | None
    ) -> None:
        if isinstance(told, str):
            self.unreadable[need] = told
        else:
            self.fields[field] = told

    async def _nodes(self) -> None:
        asked = self._run.client.first(paths.nodes(), MOST_NODES)
        found = await self._within(Need.NODES, asked)
        if found is None:
            return
        nodes, is_cut = found
        if is_cut:
            self.unreadable[Need.NODES] = f"there are more than {MOST_NODES}"
            return
        self.fields["nodes"] = nodes
        await self._other_pods()

    async def _other_pods(self) -> None:
        """Read what else runs on the nodes, where one more Pod must find room beside it.

        Each that is seen takes room. Where those of other namespaces cannot be read, that is said,
        and those of this one are counted; where neither can, those of the workload.
        """
        template = self._revision.template
        if not demand.requests(template) or self._snapshot.pace.unavailable > 0:
            return
        there = eligible(self.fields["nodes"], template)
        told = await self._within(Need.NODE_PODS, self._on_nodes([*map(objects.name, there)]))
        if told is None:
            with suppress(BackoutError, TimeoutError):
                async with asyncio.timeout(self._run.limits.preflight):
                    path = paths.pods(self._run.target.namespace)
                    told = (await self._run.client.list(path)).items
        self.fields["other_pods"] = tuple(objects.others(told or (), self._snapshot.pods))

    async def _on_nodes(self, names: Sequence[str]) -> Sequence[Object] | None:
        """Return all Pods of these nodes, None where it is not worth to ask for so many."""
        if len(names) > MOST_FULL:
            self.unreadable[Need.NODE_PODS] = f"there are more than {MOST_FULL} nodes"
            return None
        asked = [
            self._run.client.get(
                paths.pods_everywhere(), {"fieldSelector": f"spec.nodeName={name}"}
            )
            for name in names
        ]
        pages = await asyncio.gather(*asked)
        return [pod for page in pages for pod in page.get("items") or ()]

    def _alike(self, namespace: str) -> str:
        return paths.listed(self._snapshot.kind.resource, namespace)

    async def _listed(self, field: WholeList, need: Need, path: Callable[[str], str]) -> None:
        """Read what the namespace has of a kind."""
        asked = self._run.client.list(path(self._run.target.namespace))
        page = await self._within(need, asked)
        self.fields[field] = tuple(page.items) if page is not None else ()
