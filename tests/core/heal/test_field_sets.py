from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.heal.field_sets import ABSENT, parsed, under, value_at, written

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "i:0"])
PATHS = st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)
SETS = st.frozensets(PATHS, max_size=12)


@given(SETS)
def test_what_is_written_is_read_again(paths: Any) -> None:
    assert parsed(written(paths)) == paths


@given(SETS, SETS)
def test_union_and_difference_are_those_of_sets(one: Any, other: Any) -> None:
    assert parsed(written(one | other)) == parsed(written(one)) | parsed(written(other))
    assert parsed(written(one - other)) == parsed(written(one)) - parsed(written(other))


@given(SETS, PATHS)
def test_what_is_under_a_path_and_the_rest_are_the_whole(paths: Any, prefix: Any) -> None:
    below = under(paths, prefix)

    assert below | {p for p in paths if p[: len(prefix)] != prefix} == paths
    assert all(p[: len(prefix)] == prefix for p in below)


def test_an_item_is_in_the_set_by_its_dot_beside_its_fields() -> None:
    fields: Any = {"f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}, "f:x": {}}
    item = ("f:env", 'k:{"name":"A"}')

    assert parsed(fields) == {item, (*item, "f:name"), (*item, "f:value"), ("f:x",)}
    assert written(parsed(fields)) == fields


TEMPLATE: Any = {"ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}], "x": {}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("f:x",), {}),
        (("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name"), "http"),
        (("f:ports", 'k:{"containerPort":81,"protocol":"TCP"}'), ABSENT),
        (("f:ports", "k:no json"), ABSENT),
        (("f:ports", "k:7"), ABSENT),
        (("f:x", 'k:{"a":1}'), ABSENT),
        (("f:ports", "f:name"), ABSENT),
        (("f:ports", 'v:"a"'), ABSENT),
    ],
)
def test_a_path_leads_to_its_value(path: Any, value: Any) -> None:
    assert value_at(TEMPLATE, path) == value or value_at(TEMPLATE, path) is value
