from __future__ import annotations

from typing import Any

import pytest

from backout.core.kubernetes import objects
from backout.core.kubernetes.labels import Labelled


def holds(operator: str, *values: str, labels: dict[str, str]) -> bool:
    expression: dict[str, Any] = {"key": "tier", "operator": operator}
    if values:
        expression["values"] = list(values)
    return objects.selects({"matchExpressions": [expression]}, labels)


@pytest.mark.parametrize(
    ("operator", "values", "web", "db", "bare"),
    [
        ("In", ("web", "api"), True, False, False),
        ("NotIn", ("web", "api"), False, True, True),
        ("Exists", (), True, True, False),
        ("DoesNotExist", (), False, False, True),
    ],
)
def test_an_expression_means_what_it_means_to_the_api_server(
    operator: str, values: tuple[str, ...], *, web: bool, db: bool, bare: bool
) -> None:
    assert holds(operator, *values, labels={"tier": "web"}) is web
    assert holds(operator, *values, labels={"tier": "db"}) is db
    assert holds(operator, *values, labels={"app": "web"}) is bare


def test_all_terms_must_hold() -> None:
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "Exists"}],
    }

    assert objects.selects(selector, {"app": "web", "tier": "front"})
    assert not objects.selects(selector, {"app": "web"})
    assert not objects.selects(selector, {"app": "api", "tier": "front"})


def labelled(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def names(found: tuple[Any, ...]) -> list[str]:
    return [o["metadata"]["name"] for o in found]


def test_a_list_answers_each_selector_in_its_own_order() -> None:
    kept = Labelled(
        [
            labelled("b", app="web", tier="front"),
            labelled("a", app="web"),
            labelled("c", app="api", tier="front"),
            {"metadata": {"name": "bare"}},
        ]
    )

    assert names(kept.selected({"matchLabels": {"app": "web"}})) == ["b", "a"]
    assert names(kept.selected({"matchLabels": {"app": "web", "tier": "front"}})) == ["b"]
    assert names(kept.selected({"matchLabels": {"app": "other"}})) == []
    everything_else = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}
    assert names(kept.selected(everything_else)) == ["c", "bare"]
