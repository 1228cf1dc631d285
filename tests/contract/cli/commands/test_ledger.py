"""`backout ledger`: which ledger is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command


async def test_a_local_ledger_is_shown_to_who_may_not_read_leases(
    backout: Command, api: ApiServer
) -> None:
    api.denied |= {"get leases", "list leases"}

    local = await backout("ledger", "deploy/web", "--ledger", "local")
    cluster = await backout("ledger", "deploy/web")

    assert (local.code, local.out.splitlines()[0]) == (0, "no rollbacks recorded")
    assert cluster.code == 1
