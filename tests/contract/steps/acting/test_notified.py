"""The user's URL is told beside everything else: nothing waits for it, nor it for anything."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.preflight.request import Request
from backout.core.report.notification import signature
from backout.http.client import HttpClient
from backout.steps import notify
from backout.steps.notifier import Notifier
from backout.steps.undo import undo
from tests.contract.api_server import is_undo
from tests.contract.scripted_server import Answer, Close, Hang, ScriptedServer
from tests.contract.steps.shop import (
    QUICK,
    TRACE,
    Told,
    deploy,
    holder,
    image,
    running,
    states,
    within,
)

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step

KEY = b"key"


async def notified(
    api: ApiServer, script: Any, *, key: bytes = KEY, patience: float = 3.0
) -> tuple[Told, list[Any]]:
    told = Told()
    policy = Request(successes=1)
    async with (
        running(api, told, limits=QUICK, policy=policy) as run,
        ScriptedServer(script) as server,
        HttpClient() as session,
    ):
        url = f"{server.url}/hook?secret=s3cr3t"
        notifier = Notifier(session, url, key=key, patience=patience)
        notified = within(run, notifier=notifier)
        told.outcome = await undo(notified)
        await notify.end(notified, told.outcome)
    return told, server.requests


async def test_announcement_and_outcome_are_posted_once_each_and_signed(api: ApiServer) -> None:
    told, requests = await notified(api, lambda _: Answer(status=204))

    assert told.of("warning") == []
    assert [r.method for r in requests] == ["POST", "POST"]
    first, last = (json.loads(r.body) for r in requests)
    assert (first["kind"], first["revision"], first["traceID"]) == ("triggered", 1, TRACE)
    assert first["text"].startswith("rollback triggered for deployment/web to revision=1")
    assert (last["kind"], last["outcome"], last["health"]) == ("outcome", "succeeded", "Healthy")
    for request in requests:
        assert request.headers["x-backout-signature"] == signature(KEY, request.body)


async def test_without_a_key_nothing_is_signed(api: ApiServer) -> None:
    _, requests = await notified(api, lambda _: Answer(), key=b"")

    assert all("x-backout-signature" not in r.headers for r in requests)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Answer(status=500), "HTTP 500"),
        (Answer(status=302, headers={"Location": "/other"}), "HTTP 302"),
        (Close(), "closed the connection"),
    ],
)
async def test_a_notification_that_fails_is_a_warning_and_not_sent_again(
    api: ApiServer, step: Step, why: str
) -> None:
    told, requests = await notified(api, lambda _: step)

    assert told.result == "succeeded"
    assert image(api).endswith("good")
    assert len(requests) == 2
    assert all(why in text for text in told.of("warning")), told.of("warning")
    assert "s3cr3t" not in told.text


async def test_a_slow_endpoint_does_not_delay_the_rollback(api: ApiServer) -> None:
    told, _ = await notified(api, lambda _: Hang(), patience=0.3)

    assert told.result == "succeeded"
    kinds = [e.kind for e in told.events]
    assert kinds.index("progress") < kinds.index("warning")
    assert "within 0.3 s" in told.of("warning")[0]


async def test_a_slow_endpoint_holds_neither_the_closing_up_nor_the_end_for_long(
    api: ApiServer,
) -> None:
    clock = asyncio.get_running_loop().time
    closed_at = 0.0

    def after(request: Received, _: Answer) -> None:
        nonlocal closed_at
        closed_at = clock() if b"SUCCEEDED" in request.body else closed_at

    api.after = after
    told, requests = await notified(
        api, lambda r: Hang() if r.json["kind"] == "outcome" else Answer(), patience=0.5
    )

    assert [r.json["kind"] for r in requests] == ["triggered", "outcome"]
    assert "within 0.5 s" in told.of("warning")[0]
    assert clock() - closed_at >= 0.4, "the record was closed before that was given up"
    assert clock() - closed_at < 2.0


async def test_record_and_notification_are_sent_side_by_side(api: ApiServer) -> None:
    """Each is answered only when the other has arrived: one after the other, one would time out."""
    is_told, is_closing = asyncio.Event(), asyncio.Event()

    async def hook(request: Received) -> Step:
        if request.json["kind"] == "outcome":
            is_told.set()
            await is_closing.wait()
        return Answer()

    async def before(request: Received) -> Step | None:
        if b"SUCCEEDED" in request.body and request.method == "PUT":
            is_closing.set()
            await is_told.wait()
        return None

    api.before = before
    told, requests = await notified(api, hook, patience=1.0)

    assert told.result == "succeeded", told.text
    assert told.of("warning") == []
    assert len(requests) == 2
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""


async def test_a_record_that_could_not_be_closed_is_told_as_the_last_word(api: ApiServer) -> None:
    api.before = lambda r: Close() if b"SUCCEEDED" in r.body else None
    told, requests = await notified(api, lambda _: Answer())

    assert told.result == "undecided", told.text
    assert [r.json["outcome"] for r in requests] == [None, "succeeded", "undecided"]
    assert "record could not be closed" in requests[-1].json["text"]


async def test_a_plan_that_is_made_again_is_told_once(api: ApiServer) -> None:
    is_changed = False

    def before(request: Received) -> Step | None:
        nonlocal is_changed
        if is_undo(request) and not is_changed:
            is_changed = True
            deploy(api, "127.0.0.1:1/app:bad-hotfix")
        return None

    api.before = before
    told, requests = await notified(api, lambda _: Answer())

    assert told.result == "succeeded", told.text
    assert [r.json["kind"] for r in requests] == ["triggered", "outcome"]
