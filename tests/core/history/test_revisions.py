from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from backout.core.history import revisions
from backout.core.history.revisions import Choice, Known, NoChoice
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.replica_sets import NUMBER
from tests.core.values_made import revision
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago

if TYPE_CHECKING:
    from backout.core.model import Revision

CURRENT = deployment(template("reg.example/app:v3"))


def test_a_revision_is_found_by_its_number() -> None:
    history = DEPLOYMENT.revisions(CURRENT, [replica_set(2), replica_set(3)], [])
    two = revisions.numbered(history, 2)
    assert two is not None
    assert two.stored["metadata"]["name"] == "web-2"
    assert revisions.numbered(history, 4) is None
    assert revisions.numbered(history, -2) is None


def chosen(history: list[Revision], *bad: str) -> Choice:
    choice = revisions.choose(history, Known(bad=dict.fromkeys(bad, "it failed, 2 h ago")))
    assert isinstance(choice, Choice)
    return choice


def test_after_two_bad_deploys_the_one_whose_pods_still_run_is_chosen() -> None:
    choice = chosen([revision(4, is_current=True), revision(3), revision(2, ready=3), revision(1)])
    assert choice.revision.number == 2
    assert choice.proven
    assert choice.passed_over == ((3, "no Pod of it is Ready"),)
    assert choice.kubectl == 3
    assert "Ready Pods" in choice.why


def test_without_any_proof_the_newest_other_one_is_chosen_and_called_unproven() -> None:
    choice = chosen(
        [
            revision(3, is_current=True, created=ago(minutes=6)),
            revision(2, created=ago(minutes=10)),
            revision(1, created=ago(days=2)),
        ]
    )
    assert choice.revision.number == 2
    assert not choice.proven
    assert "unproven" in choice.why
    assert "was current for 4 min" in choice.why


def test_what_is_known_to_be_bad_is_passed_over_however_ready_its_pods_are() -> None:
    choice = chosen([revision(3, is_current=True), revision(2, ready=3), revision(1)], "hash-2")
    assert choice.revision.number == 1
    assert choice.passed_over == ((2, "known to be bad: it failed, 2 h ago"),)
    assert choice.kubectl == 2


def test_when_every_other_revision_is_known_to_be_bad_there_is_no_choice() -> None:
    history = [revision(3, is_current=True), revision(2, ready=1), revision(1)]
    none = revisions.choose(history, Known(bad={"hash-1": "x", "hash-2": "x"}))
    assert none == NoChoice(known_bad=(2, 1))


def test_recorded_health_is_proof_without_any_pod() -> None:
    history = [revision(3, is_current=True), revision(2), revision(1)]
    known = Known(good={"hash-1": "recorded healthy 2 d ago"})
    choice = revisions.choose(history, known)
    assert isinstance(choice, Choice)
    assert choice.revision.number == 1
    assert choice.proven
    assert choice.why == "newest other revision recorded healthy 2 d ago"
    assert choice.passed_over == ((2, "no Pod of it is Ready"),)


def test_what_is_known_to_be_bad_has_no_proof_even_where_it_is_asked_for() -> None:
    known = Known(bad={"hash-1": "marked"}, good={"hash-1": "recorded healthy"})
    assert not revisions.asked_for(revision(1, ready=3), known).proven


def test_one_revision_alone_leaves_nothing_to_choose() -> None:
    assert revisions.choose([revision(1, is_current=True)]) == NoChoice()
    assert revisions.choose([]) == NoChoice()


def test_a_renumbered_revision_does_not_claim_how_long_it_served() -> None:
    history = [
        revision(3, is_current=True, created=ago(minutes=6)),
        revision(2, earlier=("1",), created=ago(days=30)),
    ]
    assert "was current" not in chosen(history).why


def test_a_gap_in_the_numbers_leaves_unknown_how_long_the_one_before_served() -> None:
    # 1=A, 2=B, 3=C, then B again as 4: A was current until B came, not until C did.
    history = [
        revision(4, is_current=True, created=ago(days=2)),
        revision(3, created=ago(days=1)),
        revision(1, created=ago(days=3)),
    ]
    assert "was current" not in chosen(history, "hash-3").why


def test_what_the_user_names_is_obeyed_and_still_needs_proof() -> None:
    assert not revisions.asked_for(revision(1)).proven
    assert revisions.asked_for(revision(1, ready=2)).proven
    assert "--to-revision" in revisions.asked_for(revision(1)).why


made_revisions = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("abcdef")), unique_by=lambda t: t[1], max_size=6
)


hashes = st.sets(st.sampled_from("abcdef"))


@given(made_revisions, st.integers(0, 6), hashes, hashes)
def test_the_choice_equals_trying_every_revision(
    made: list[tuple[int, str]], current: int, bad: set[str], good: set[str]
) -> None:
    history = [
        revision(len(made) - i, hash=digest, ready=ready, is_current=i == current)
        for i, (ready, digest) in enumerate(made)
    ]
    allowed = [r for r in history if not r.is_current and r.hash not in bad]
    best = max(allowed, key=lambda r: (r.ready > 0 or r.hash in good, r.number), default=None)
    known = Known(bad=dict.fromkeys(bad, "x"), good=dict.fromkeys(good, "recorded healthy"))
    choice = revisions.choose(history, known)
    if best is None:
        assert isinstance(choice, NoChoice)
        assert choice.known_bad == tuple(r.number for r in history if not r.is_current)
        return
    assert isinstance(choice, Choice)
    assert choice.revision == best
    assert choice.proven == (best.ready > 0 or best.hash in good)
    assert [n for n, _ in choice.passed_over] == [
        r.number for r in history if r.number > best.number and not r.is_current
    ]


@given(made_revisions, st.data())
def test_a_twin_of_the_current_revision_is_never_chosen(
    made: list[tuple[int, str]], data: st.DataObject
) -> None:
    twin = data.draw(st.sampled_from(["a", "b"]))
    history = [revision(99, hash=twin, is_current=True)] + [
        revision(len(made) - i, hash=digest, ready=ready) for i, (ready, digest) in enumerate(made)
    ]
    choice = revisions.choose(history)
    assert isinstance(choice, NoChoice) or choice.revision.hash != twin


NOTES = st.sampled_from(
    [None, None, "", "x", "-3", "0", "1", "2", "3", "5", "9", "10", "07", "+4", "1_0"]
)


@example([("5", 0), (None, 0)], 0)  # kubectl goes to the one without a number
@example([("5", 0), ("x", 0)], 0)  # kubectl passes the unreadable one over
@example([("5", 0), ("", 0)], 0)  # the empty text is as unreadable
@example([("5", 0), ("5", 0), ("2", 0)], 1)  # a tie on the top number
@example([("1_0", 0), ("-3", 0), ("9", 1)], 2)
@given(st.lists(st.tuples(NOTES, st.integers(0, 3)), max_size=6), st.integers(0, 7))
def test_kubectls_choice_is_that_of_its_own_loop(
    made: list[tuple[str | None, int]], current: int
) -> None:
    sets = [
        replica_set(note, f"v{i}", name=f"web-{i}", created=NOW + timedelta(seconds=age))
        for i, (note, age) in enumerate(made)
    ]
    workload = deployment(template(f"v{current}"))
    history = DEPLOYMENT.revisions(workload, sets, [])
    new = [s for i, s in enumerate(sets) if i == current]
    assert revisions.kubectl_choice(history) == kubectls_loop(sets, new), json.dumps(sets)


def kubectls_loop(sets: list[dict[str, Any]], new: list[dict[str, Any]]) -> int | None:
    """deploymentRevision of kubectl pkg/polymorphichelpers/rollback.go, line by line."""

    def age(made: dict[str, Any]) -> tuple[str, str]:
        return made["metadata"]["creationTimestamp"], made["metadata"]["name"]

    latest, latest_number = None, -1
    previous, previous_number = None, -1
    for made in [*sorted((s for s in sets if s not in new), key=age), *new]:
        text = made["metadata"]["annotations"].get(NUMBER)
        if text is None:
            number = 0
        elif re.fullmatch(r"[+-]?[0-9]+", text):
            number = int(text)
        else:
            continue
        if latest_number < number:
            previous, previous_number = latest, latest_number
            latest, latest_number = made, number
        elif previous_number < number:
            previous, previous_number = made, number
    return None if previous is None else previous_number
