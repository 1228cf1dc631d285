from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backout.core.difference.json_patch import operations
from backout.core.kubernetes import template
from tests.objects.generated import FULL, QUANTITIES, at, changed_leaves, leaves


def applied(before: Any, ops: tuple[dict[str, Any], ...]) -> Any:
    """Return what RFC 6902 makes of a document: the oracle, written from the RFC alone."""
    document = {"": copy.deepcopy(before)}
    for op in ops:
        steps = [s.replace("~1", "/").replace("~0", "~") for s in op["path"].split("/")]
        parent: Any = document
        for step in steps[:-1]:
            parent = parent[int(step) if isinstance(parent, list) else step]
        key: Any = int(steps[-1]) if isinstance(parent, list) else steps[-1]
        if op["op"] == "remove":
            del parent[key]
            continue
        assert op["op"] == "add" or key in (
            range(len(parent)) if isinstance(parent, list) else parent
        )
        parent[key] = copy.deepcopy(op["value"])
    return document[""]


@st.composite
def some_templates(draw: st.DrawFn) -> dict[str, Any]:
    """Return FULL with leaves changed or taken out, lists cut or turned round."""
    made = copy.deepcopy(FULL)
    for path in draw(st.lists(st.sampled_from(leaves(FULL)), max_size=6)):
        try:
            at(made, path)
        except (KeyError, IndexError):
            continue
        how = draw(st.sampled_from(["change", "remove", "empty", "reverse"]))
        parent = at(made, path[:-1])
        if how == "change":
            made = draw(st.sampled_from(changed_leaves(made, path)))
        elif how == "remove":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.clear() if how == "empty" else parent.reverse()
    for path, spellings in QUANTITIES.items():
        respell(made, path, draw(st.sampled_from(spellings)))
    return made


def respell(made: dict[str, Any], path: tuple[Any, ...], spelling: Any) -> None:
    """Spell a quantity in another way, where it is still the one of FULL."""
    try:
        if at(made, path) == at(FULL, path):
            at(made, path[:-1])[path[-1]] = spelling
    except (KeyError, IndexError):
        return


@given(some_templates(), some_templates())
def test_the_patch_of_two_templates_makes_the_second_of_the_first(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    ops = operations(before, after, at="")

    assert template.same(applied(before, ops), after)
    assert (ops == ()) == template.same(before, after)


def test_the_label_of_the_controller_is_left_alone_and_keys_are_escaped() -> None:
    before = {"metadata": {"labels": {template.HASH_LABEL: "a", "a/b~c": "1"}}}
    after = {"metadata": {"labels": {template.HASH_LABEL: "b", "a/b~c": "2"}}}

    assert operations(before, after) == (
        {"op": "replace", "path": "/spec/template/metadata/labels/a~1b~0c", "value": "2"},
    )
