"""Which workloads a manifest names."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.manifest import named


def made(kind: str, name: str, version: str = "apps/v1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}


def told(*documents: Any) -> list[tuple[str, str]]:
    return [(str(one), one.namespace) for one in named(documents)]


WEB, DB, AGENT = made("Deployment", "web"), made("StatefulSet", "db"), made("DaemonSet", "agent")


def test_workloads_are_named_in_their_order_and_other_kinds_are_passed_over() -> None:
    service = made("Service", "web", "v1")

    assert told(service, DB, None, WEB, AGENT, WEB) == [
        ("statefulset/db", ""),
        ("deployment/web", ""),
        ("daemonset/agent", ""),
    ]


def test_an_object_keeps_its_namespace() -> None:
    assert told(made("Deployment", "web", namespace="shop")) == [("deployment/web", "shop")]


def test_a_list_holds_objects_and_other_lists() -> None:
    inner = {"apiVersion": "v1", "kind": "List", "items": [DB]}

    assert told({"apiVersion": "v1", "kind": "List", "items": [WEB, inner]}) == [
        ("deployment/web", ""),
        ("statefulset/db", ""),
    ]


def test_what_is_in_a_list_of_one_kind_need_not_repeat_it() -> None:
    items = [{"metadata": {"name": "web"}}]

    assert told({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items}) == [
        ("deployment/web", "")
    ]


def test_a_deployment_of_another_group_is_none() -> None:
    assert told(made("Deployment", "web", "example.org/v1")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        7,
        [WEB],
        {"kind": "Deployment"},
        {"apiVersion": "apps/v1", "kind": "Deployment"},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generateName": "web-"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": 7}},
        {"apiVersion": "v1", "kind": "List", "items": ["web"]},
    ],
)
def test_what_is_no_object_or_has_no_name_is_said(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        named([wrong])
