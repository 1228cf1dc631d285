"""Keys of ConfigMaps and Secrets: what is shown, counted, and cannot be told; claims that go."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.references.named import keys, of_claim, of_counted, with_all_keys

AT = "2026-11-27T10:00:00Z"


def metadata(**fields: list[str]) -> dict[str, Any]:
    """Return an object's metadata; `fields` are what its one manager owns, with the keys."""
    owned: dict[str, Any] = {
        f"f:{f}": {".": {}, **{f"f:{k}": {} for k in names}} for f, names in fields.items()
    }
    entry = {"manager": "kubectl", "operation": "Apply", "time": AT, "fieldsV1": owned}
    entries = [entry] if owned else []
    return {"metadata": {"name": "s", "resourceVersion": "7", "managedFields": entries}}


@pytest.mark.parametrize(
    ("count", "fields", "shown", "are_all"),
    [
        (2, {"data": ["a", "b"]}, {"a", "b"}, True),
        (2, {"data": ["a"], "binaryData": ["b"]}, {"a", "b"}, True),
        (0, {}, set(), True),
        (3, {"data": ["a"]}, {"a"}, False),
        (2, {}, set(), False),
        (1, {"stringData": ["a"]}, {"a"}, False),
        (2, {"stringData": ["a"], "data": ["b"]}, {"a", "b"}, False),
        (2, {"stringData": ["a"]}, set(), False),
        (None, {"data": ["a"]}, {"a"}, False),
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
        "no count is told",
    ],
)
def test_keys_are_known_where_as_many_are_shown_as_are_counted(
    count: int | None, fields: dict[str, list[str]], shown: set[str], *, are_all: bool
) -> None:
    found = of_counted(metadata(**fields), count)

    assert found.exists
    assert found.keys == shown
    assert found.are_all is are_all
    assert found.version == "7"


def test_a_write_as_string_data_is_a_change_of_the_data() -> None:
    changed = of_counted(metadata(stringData=["a"]), 1).changed

    assert changed is not None
    assert changed.by == "kubectl"


def test_what_has_no_metadata_tells_no_key() -> None:
    found = of_counted({}, None)

    assert found.exists
    assert not found.are_all
    assert not found.keys


def test_a_config_map_that_is_read_itself_tells_all_its_keys_and_keeps_its_version() -> None:
    whole = {"data": {"a": "1"}, "binaryData": {"b": "Mg=="}}
    found = with_all_keys(of_counted(metadata(), 2), whole)

    assert found.keys == {"a", "b"}
    assert found.are_all
    assert found.version == "7"


def test_keys_are_read_from_managed_fields_and_values_never() -> None:
    entries: list[dict[str, Any]] = [
        {"fieldsV1": {"f:data": {".": {}, "f:A": {}}, "f:metadata": {"f:labels": {}}}},
        {"fieldsV1": {"f:binaryData": {"f:B": {}}}},
    ]
    found = {"metadata": {"managedFields": entries}}
    assert keys(found, "data", "binaryData") == frozenset({"A", "B"})
    assert keys({"metadata": {}}, "data") == frozenset()


@pytest.mark.parametrize(
    ("metadata_", "status", "unusable", "waits_for"),
    [
        ({"deletionTimestamp": AT}, {"phase": "Bound"}, "is being deleted", ""),
        ({}, {"phase": "Lost"}, "has lost its PersistentVolume", ""),
        ({}, {"phase": "Bound"}, "", ""),
        ({}, {"phase": "Pending"}, "", "fast"),
        ({}, {}, "", "fast"),
    ],
)
def test_a_claim_tells_whether_a_new_pod_can_use_it(
    metadata_: dict[str, Any], status: dict[str, Any], unusable: str, waits_for: str
) -> None:
    claim = {"metadata": metadata_, "spec": {"storageClassName": "fast"}, "status": status}

    assert (of_claim(claim).unusable, of_claim(claim).waits_for) == (unusable, waits_for)
