from __future__ import annotations

from typing import Any

import pytest

from backout.core.errors import Gone, NotFound, Unreachable
from backout.kube.client import Client, Listing
from tests.contract.kube.fixtures import StandingClock, connection_to, pod, refusal
from tests.contract.scripted_server import Answer, Close, ScriptedServer, Step


def page(*items: dict[str, Any], version: str = "7", token: str = "") -> Answer:
    metadata = {"resourceVersion": version, **({"continue": token} if token else {})}
    return Answer(
        json={"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": list(items)}
    )


async def listed(script: list[Step], **selectors: Any) -> tuple[Listing, ScriptedServer]:
    async with (
        ScriptedServer(script) as server,
        Client(connection_to(server), clock=StandingClock()) as client,
    ):
        return await client.list("/pods", **selectors), server


async def test_a_list_comes_in_pages_of_one_version() -> None:
    script = [
        page(pod("a", "1"), token="t1"),
        page(pod("b", "2"), token="t/2"),
        page(pod("c", "3")),
    ]
    listing, server = await listed(list(script), label_selector="app=web", field_selector="x=y")

    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b", "c"]
    assert listing.resource_version == "7"
    selectors = {"labelSelector": "app=web", "fieldSelector": "x=y", "limit": "500"}
    assert [request.query for request in server.requests] == [
        selectors,
        {**selectors, "continue": "t1"},
        {**selectors, "continue": "t/2"},
    ]


async def test_a_list_names_no_version_so_that_it_is_the_newest() -> None:
    _, server = await listed([page()])

    assert "resourceVersion" not in server.requests[0].query


async def test_of_a_page_only_what_is_kept_stays_while_the_next_is_read() -> None:
    script = [page(pod("a", "1"), token="t"), page(pod("b", "2"))]
    seen: list[int] = []
    async with ScriptedServer(list(script)) as server, Client(connection_to(server)) as client:

        def keep(item: dict[str, Any]) -> dict[str, Any]:
            seen.append(len(server.requests))
            return {"name": item["metadata"]["name"]}

        listing = await client.list("/pods", keep=keep)

    assert listing.items == [{"name": "a"}, {"name": "b"}]
    assert seen == [1, 2]


async def test_items_get_the_kind_that_the_list_says_once() -> None:
    listing, _ = await listed([page({"metadata": {"name": "a"}})])

    assert listing.items == [{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}]


async def test_a_list_that_expires_between_pages_starts_again_in_one_piece() -> None:
    expired = refusal(410, "Expired", "The provided continue parameter is too old")
    whole = page(pod("a", "1"), pod("b", "2"), version="9")
    listing, server = await listed([page(pod("a", "1"), token="t"), expired, whole])

    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b"]
    assert listing.resource_version == "9"
    assert server.requests[2].query == {}


async def test_a_list_that_expires_for_ever_is_gone() -> None:
    expired = refusal(410, "Expired", "too old")
    async with (
        ScriptedServer([expired, expired, expired]) as server,
        Client(connection_to(server)) as client,
    ):
        with pytest.raises(Gone):
            await client.list("/pods")

    assert len(server.requests) == 2


async def test_one_page_is_asked_again_without_the_others() -> None:
    listing, server = await listed([page(pod("a", "1"), token="t"), Close(), page(pod("b", "2"))])

    assert len(listing.items) == 2
    assert [request.query.get("continue") for request in server.requests] == [None, "t", "t"]


async def test_pages_without_end_are_refused() -> None:
    with pytest.raises(Unreachable, match="same page"):
        await listed([page(token="t")] * 5)


async def test_a_list_of_null_is_empty() -> None:
    listing, _ = await listed([Answer(json={"items": None, "metadata": {}})])

    assert listing == Listing(items=[], resource_version="")


async def test_a_list_that_is_refused_is_refused() -> None:
    with pytest.raises(NotFound):
        await listed([refusal(404, "NotFound", "no such thing")])
