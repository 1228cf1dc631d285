from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backout.core.history.choice import Choice, NoChoice, choose
from backout.core.ledger import memory
from backout.core.ledger.form import written
from backout.core.ledger.records import Ledger
from backout.core.model import Severity
from backout.core.preflight import proof
from backout.core.preflight.rehearsal import NotRehearsed, RehearsalFailed, Rehearsed
from backout.core.preflight.snapshot import Need
from tests.core.checks.running import found_by
from tests.core.values_made import lease, preflight, snapshot
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago

if TYPE_CHECKING:
    from backout.core.preflight.rehearsal import Rehearsal

UP = Rehearsed(words="its trial Pod was Ready after 2.0 s and held for 3 s")


def test_where_proof_is_required_an_unproven_target_blocks_and_no_longer_warns() -> None:
    seen = preflight(pods=(), policy={"require_proof": True})
    (found,) = found_by("PF114", seen)

    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert found.message.startswith("revision 2 is unproven: no Pod of it is Ready now")
    assert "--rehearse" in found.remedy
    assert found_by("PF110", seen) == ()
    assert found_by("PF114", preflight(pods=())) == ()
    assert found_by("PF114", preflight(policy={"require_proof": True})) == ()


def test_pods_that_cannot_be_read_are_no_proof() -> None:
    hidden = {Need.PODS: "403 for pods"}
    seen = preflight(pods=(), unreadable=hidden, policy={"require_proof": True})
    (found,) = found_by("PF114", seen)

    assert "its Pods could not be read" in found.message


@pytest.mark.parametrize(
    ("rehearsal", "ids"),
    [
        (None, ()),
        (UP, ()),
        (RehearsalFailed(why="it crashes"), ("PF124",)),
        (NotRehearsed(why="maxSurge is 0"), ("PF125",)),
        (NotRehearsed(why="you may not create pods", is_refused=True), ("PF127",)),
    ],
)
def test_what_the_rehearsal_showed_decides(
    rehearsal: Rehearsal | None, ids: tuple[str, ...]
) -> None:
    seen = preflight(rehearsal=rehearsal)
    found = [f for one in ("PF124", "PF125", "PF127") for f in found_by(one, seen)]

    assert tuple(f.id for f in found) == ids
    assert all(f.remedy for f in found)


def test_what_was_demanded_and_cannot_be_had_blocks_and_can_be_accepted() -> None:
    refused = NotRehearsed(why="you may not create pods", is_refused=True)
    (found,) = found_by("PF127", preflight(rehearsal=refused))

    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert "--rehearse was asked for" in found.message
    assert found.risk


def test_a_failed_rehearsal_says_what_going_on_risks() -> None:
    (found,) = found_by("PF124", preflight(rehearsal=RehearsalFailed(why="it crashes")))

    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert found.message == "the rehearsal of revision 2 failed: it crashes"
    assert found.risk


def test_a_rehearsal_is_proof_and_stands_in_the_reason() -> None:
    young = tuple(replica_set(n, created=ago(minutes=9 - n)) for n in (1, 2, 3))
    seen = preflight(pods=(), stored=young, rehearsal=UP)
    choice = proof.rehearsed(seen.choice, seen.snapshot)

    assert (seen.choice.proven, choice.proven) == (False, True)
    assert choice.why.startswith("newest other revision, was current for 1 min; ")
    assert choice.why.endswith("; rehearsed just now: " + UP.words)


def test_a_rehearsal_does_not_make_a_revision_good_that_is_known_to_be_bad() -> None:
    known = memory.marked(Ledger(), snapshot().revisions[1].hash, 2, at=ago(hours=1), bad="leaks")
    seen = preflight(to=2, rehearsal=UP, lease=lease(text=written(known)))

    assert not proof.rehearsed(seen.choice, seen.snapshot).proven


def recorded(*numbers: int, bad: tuple[int, ...] = ()) -> Choice | NoChoice:
    hashes = {r.number: r.hash for r in snapshot().revisions}
    whole = Ledger()
    for number in numbers:
        whole = memory.marked(whole, hashes[number], number, at=ago(hours=1))
    for number in bad:
        whole = memory.marked(whole, hashes[number], number, at=NOW, bad="leaks")
    seen = snapshot(lease=lease(text=written(whole)))
    return choose(seen.revisions, seen.known, is_recorded=True)


def test_the_last_healthy_is_the_newest_other_one_that_was_recorded() -> None:
    chosen = recorded(1)
    assert isinstance(chosen, Choice)
    assert (chosen.revision.number, chosen.proven) == (1, True)
    # Its three Pods are Ready, and that is no record.
    assert chosen.passed_over == ((2, "it was not recorded healthy"),)
    assert "recorded healthy 1 h ago" in chosen.why

    both = recorded(1, 2, 3)
    assert isinstance(both, Choice)
    assert both.revision.number == 2


def test_what_was_recorded_and_is_bad_since_is_not_gone_to() -> None:
    chosen = recorded(1, 2, bad=(2,))
    assert isinstance(chosen, Choice)
    assert chosen.revision.number == 1
    assert chosen.passed_over == ((2, "known to be bad: leaks, 0 s ago"),)
    assert recorded(2, 3, bad=(2,)) == NoChoice(known_bad=(2,))
    assert recorded() == NoChoice()


@pytest.mark.parametrize("text", ["http://192.0.2.1/", "//evil", "a b", "/a b", "healthz", "a:1/x"])
def test_an_annotation_that_is_no_path_is_ignored_and_said(text: str) -> None:
    noted = {"annotations": {"backout.dev/health": text}}
    workload = deployment(template("reg.example/app:v3"), metadata=noted)
    (found,) = found_by("PF126", preflight(workload=workload))

    assert found.severity is Severity.WARN
    assert "is ignored" in found.message


@pytest.mark.parametrize("text", ["/healthz", "http/ready?deep=1", "8080/", "/"])
def test_an_annotation_that_is_a_path_is_no_finding(text: str) -> None:
    noted = {"annotations": {"backout.dev/health": text}}
    workload = deployment(template("reg.example/app:v3"), metadata=noted)

    assert found_by("PF126", preflight(workload=workload)) == ()
    assert found_by("PF126", preflight()) == ()
