"""The ledger in the cluster: a Lease beside the workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.errors import Forbidden, NotFound
from backout.core.kubernetes import objects
from backout.core.ledger.records import lease_name
from backout.kube import paths
from backout.steps.reading.role import with_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.kinds.target import Target
    from backout.core.model import Object
    from backout.kube.client import Client


class ClusterLedger:
    """The Lease in the workload's namespace: what everybody who may roll back sees."""

    is_local = False

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self._target = target

    async def read(self) -> Object | None:
        """Return the Lease as the API server has it."""
        path = paths.lease(self._target.namespace, lease_name(self._target))
        try:
            return await self._client.get(path)
        except NotFound:
            return None

    async def write(self, before: Object | None, body: Mapping[str, Any]) -> Object:
        """Create or replace; the body carries the uid and resourceVersion of `before`.

        Without the uid a PUT would bring back a Lease that somebody has deleted (measured).
        """
        namespace = self._target.namespace
        try:
            if before is None:
                return await self._client.create(paths.leases(namespace), body)
            return await self._client.replace(paths.lease(namespace, objects.name(before)), body)
        except Forbidden as error:
            raise with_role(error, "leases") from None
