"""`backout check -o html`: one page of many workloads, and nothing else on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.cli.command import Command


async def test_a_page_of_one_workload_is_a_usage_error(backout: Command) -> None:
    done = await backout("check", "deploy/web", "-o", "html")

    assert done.code == 2
    assert "-o html is a page of many workloads" in done.err


async def test_other_commands_have_no_page(backout: Command) -> None:
    done = await backout("status", "deploy/web", "-o", "html")

    assert done.code == 2
