from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from backout.core.preflight.request import Request
from backout.steps.undo import undo
from tests.contract.api_server import ApiServer, bodies, line_of
from tests.contract.scripted_server import Answer, Received
from tests.contract.steps.shop import (
    CAUSE,
    GOOD,
    MARKER,
    TRACE,
    Told,
    count,
    deploy,
    holder,
    image,
    records,
    running,
    shop,
    states,
    template,
    undone,
)


def the_patch(api: ApiServer) -> Received:
    (request,) = [r for r in api.requests if line_of(r) == "PATCH deployments"]
    return request


async def test_an_undo_goes_from_the_bad_to_the_good_revision_and_closes_its_record(
    api: ApiServer,
) -> None:
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""
    assert told.of("rolled_out") == ['deployment "web" successfully rolled out']


async def test_the_announcement_is_the_products_own_line(api: ApiServer) -> None:
    told = await undone(api)

    assert told.of("triggered") == [
        f"rollback triggered for deployment/web to revision=1, traceID={TRACE}"
    ]


async def test_the_patch_has_its_preconditions_in_the_body_and_is_strict(api: ApiServer) -> None:
    web = api.get("deployments", "web")["metadata"]
    await undone(api)
    request = the_patch(api)

    assert request.query["fieldValidation"] == "Strict"
    assert request.query["fieldManager"] == "backout"
    assert request.headers["content-type"] == "application/json-patch+json"
    ops = {op["path"]: op for op in request.json}
    assert ops["/metadata/uid"] == {"op": "replace", "path": "/metadata/uid", "value": web["uid"]}
    version = ops["/metadata/resourceVersion"]
    assert (version["op"], version["value"]) == ("replace", web["resourceVersion"])
    assert not any(op["op"] == "test" for op in request.json)
    assert not any("replicas" in op["path"] for op in request.json)


async def test_unknown_fields_of_the_template_survive_as_they_are() -> None:
    odd: dict[str, Any] = {
        "futureField": {"deep": [{"a": None, "b": "1000m"}, []], "empty": {}},
        "anotherNumber": 12345678901234567890,
    }

    def forget(web: dict[str, Any]) -> None:
        for key in odd:
            del web["spec"]["template"]["spec"][key]

    async with ApiServer() as api:
        shop(api, good=template(GOOD, **odd))
        api.edit("deployments", "web", forget)
        told = await undone(api)

        assert told.result == "succeeded", told.text
        assert api.get("deployments", "web")["spec"]["template"] == template(GOOD, **odd)


async def test_the_marker_is_set_and_the_bad_change_cause_removed_and_no_more(
    api: ApiServer,
) -> None:
    await undone(api)
    notes = api.get("deployments", "web")["metadata"]["annotations"]

    assert notes[MARKER] == records(api)[0]["op"]
    assert CAUSE not in notes
    assert notes["team.example/owner"] == "checkout"


async def test_the_good_revisions_change_cause_comes_back(api: ApiServer) -> None:
    api.edit(
        "replicasets", "web-1", lambda r: r["metadata"]["annotations"].update({CAUSE: "release 1"})
    )
    await undone(api)

    assert api.get("deployments", "web")["metadata"]["annotations"][CAUSE] == "release 1"
    assert api.get("replicasets", "web-1")["metadata"]["annotations"][CAUSE] == "release 1"


async def test_the_record_says_who_why_from_where_to_where(api: ApiServer) -> None:
    web = api.get("deployments", "web")["metadata"]
    await undone(api, policy=Request(reason="INC-7", successes=1))
    (record,) = records(api)

    assert (record["actor"], record["reason"], record["traceID"]) == ("ann", "INC-7", TRACE)
    assert (record["uid"], record["from"]["generation"]) == (web["uid"], web["generation"])
    assert (record["from"]["revision"], record["to"]["revision"]) == (2, 1)
    assert record["from"]["images"] == {"app": "127.0.0.1:1/app:bad"}
    assert (record["verdict"], record["health"]) == ("Complete", "Healthy")
    assert record["patchedAt"]
    assert record["closedAt"]


async def test_an_event_on_the_workload_tells_what_happened(api: ApiServer) -> None:
    await undone(api)
    (event,) = api.all("events")

    assert event["reason"] == "RollbackSucceeded"
    assert event["involvedObject"]["uid"] == api.get("deployments", "web")["metadata"]["uid"]
    assert TRACE in event["message"]


async def test_without_the_right_to_make_events_it_goes_on_and_says_so(api: ApiServer) -> None:
    api.denied.add("create events")
    told = await undone(api)

    assert told.result == "succeeded"
    assert any("no Event on deployment/web" in note for note in told.of("note"))


async def test_a_warning_of_the_server_about_the_patch_is_said_once(api: ApiServer) -> None:
    api.warnings = ("would violate a policy",)
    told = await undone(api)

    assert told.text.count("would violate a policy") <= 1


async def test_a_dry_run_changes_nothing_and_takes_no_lock(api: ApiServer) -> None:
    told = Told()
    before = image(api)
    async with running(api, told) as run:
        told.outcome = await undo(replace(run, dry_run=True))

    assert told.result == "dry run"
    assert image(api) == before
    assert api.writes == []
    assert {s for s in api.lines if s.startswith("DRY")} == {"DRY deployments", "DRY pods"}
    assert api.all("leases") == []
    assert told.of("triggered") == []


async def test_the_third_rollback_in_an_hour_is_refused_before_any_write(api: ApiServer) -> None:
    for number in (1, 2):
        assert (await undone(api)).result == "succeeded"
        deploy(api, f"127.0.0.1:1/app:bad{number}")
    written = len(api.writes)
    told = await undone(api)

    assert told.result == "refused"
    assert told.of("blocked") == ["rollback rate limit exceeded — manual intervention required"]
    assert len(api.writes) == written


async def test_without_a_date_header_it_ends_before_anything_is_written(api: ApiServer) -> None:
    api.has_date = False
    told = await undone(api)

    assert told.result == "not changed"
    assert "no Date header" in told.message
    assert api.writes == []


async def test_no_one_is_asked_twice_while_the_answer_is_quick(api: ApiServer) -> None:
    asked = []

    async def confirm(plan: object) -> bool:
        asked.append(plan)
        return True

    await undone(api, confirm=confirm)

    assert len(asked) == 1


async def test_a_no_changes_nothing(api: ApiServer) -> None:
    async def confirm(_: object) -> bool:
        return False

    told = await undone(api, confirm=confirm)

    assert (told.result, told.message) == ("declined", "declined: nothing was changed")
    assert api.writes == []


async def test_a_plan_that_goes_stale_while_the_user_thinks_is_asked_again(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backout.steps.undo.THOUGHT", 0.0)
    asked: list[int] = []

    async def confirm(plan: Any) -> bool:
        asked.append(plan.preflight.destination.number)
        if len(asked) == 1:
            deploy(api, "127.0.0.1:1/app:bad2")
            api.edit("pods", "web-1-0", _unready)
            deploy(api, "127.0.0.1:1/app:fine")
            deploy(api, "127.0.0.1:1/app:bad3")
        return True

    told = await undone(api, confirm=confirm)

    assert "the plan went stale while you were asked" in told.of("note")
    assert asked[0] == 1
    assert len(asked) == 2
    assert image(api) == "127.0.0.1:1/app:fine"


def _unready(pod: dict[str, Any]) -> None:
    pod["status"]["conditions"][0]["status"] = "False"


async def test_a_workload_that_changes_between_plan_and_lock_is_planned_again(
    api: ApiServer,
) -> None:
    async def confirm(_: object) -> bool:
        if image(api).endswith("bad"):
            deploy(api, "127.0.0.1:1/app:bad2")
        return True

    told = await undone(api, confirm=confirm)

    assert any("went stale" in note and "planning again" in note for note in told.of("note"))
    assert told.result == "succeeded"
    assert records(api)[-1]["from"]["images"] == {"app": "127.0.0.1:1/app:bad2"}


async def test_a_workload_that_changes_under_every_plan_ends_unchanged(api: ApiServer) -> None:
    number = 0

    async def confirm(_: object) -> bool:
        nonlocal number
        number += 1
        deploy(api, f"127.0.0.1:1/app:bad{number}")
        return True

    told = await undone(api, confirm=confirm)

    assert told.result == "not changed"
    assert image(api) == f"127.0.0.1:1/app:bad{number}"
    assert set(states(api)) <= {"NOT_APPLIED"}


async def test_a_cancelled_run_before_the_lock_writes_nothing(api: ApiServer) -> None:
    asking = asyncio.Event()

    async def confirm(_: object) -> bool:
        asking.set()
        await asyncio.Event().wait()
        return True

    task = asyncio.create_task(undone(api, confirm=confirm))
    await asyncio.wait_for(asking.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert api.writes == []


async def test_every_write_carries_the_field_manager_and_an_audit_id(api: ApiServer) -> None:
    await undone(api)

    assert all(r.query["fieldManager"] == "backout" for r in api.writes)
    ids = [r.headers["audit-id"] for r in api.requests]
    assert all(ids)
    assert len(set(ids)) == len(ids)


async def test_the_lease_is_written_with_uid_and_version_after_its_creation(
    api: ApiServer,
) -> None:
    await undone(api)

    assert count(api, "POST leases") == 1
    puts = bodies(api.requests, "PUT leases")
    assert puts
    assert all(b["metadata"]["uid"] and b["metadata"]["resourceVersion"] for b in puts)


async def test_an_answer_without_a_json_body_to_a_read_ends_it_before_anything_is_written(
    api: ApiServer,
) -> None:
    api.before = lambda r: Answer(body=b"<html>") if line_of(r) == "LIST replicasets" else None
    told = await undone(api)

    assert told.result == "not changed"
    assert "127.0.0.1" in told.message
    assert api.writes == []
