"""The page for a wall: what it counts, in which order its rows stand, and their addresses."""

from __future__ import annotations

import re

from backout.cli.output.reports import wall
from backout.core.events.planning import WorkloadFinding


def row(name: str, state: wall.Readiness, namespace: str = "shop") -> wall.WallRow:
    finding = WorkloadFinding(
        id="PF301",
        severity="WARN",
        message="the image is gone",
        detail="",
        remedy="r",
        refuses=True,
    )
    return wall.WallRow(
        namespace=namespace,
        workload=f"deployment/{name}",
        state=state,
        now=4,
        now_images=["shop:v4"],
        back_to=3,
        back_to_images=["shop:v3"],
        blocks=[finding] if state is wall.BLOCKED else [],
        others=[finding] if state is wall.WARNINGS else [],
        skipped=[],
    )


def page(*rows: wall.WallRow, namespace: str = "") -> str:
    about = {"cluster": "prod", "namespace": namespace}
    return wall.wall_page(rows, about=about, where="user ann", time="2026-01-01 00:00 UTC")


MANY = [
    row("a", wall.READY),
    row("b", wall.WARNINGS),
    row("c", wall.BLOCKED),
    row("d", wall.UNKNOWN),
    row("e", wall.READY),
]


def test_its_title_says_what_of_which_cluster_it_shows() -> None:
    assert "<title>Rollback readiness: prod</title>" in page()
    assert "<h1>Rollback readiness: prod, namespace shop</h1>" in page(namespace="shop")
    assert "No workload was checked." in page()
    assert "this cluster" in wall.wall_page([], about={}, where="", time="")


def test_each_state_is_counted_and_only_those_there_are_can_be_chosen() -> None:
    told = page(*MANY)

    assert "3 of 5 workloads could be rolled back now." in told
    assert re.findall(r'<label [^>]*for="show-(\w+)">([^<]*)</label>', told) == [
        ("all", "all 5"),
        ("blocked", "1 blocked"),
        ("unknown", "1 not checked"),
        ("warnings", "1 warnings"),
        ("ready", "2 ready"),
    ]


def test_the_worst_come_first_each_with_its_state_and_its_address() -> None:
    assert re.findall(r'<tr id="([^"]*)" class="(\w+)">', page(*MANY)) == [
        ("shop.deployment-c", "blocked"),
        ("shop.deployment-d", "unknown"),
        ("shop.deployment-b", "warnings"),
        ("shop.deployment-a", "ready"),
        ("shop.deployment-e", "ready"),
    ]


def test_both_images_stand_beside_their_revisions() -> None:
    told = page(row("a", wall.READY))

    assert '<td data-label="now"><b>4</b> shop:v4</td>' in told
    assert '<td data-label="back to"><b>3</b> shop:v3</td>' in told


def test_what_blocks_is_told_and_what_warns_is_folded() -> None:
    blocked, warned = page(row("a", wall.BLOCKED)), page(row("a", wall.WARNINGS))

    assert "<details>" not in blocked
    assert "the image is gone" in blocked
    assert "the image is gone" in warned.partition("<details>")[2]
