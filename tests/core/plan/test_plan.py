from __future__ import annotations

import shlex
from typing import Any

import pytest

from backout.core.checks import CHECKS, run_all
from backout.core.checks.check import Fact, finding
from backout.core.history.choice import Choice
from backout.core.images.names import ImageAnswer, ImageState
from backout.core.kubernetes.template import digest as template_digest
from backout.core.ledger.records import Side, State
from backout.core.model import Acceptance, Finding, Severity, Skipped
from backout.core.plan import plan
from backout.core.plan.plan import Plan, Refusal
from backout.core.plan.selection import select
from backout.core.preflight.request import Request
from backout.core.preflight.snapshot import Need
from tests.core.values_made import lease, preflight, record, snapshot
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

V3 = template("reg.example/app:v3")


def selected(to: int | None = None, **changes: Any) -> Choice | Finding:
    return select(snapshot(**changes), Request(to_revision=to))


def found(to: int | None = None, **changes: Any) -> Finding:
    result = selected(to, **changes)
    assert isinstance(result, Finding)
    assert (result.severity, result.acceptable) == (Severity.BLOCK, False)
    assert result.remedy
    return result


def test_a_named_revision_is_obeyed_and_otherwise_the_proven_one_is_chosen() -> None:
    for to, number in ((1, 1), (2, 2), (None, 2)):
        choice = selected(to)
        assert isinstance(choice, Choice)
        assert choice.revision.number == number


@pytest.mark.parametrize("number", [7, -1])
def test_an_unknown_revision_is_refused_with_the_list_of_those_that_exist(number: int) -> None:
    one = found(number)
    assert one.id == "PF101"
    assert f"no revision {number} of deployment/web; existing: 3, 2, 1" in one.message
    assert "backout history deployment/web -n shop" in one.remedy
    assert "none" in found(7, stored=()).message


def test_the_current_revision_is_refused_in_the_exact_words() -> None:
    one = found(3)
    assert (one.id, one.message) == ("PF102", "already on target revision")


def test_on_target_is_told_by_the_template_and_not_by_the_number() -> None:
    twin = replica_set(5, "reg.example/app:v3", name="web-5", created=ago(hours=1))
    assert found(5, stored=(replica_set(3), twin)).id == "PF102"
    spelled = template("reg.example/app:v3", resources={"limits": {"cpu": "1000m"}, "claims": []})
    same = replica_set(3)
    same["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    asked = deployment(spelled)
    assert found(3, workload=asked, stored=(replica_set(2), same)).id == "PF102"


def test_without_history_the_refusal_is_in_kubectls_words() -> None:
    one = found(stored=())
    assert (one.id, one.message) == (
        "PF103",
        'no rollout history found for deployment "web"',
    )


def test_with_one_revision_only_there_is_nothing_to_go_back_to() -> None:
    one = found(stored=(replica_set(3),), workload=deployment(V3, revisionHistoryLimit=1))
    assert one.id == "PF104"
    assert "revisionHistoryLimit is 1" in one.message


def bad(*numbers: int) -> dict[str, Any]:
    hashes = {r.number: r.hash for r in snapshot().revisions}
    return lease(*(record(f"op-{n}", source=Side(revision=n, hash=hashes[n])) for n in numbers))


def test_what_the_ledger_knows_to_be_bad_is_not_chosen() -> None:
    choice = selected(lease=bad(2))
    assert isinstance(choice, Choice)
    assert choice.revision.number == 1
    one = found(lease=bad(2, 1))
    assert one.id == "PF104"
    assert "(2, 1)" in one.message
    assert "--to-revision 2" in one.remedy
    assert one.detail == (
        "revision 2 changes: image app:v3 -> app:v2. revision 1 changes: image app:v3 -> app:v1"
    )


def with_notes(number: int, **notes: str) -> dict[str, Any]:
    """Return a ReplicaSet whose template has these annotations."""
    made = replica_set(number)
    made["spec"]["template"]["metadata"]["annotations"] = notes
    return made


def barred(*numbers: int) -> dict[str, Any]:
    """Revision 3 is current; those of `numbers` have a barrier that the others have not."""
    notes = {"backout.dev/barrier": "schema 39"}
    sets = [with_notes(n, **(notes if n in numbers else {})) for n in (1, 2, 3)]
    wanted = template("reg.example/app:v3")
    wanted["metadata"]["annotations"] = notes if 3 in numbers else {}
    return {"workload": deployment(wanted), "stored": tuple(sets)}


def test_where_all_lies_beyond_a_barrier_the_refusal_has_its_id_and_the_line_that_crosses() -> None:
    for asked in (Request(), Request(to_last_healthy=True)):
        known = lease(record(destination=Side(revision=2, hash=hash_of(2)), health="Healthy"))
        one = select(snapshot(lease=known, **barred(3)), asked)
        assert isinstance(one, Finding)
        assert (one.id, one.severity) == ("PF116", Severity.BLOCK)
        assert "revision 3 has the barrier 'schema 39'" in one.message
        line = "backout undo deployment/web -n shop --to-revision 2 --accept PF116 --reason 'WHY'"
        assert one.remedy.endswith(line)
    assert isinstance(selected(**barred(3, 2)), Choice)
    assert isinstance(selected(to=2, **barred(3)), Choice)


def hash_of(number: int) -> str:
    return template_digest(template(f"reg.example/app:v{number}"))


def test_where_all_others_run_what_runs_now_there_is_nothing_to_go_back_to() -> None:
    twin = replica_set(2, "reg.example/app:v3")
    twin["spec"]["template"]["metadata"]["annotations"] = {"checksum/config": "8f14e45f"}
    one = found(stored=(twin, replica_set(3)))
    assert one.id == "PF104"
    assert "differs from the current one only in annotations that restart Pods" in one.message
    both = found(stored=(replica_set(1), twin, replica_set(3)), lease=bad(1))
    assert "known to be bad (1), or differs" in both.message


def imaged(image: str, **changes: Any) -> Choice | Finding:
    return select(snapshot(**changes), Request(to_image=image))


def test_a_target_is_named_by_its_image() -> None:
    for image, number in (("app:v1", 1), ("reg.example/app:v2", 2), ("app", 2)):
        choice = imaged(image)
        assert isinstance(choice, Choice)
        assert choice.revision.number == number
        assert choice.why.startswith(f"with image {image}: ")


def test_an_image_that_only_what_is_bad_has_is_gone_to_all_the_same() -> None:
    choice = imaged("app:v2", lease=bad(2))
    assert isinstance(choice, Choice)
    assert choice.revision.number == 2
    assert choice.why == "asked for by --to-image app:v2"


def test_an_image_that_nothing_has_is_no_revision_and_the_current_one_is_no_target() -> None:
    none = imaged("app:v9")
    assert isinstance(none, Finding)
    assert none.id == "PF101"
    assert "has an image app:v9; existing: 3 (reg.example/app:v3), 2 (" in none.message
    now = imaged("app:v3")
    assert isinstance(now, Finding)
    assert now.id == "PF102"
    assert now.remedy.startswith("leave --to-image out")


@pytest.mark.parametrize("to", [None, 3, 7])
def test_while_another_rollback_is_under_way_nothing_is_chosen(to: int | None) -> None:
    # Its open record makes its source look bad, and its target may be current already.
    spec = {"holderIdentity": "op-7", "leaseDurationSeconds": 60, "renewTime": stamp(NOW)}
    opened = record("op-7", state=State.APPLIED)
    assert found(to, lease=lease(opened, spec=spec)).id == "PF802"
    expired = spec | {"renewTime": stamp(ago(minutes=2))}
    assert isinstance(selected(lease=lease(opened, spec=expired)), Choice)


BLOCK = Finding(id="PF301", severity=Severity.BLOCK, message="an image is gone")
FOREVER = Finding(id="PF802", severity=Severity.BLOCK, message="locked", acceptable=False)
WARN = Finding(id="PF110", severity=Severity.WARN, message="unproven")
SKIPPED = Skipped(id="PF303", title="t", reason="r")


def decided(*findings: Finding, **policy: Any) -> Plan | Refusal:
    return plan.decide(preflight(policy=policy), findings, (SKIPPED,))


def accepting(*ids: str) -> tuple[Acceptance, ...]:
    return tuple(Acceptance(id=i, reason="it must") for i in ids)


def test_without_a_block_there_is_a_plan_that_keeps_all_that_was_found() -> None:
    made = decided(WARN)
    assert isinstance(made, Plan)
    assert (made.findings, made.skipped, made.accepted) == ((WARN,), (SKIPPED,), ())


def test_a_block_refuses_and_an_accepted_one_does_not() -> None:
    refusal = decided(WARN, BLOCK)
    assert isinstance(refusal, Refusal)
    assert (refusal.blocks, refusal.findings, refusal.skipped) == (
        (BLOCK,),
        (WARN, BLOCK),
        (SKIPPED,),
    )
    made = decided(WARN, BLOCK, accepted=accepting("PF301"))
    assert isinstance(made, Plan)
    assert made.accepted == (BLOCK,)


def test_accepting_one_id_accepts_no_other() -> None:
    other = Finding(id="PF121", severity=Severity.BLOCK, message="half-started")
    refusal = decided(BLOCK, other, accepted=accepting("PF301", "PF999"))
    assert isinstance(refusal, Refusal)
    assert refusal.blocks == (other,)


def test_what_is_not_acceptable_refuses_whatever_is_accepted() -> None:
    refusal = decided(FOREVER, accepted=accepting("PF802"))
    assert isinstance(refusal, Refusal)
    assert refusal.blocks == (FOREVER,)
    assert refusal.way_on == ""


COMMAND = ("undo", "deploy/web", "-n", "shop", "--health", "8080/a b")


def lifted(one: str) -> Finding:
    """Return a finding of the check that has this id."""
    (check,) = (c for c in CHECKS if c.id == one)
    return finding(check, Fact(message="so it is"))


def way_on(*blocks: Finding, **policy: Any) -> str:
    return plan.way_on(Request(command=COMMAND, **policy), blocks)


def test_the_line_that_goes_on_has_all_flags_filled_in_and_is_safe_to_paste() -> None:
    line = way_on(BLOCK)
    assert shlex.split(line) == ["backout", *COMMAND, "--accept", "PF301", "--reason", "WHY"]
    assert way_on(BLOCK, reason="outage").endswith("--accept PF301")


def test_the_line_names_each_id_once_and_resumes_a_paused_workload() -> None:
    paused = lifted("PF105")
    assert way_on(paused).endswith("--unpause")
    words = shlex.split(way_on(BLOCK, BLOCK, paused))
    assert words.count("PF301") == words.count("--accept") == words.count("--unpause") == 1
    assert words[-2:] == ["--reason", "WHY"]


@pytest.mark.parametrize("one", ["PF807", "PF906"])
def test_what_a_reason_lifts_is_not_accepted_by_its_id(one: str) -> None:
    risked = lifted(one)
    assert shlex.split(way_on(risked)) == ["backout", *COMMAND, "--reason", "WHY"]
    assert way_on(risked, BLOCK).endswith("--accept PF301 --reason 'WHY'")


def test_the_options_of_the_line_stand_before_two_dashes() -> None:
    line = plan.way_on(Request(command=("undo", "--", "deploy/web")), (BLOCK,))

    assert line == "backout undo --accept PF301 --reason 'WHY' -- deploy/web"


def test_the_record_keeps_the_runs_reason_and_the_standing_ones_that_were_used() -> None:
    standing = (Acceptance(id="PF301", reason="moves"), Acceptance(id="PF801", reason="unused"))
    with_both = decided(BLOCK, accepted=standing, reason="INC-7")
    without = decided(BLOCK, accepted=standing)

    assert isinstance(with_both, Plan)
    assert isinstance(without, Plan)
    assert (with_both.reason, without.reason) == ("INC-7; PF301: moves", "PF301: moves")


def test_there_is_no_such_line_where_one_block_cannot_be_lifted() -> None:
    assert way_on(BLOCK, FOREVER) == ""


def outage(**changes: Any) -> str:
    refusal = plan.refuse(snapshot(**changes), FOREVER)
    assert (refusal.blocks, refusal.way_on) == ((FOREVER,), "")
    return refusal.outage


def test_when_no_pod_is_ready_the_refusal_says_that_it_leaves_the_outage() -> None:
    assert "no Pod of deployment/web is Ready" in outage(pods=())
    assert outage() == ""
    assert outage(pods=(), workload=deployment(V3, replicas=0)) == ""


def test_no_outage_is_claimed_where_the_pods_could_not_be_read() -> None:
    assert outage(pods=(), unreadable={Need.PODS: "403"}) == ""


def test_every_acceptable_block_says_what_going_on_risks() -> None:
    gone = ImageAnswer(image="reg.example/app:v2", state=ImageState.MISSING, detail="gone")
    seen = preflight(
        workload=deployment(
            V3, paused=True, metadata={"deletionTimestamp": "2026-03-01T11:00:00Z"}
        ),
        is_observed=False,
        pods=(),
        images={gone.image: gone},
        lease=lease(record("a"), record("b")),
    )
    findings, skipped = run_all(seen)
    blocks = [f for f in findings if f.severity is Severity.BLOCK]
    assert {f.id for f in blocks} == {"PF105", "PF106", "PF111", "PF301", "PF801"}
    assert all(f.risk for f in blocks)
    assert skipped == ()


def test_the_usual_night_has_a_plan_and_no_finding() -> None:
    findings, skipped = run_all(preflight())
    assert (findings, skipped) == ((), ())
    assert isinstance(plan.decide(preflight(), findings, skipped), Plan)


def test_only_a_revision_that_was_recorded_healthy_will_do_where_that_is_asked_for() -> None:
    asked = Request(to_last_healthy=True)
    healthy = Side(revision=1, hash=template_digest(template("reg.example/app:v1")))
    recorded = lease(record(destination=healthy, health="Healthy"))
    none = select(snapshot(), asked)
    choice = select(snapshot(lease=recorded), asked)

    assert isinstance(none, Finding)
    assert (none.id, none.acceptable) == ("PF113", False)
    assert isinstance(choice, Choice)
    assert choice.revision.number == 1
