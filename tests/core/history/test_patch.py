from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.history import patch
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kubernetes import template
from tests.objects.deployments import deployment
from tests.objects.templates import template as made_template

CAUSE = "kubernetes.io/change-cause"
GOOD = {**made_template("reg.example/app:v2"), "futureField": {"deep": [{"er": 1}], "empty": {}}}
GOOD["metadata"] = {"labels": {"app": "web", "pod-template-hash": "abc"}, "unknown": 7}


def applied(obj: Any, ops: Any) -> Any:
    """RFC 6902 with the operations used here; an operation that cannot apply raises."""
    result = copy.deepcopy(obj)
    for op in ops:
        *way, last = [s.replace("~1", "/").replace("~0", "~") for s in op["path"].split("/")[1:]]
        parent = result
        for step in way:
            parent = parent[step]
        if op["op"] == "add":
            parent[last] = copy.deepcopy(op["value"])
        elif op["op"] == "replace":
            assert last in parent, f"replace of the absent {op['path']}"
            parent[last] = copy.deepcopy(op["value"])
        elif op["op"] == "remove":
            del parent[last]
        else:
            raise AssertionError(op)
    return result


def undone(workload: Any, *, cause: str = "", resume: bool = False) -> Any:
    still = DEPLOYMENT.unmoving(workload) if resume else None
    made = patch.undo(workload, GOOD, operation="op-1", change_cause=cause, still=still)
    assert made.operation == "op-1"
    return applied(workload, made.ops)


def with_annotations(notes: Any) -> dict[str, Any]:
    made = deployment()
    del made["metadata"]["annotations"]
    if notes is not None:
        made["metadata"]["annotations"] = notes
    return made


@pytest.mark.parametrize("cause", ["", "deploy 2"])
@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("paused", [None, True, False])
@pytest.mark.parametrize(
    "notes",
    [
        None,
        {},
        {"a/b": "1", "t~x": "2", "~1": "3", CAUSE: "the bad deploy"},
        {"deployment.kubernetes.io/revision": "3", patch.MARKER: "an older operation"},
    ],
)
def test_the_patch_applied_gives_the_target_and_touches_nothing_else(
    notes: dict[str, str] | None, *, paused: bool | None, resume: bool, cause: str
) -> None:
    workload = with_annotations(notes)
    if paused is not None:
        workload["spec"]["paused"] = paused
    expected = copy.deepcopy(workload)
    expected["spec"]["template"] = template.without_hash(GOOD)
    annotations = {k: v for k, v in (notes or {}).items() if k != CAUSE}
    expected["metadata"]["annotations"] = {
        **annotations,
        patch.MARKER: "op-1",
        **({CAUSE: cause} if cause else {}),
    }
    if paused and resume:
        expected["spec"]["paused"] = False
    assert undone(workload, cause=cause, resume=resume) == expected


def test_the_template_is_the_targets_without_the_controllers_label_unknown_fields_survive() -> None:
    made = undone(deployment())["spec"]["template"]
    assert made["metadata"] == {"labels": {"app": "web"}, "unknown": 7}
    assert made["futureField"] == {"deep": [{"er": 1}], "empty": {}}
    assert template.same(made, GOOD)


def test_uid_and_resource_version_are_replaced_by_what_was_read_before_anything_else() -> None:
    made = patch.undo(deployment(), GOOD, operation="op-1", change_cause="")
    assert list(made.ops[:2]) == [
        {"op": "replace", "path": "/metadata/uid", "value": "uid-web"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "41"},
    ]
    assert not [op for op in made.ops if op["op"] == "test"]


def test_only_five_places_are_ever_written() -> None:
    workload = with_annotations({CAUSE: "bad"})
    workload["spec"]["paused"] = True
    still = DEPLOYMENT.unmoving(workload)
    made = patch.undo(workload, GOOD, operation="op-1", change_cause="good", still=still)
    assert {op["path"] for op in made.ops} == {
        "/metadata/uid",
        "/metadata/resourceVersion",
        "/spec/template",
        "/metadata/annotations/backout.dev~1operation",
        "/metadata/annotations/kubernetes.io~1change-cause",
        "/spec/paused",
    }


def test_a_workload_without_annotations_gets_the_whole_map() -> None:
    made = patch.undo(with_annotations(None), GOOD, operation="op-1", change_cause="")
    assert made.ops[-1] == {
        "op": "add",
        "path": "/metadata/annotations",
        "value": {patch.MARKER: "op-1"},
    }


def test_making_the_patch_changes_neither_the_workload_nor_the_template() -> None:
    workload, target = deployment(), copy.deepcopy(GOOD)
    before = copy.deepcopy(workload)
    patch.undo(workload, target, operation="op-1", change_cause="x")
    assert (workload, target) == (before, GOOD)


@given(
    st.dictionaries(st.text("ab/~01.", min_size=1, max_size=6), st.text(max_size=5)),
    st.text(max_size=5),
)
def test_every_other_annotation_survives_whatever_its_name(
    notes: dict[str, str], cause: str
) -> None:
    result = undone(with_annotations(notes), cause=cause)["metadata"]["annotations"]
    assert {k: v for k, v in result.items() if k not in {patch.MARKER, CAUSE}} == notes
    assert result.get(CAUSE, "") == cause


@given(st.text("0123456789abcdef-", min_size=1, max_size=40), st.integers(0, 10**12))
def test_the_fence_is_one_label_with_a_legal_value_of_its_own_each_time(op: str, n: int) -> None:
    made = patch.fence(f"a{op}", f"b{op}", n)
    (key, value) = made["metadata"]["labels"].popitem()
    assert made == {"metadata": {"labels": {}}}
    assert key == "backout.dev/fence"
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value)
    again = {patch.fence(f"a{op}", who, n + i)["metadata"]["labels"][key] for who, i in _OTHERS}
    assert value not in again


_OTHERS = (("another", 0), ("another", 1))
