"""Keys of ConfigMaps and Secrets by a Table's row: what is shown, counted, and cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.kube.bodies import counted_in
from backout.steps.references import counted

if TYPE_CHECKING:
    from backout.core.references import Named

AT = "2026-11-27T10:00:00Z"
COLUMNS = ["Name", "Type", "Data", "Age"]


def row(count: Any, columns: list[str] | None = None, **fields: list[str]) -> dict[str, Any]:
    """Return a Table as the API server writes it; `fields` are what its one manager owns."""
    owned: dict[str, Any] = {
        f"f:{f}": {".": {}, **{f"f:{k}": {} for k in keys}} for f, keys in fields.items()
    }
    entry = {"manager": "kubectl", "operation": "Apply", "time": AT, "fieldsV1": owned}
    metadata = {"name": "s", "resourceVersion": "7", "managedFields": [entry] if owned else []}
    return {
        "kind": "Table",
        "columnDefinitions": [{"name": name} for name in columns or COLUMNS],
        "rows": [{"cells": ["s", "Opaque", count, "5m"], "object": {"metadata": metadata}}],
    }


def known(table: dict[str, Any]) -> Named:
    return counted(*counted_in(table))


@pytest.mark.parametrize(
    ("table", "keys", "are_all"),
    [
        (row(2, data=["a", "b"]), {"a", "b"}, True),
        (row(2, data=["a"], binaryData=["b"]), {"a", "b"}, True),
        (row(0), set(), True),
        (row(3, data=["a"]), {"a"}, False),
        (row(2), set(), False),
        (row(1, stringData=["a"]), {"a"}, False),
        (row(2, stringData=["a"], data=["b"]), {"a", "b"}, False),
        (row(2, stringData=["a"]), set(), False),
        (row("2", data=["a"]), {"a"}, False),
        (row(1, ["Name", "Type", "Age"], data=["a"]), {"a"}, False),
    ],
    ids=[
        "all are shown",
        "of both kinds",
        "none there are",
        "more than are shown",
        "managed fields were cleared",
        "written as stringData",
        "some written as stringData",
        "a key that nobody owns any more",
        "a count that is no number",
        "no count is printed",
    ],
)
def test_keys_are_known_where_as_many_are_shown_as_are_counted(
    table: dict[str, Any], keys: set[str], *, are_all: bool
) -> None:
    found = known(table)

    assert found.keys == keys
    assert found.are_all is are_all
    assert found.version == "7"


def test_a_write_as_string_data_is_a_change_of_the_data() -> None:
    changed = known(row(1, stringData=["a"])).changed

    assert changed is not None
    assert changed.by == "kubectl"


@pytest.mark.parametrize("answer", [{"metadata": {"resourceVersion": "7"}}, {"kind": "Table"}])
def test_what_is_no_table_or_has_no_row_tells_no_key(answer: dict[str, Any]) -> None:
    found = known(answer)

    assert found.exists
    assert not found.are_all
    assert not found.keys
