from __future__ import annotations

import json
from typing import Any

import pytest

from backout.core.heal.last_applied import LAST_APPLIED, MOST, LeftAlone, Rewritten, rewritten
from backout.core.history import patch
from tests.objects.deployments import deployment
from tests.objects.templates import template

GOOD, BAD = template("reg.example/app:v1"), template("reg.example/app:v2")


def applied(manifest: Any, **notes: str) -> Any:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    return deployment(BAD, metadata={"annotations": {LAST_APPLIED: text, **notes}})


def manifest(pod_template: Any = BAD, **more: Any) -> Any:
    return {"kind": "Deployment", "spec": {"replicas": 3, "template": pod_template}, **more}


def op_of(workload: Any, *, heals: bool = True) -> Any:
    made = patch.undo(workload, GOOD, operation="op", change_cause="", heals=heals)
    ours = [op for op in made.ops if "last-applied" in op["path"]]
    assert len(ours) <= 1
    return ours[0] if ours else None


def test_its_template_is_rolled_back_and_all_else_in_it_stays() -> None:
    workload = applied(manifest(status={"x": 1}, metadata={"labels": {"é": "<>&"}}))
    found = rewritten(workload, GOOD)

    assert isinstance(found, Rewritten)
    assert json.loads(found.text) == manifest(
        GOOD, status={"x": 1}, metadata={"labels": {"é": "<>&"}}
    )
    assert found.text.endswith("}\n")


def test_it_is_written_in_the_same_patch_as_the_template() -> None:
    op = op_of(applied(manifest()))

    assert op["op"] == "replace"
    assert op["path"] == "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"
    assert json.loads(op["value"]) == manifest(GOOD)


def test_nothing_is_written_where_nobody_asked_for_it_or_there_is_none() -> None:
    assert op_of(applied(manifest()), heals=False) is None
    assert op_of(deployment(BAD)) is None


LONG = "x" * (MOST - 5000)


@pytest.mark.parametrize(
    ("workload", "why"),
    [
        (applied("{not json"), "cannot be read"),
        (applied("[" * 100_000), "cannot be read"),
        (applied("[]"), "cannot be read"),
        (applied({"spec": {"replicas": 1}}), "no Pod template"),
        (applied({"spec": {"template": "text"}}), "no Pod template"),
        (applied(json.dumps(manifest(x=float("inf")))), "cannot be written"),
        (applied(manifest(), note=LONG + "x" * 5000), "too long"),
    ],
    ids=["no JSON", "deep", "a list", "no template", "a text", "infinite", "too long"],
)
def test_what_cannot_be_rewritten_is_left_alone_and_the_patch_is_as_without_it(
    workload: Any, why: str
) -> None:
    found = rewritten(workload, GOOD)

    assert isinstance(found, LeftAlone)
    assert why in found.why
    assert op_of(workload) is None


def test_what_just_fits_beside_the_marker_is_rewritten() -> None:
    sizes = []
    for length in range(MOST - 1600, MOST, 50):
        workload = applied(manifest(), note="x" * length)
        op = op_of(workload)
        if op is not None:
            notes = {**workload["metadata"]["annotations"], LAST_APPLIED: op["value"]}
            sizes.append(sum(len(k) + len(v) for k, v in notes.items()))

    assert sizes
    assert MOST - 200 < max(sizes) + len(patch.MARKER) + 36 <= MOST
