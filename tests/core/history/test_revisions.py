from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from backout.core.history import revisions
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.replica_sets import NUMBER
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago

CURRENT = deployment(template("reg.example/app:v3"))


def test_a_revision_is_found_by_its_number() -> None:
    history = DEPLOYMENT.revisions(CURRENT, [replica_set(2), replica_set(3)], [])
    two = revisions.numbered(history, 2)
    assert two is not None
    assert two.stored["metadata"]["name"] == "web-2"
    assert revisions.numbered(history, 4) is None
    assert revisions.numbered(history, -2) is None


def test_a_number_that_several_have_means_the_oldest_as_it_does_to_kubectl() -> None:
    old = replica_set(2, "v1", name="web-b", created=ago(days=9))
    young = replica_set(2, "v2", name="web-a", created=ago(days=1))
    for given_order in ([old, young], [young, old]):
        two = revisions.numbered(DEPLOYMENT.revisions(CURRENT, given_order, []), 2)
        assert two is not None
        assert two.stored["metadata"]["name"] == "web-b"


def test_a_number_that_the_current_revision_has_as_well_means_the_other_one() -> None:
    now = replica_set(3, name="web-a", created=ago(days=9))
    other = replica_set(3, "v2", name="web-b", created=ago(days=1))
    three = revisions.numbered(DEPLOYMENT.revisions(CURRENT, [now, other], []), 3)
    assert three is not None
    assert three.stored["metadata"]["name"] == "web-b"


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
