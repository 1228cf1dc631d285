from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from backout.core.difference.fields import Difference, differences
from backout.core.kubernetes import template
from tests.objects.generated import FULL, at, changed_leaves, leaves, respelled

APP = ("spec", "containers", "app")


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(FULL)
    at(made, path[:-1])[path[-1]] = value
    return made


@given(respelled(FULL))
def test_a_quantity_that_is_spelled_in_another_way_is_no_difference(other: Any) -> None:
    assert differences(FULL, other) == ()


@pytest.mark.parametrize("path", leaves(FULL), ids=lambda p: ".".join(map(str, p)))
def test_there_is_a_difference_wherever_the_controller_sees_another_template(
    path: tuple[Any, ...],
) -> None:
    for other in changed_leaves(FULL, path):
        assert differences(FULL, other)


def test_an_item_of_a_list_is_named_by_the_key_that_merges_it() -> None:
    other = changed(("spec", "containers", 0, "env", 0, "value"), "2000m")

    assert differences(FULL, other) == (
        Difference(path=(*APP, "env", "CPU", "value"), before="1000m", after="2000m"),
    )


def test_one_more_item_at_the_front_is_one_difference() -> None:
    added = {"name": "NEW", "value": "1"}
    other = copy.deepcopy(FULL)
    other["spec"]["containers"][0]["env"].insert(0, added)

    assert differences(FULL, other) == (
        Difference(path=(*APP, "env", "NEW"), before=None, after=added),
    )


def test_items_in_another_order_are_told_as_the_whole_list() -> None:
    other = copy.deepcopy(FULL)
    other["spec"]["containers"][0]["env"].reverse()

    (one,) = differences(FULL, other)

    assert one.path == (*APP, "env")
    assert template.digest(other) != template.digest(FULL)


def test_a_port_without_a_protocol_is_the_one_with_tcp() -> None:
    other = changed(("spec", "containers", 0, "ports"), [{"containerPort": 8080, "name": "web"}])

    assert [d.path for d in differences(FULL, other)] == [
        (*APP, "ports", "8080/TCP", "name"),
        (*APP, "ports", "8080/TCP", "protocol"),
    ]


def test_a_name_that_stands_twice_makes_the_list_one_value() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    other = changed(("spec", "containers", 0, "env"), twice)

    assert [d.path for d in differences(FULL, other)] == [(*APP, "env")]
