"""The Lease: lock, breaker and record of a workload."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import accepting

if TYPE_CHECKING:
    from tests.cluster.space import Space

RATE_LIMIT = "ERROR: rollback rate limit exceeded — manual intervention required"


def two_rollbacks_and_a_third_bad_deploy(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    for tag in ("missing-1", "missing-2"):
        space.roll(space.version(tag))
        space.undo().expect(0)
    space.roll(space.version("missing-3"))


def test_the_third_rollback_in_an_hour_is_refused_in_the_promised_words(space: Space) -> None:
    two_rollbacks_and_a_third_bad_deploy(space)

    ran = space.undo().expect(3)

    assert RATE_LIMIT in ran.err.splitlines()
    assert "2 rollbacks in the last 1 h, 2 allowed" in ran.err
    assert re.search(r"the next is allowed at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ran.err)
    assert "--accept PF801 --reason 'WHY'" in ran.line("to roll back anyway: ")
    assert space.image_now() == space.image("missing-3")
    assert [r["state"] for r in space.records()] == ["SUCCEEDED", "SUCCEEDED"]
    assert len(space.audited("patch", "deployments")) == 2


@pytest.mark.every_case
def test_an_accepted_breaker_is_passed_and_recorded_with_the_reason(space: Space) -> None:
    two_rollbacks_and_a_third_bad_deploy(space)

    ran = space.undo(*accepting("PF801")).expect(0)

    assert "accepted PF801: " in ran.err
    assert RATE_LIMIT not in ran.err.splitlines()
    record = space.records()[-1]
    assert (record["state"], record["accepted"], record["reason"]) == (
        "SUCCEEDED",
        ["PF801"],
        "see what happens",
    )
    assert space.image_now() == space.image("v1")


def rolled_back_and_forth_for_a_cause_elsewhere(space: Space) -> tuple[str, ...]:
    """No revision is healthy while the database, a file here, is gone; return how it is asked.

    The way back from the first rollback does not count.
    """
    asked = ("--health-command", f"test -e {space.folder}/database", "--health-timeout", "2s")
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.undo("--to-revision", "1", *asked).expect(4)
    space.undo("--to-revision", "2", *asked).expect(4)
    return ("--to-revision", "3", *asked)


@pytest.mark.every_case
def test_one_rollback_more_than_allowed_does_not_help_until_the_cause_elsewhere_is_mended(
    space: Space,
) -> None:
    words = (*rolled_back_and_forth_for_a_cause_elsewhere(space), "--rollback-limit", "1")
    refused = space.undo(*words).expect(3)
    failed = space.undo(*words, *accepting("PF801")).expect(4)

    assert RATE_LIMIT in refused.err.splitlines()
    assert "accepted PF801: " in failed.err
    assert len(space.records()) == 3

    (space.folder / "database").touch()
    back = ("--to-revision", "4", *words[2:-2], "--rollback-limit", "4")
    assert "PF801" not in space.undo(*back).expect(0).findings()


@pytest.mark.every_case
def test_the_breaker_outlives_a_deployment_that_is_made_again(space: Space) -> None:
    two_rollbacks_and_a_third_bad_deploy(space)
    space.kubectl("delete", "deploy/shop", "--timeout=30s").expect(0)
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing-3"))

    assert RATE_LIMIT in space.undo().expect(3).err.splitlines()


@pytest.mark.every_case
def test_what_is_refused_or_only_tried_does_not_count(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))
    for _ in range(2):
        space.undo("--to-revision", "9").expect(3)
        space.undo("--dry-run").expect(0)

    space.undo().expect(0)

    assert len(space.records()) == 1


@pytest.mark.never_again
def test_of_two_undos_at_once_exactly_one_acts(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))

    both = [space.start_undo("--health-successes", "2") for _ in range(2)]
    ended = sorted((r.ended() for r in both), key=lambda ran: ran.code)

    assert [ran.code for ran in ended] == [0, 3], "\n".join(map(str, ended))
    acted, refused = ended
    assert "rollback triggered" in acted.out
    assert "rollback triggered" not in refused.both
    assert "Nothing was changed" in refused.err
    assert refused.findings() & {"PF802", "PF104", "PF102"}, str(refused)
    patches = space.audited("patch", "deployments")
    assert [p["responseStatus"]["code"] for p in patches] == [200]
    assert [r["state"] for r in space.records()] == ["SUCCEEDED"]


@pytest.mark.never_again
def test_a_lock_that_is_held_is_told_with_its_holder(space: Space) -> None:
    space.deploy(space.version("v1", env={"READY": "never"}), serve=False, up=False)
    space.roll(space.version("v2"), up=True)
    first = space.start_undo("--to-revision", "1")
    first.until("rollback triggered")

    for words in ((), ("--to-revision", "2")):
        second = space.undo(*words).expect(3)
        assert "another rollback is under way: root (as admin) on " in second.err, str(second)
        assert "PF802" in second.findings()
        assert "to roll back anyway" not in second.err
    first.send(signal.SIGINT)
    first.ended().expect(130)
    assert [r["state"] for r in space.records()] == ["APPLIED"]


def test_the_trace_id_is_one_in_line_journal_lease_and_event(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    ran = space.undo("--trace-id", "inc-42").expect(0)

    assert "to revision=1, traceID=inc-42" in ran.line("rollback triggered")
    assert {line["traceID"] for line in space.journal_lines()} == {"inc-42"}
    assert space.records()[-1]["traceID"] == "inc-42"
    assert all("traceID=inc-42" in e["message"] for e in space.events())


@pytest.mark.every_case
def test_a_trace_that_is_under_way_is_joined(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    ran = space.undo(env={"TRACEPARENT": f"00-{trace}-00f067aa0ba902b7-01"}).expect(0)

    assert ran.line("rollback triggered").endswith(f"traceID={trace}")
    assert space.records()[-1]["traceID"] == trace


@pytest.mark.every_case
def test_without_any_the_trace_id_is_a_new_one_and_the_same_everywhere(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    line = space.undo().expect(0).line("rollback triggered")

    trace = line.rpartition("traceID=")[2]
    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert {entry["traceID"] for entry in space.journal_lines()} == {trace}
    assert space.records()[-1]["traceID"] == trace


@pytest.mark.every_case
def test_a_ledger_of_a_newer_schema_is_refused_and_left_as_it_is(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))
    space.undo().expect(0)
    space.roll(space.version("missing-2"))
    lease = space.lease()
    assert lease is not None
    newer = '{"schema":99,"records":"in a form of its own"}'
    space.merge(
        {"metadata": {"annotations": {"backout.dev/ledger": newer}}},
        kind="Lease",
        name=lease["metadata"]["name"],
    )

    ran = space.undo().expect(3)

    assert "PF805" in ran.findings()
    assert "99" in ran.err
    after = space.lease()
    assert after is not None
    assert after["metadata"]["annotations"]["backout.dev/ledger"] == newer


def test_beyond_the_window_a_healthy_one_goes_further_back_only_with_a_reason(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("v2"), up=True)
    space.roll(space.version("missing"))
    space.undo().expect(0)
    window = ("--rollback-window", "1s")

    again = space.undo().expect(3)
    refused = space.undo(*window).expect(3)
    further = space.undo(*window, *accepting("PF807")).expect(0)

    assert "already rolled back to revision 2" in again.err
    assert "PF807" in refused.findings()
    assert "revision=1" in further.line("rollback triggered")
    assert space.image_now() == space.image("v1")
