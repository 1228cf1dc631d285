"""Our `dataclass` against the standard one: the same class, but for what it refuses."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import operator
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backout
from backout.core.value import dataclass


@dataclasses.dataclass(frozen=True, order=True, kw_only=True)
class Standard:
    """One of the standard library's."""

    a: int
    b: str = "b"
    hidden: str = dataclasses.field(default="h", repr=False)
    beside: float = dataclasses.field(default=0.0, compare=False)
    more: tuple[int, ...] = dataclasses.field(default_factory=tuple)


@dataclass(frozen=True, order=True, kw_only=True)
class Ours:
    """One of ours."""

    a: int
    b: str = "b"
    hidden: str = dataclasses.field(default="h", repr=False)
    beside: float = dataclasses.field(default=0.0, compare=False)
    more: tuple[int, ...] = dataclasses.field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Wider(Ours):
    """One more field."""

    c: int = 3


@dataclass(kw_only=True)
class Changing:
    """What may be changed."""

    items: list[int] = dataclasses.field(default_factory=list)


VALUES = st.fixed_dictionaries(
    {"a": st.integers(0, 2)},
    optional={
        "b": st.sampled_from(["", "b", "c"]),
        "hidden": st.sampled_from(["h", "i"]),
        "beside": st.floats(),
        "more": st.lists(st.integers(0, 1), max_size=2).map(tuple),
    },
)


@given(one=VALUES, two=VALUES)
def test_values_are_equal_ordered_hashed_and_shown_as_the_standard_ones(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    ours, others = Ours(**one), Ours(**two)
    standard, standards = Standard(**one), Standard(**two)

    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        assert compare(ours, others) == compare(standard, standards)
    assert hash(ours) == hash(standard)
    assert repr(ours).removeprefix("Ours") == repr(standard).removeprefix("Standard")
    assert dataclasses.asdict(dataclasses.replace(ours, **two)).keys() == vars(standard).keys()


@given(one=VALUES)
def test_a_copy_is_equal(one: dict[str, Any]) -> None:
    ours = Ours(**one)

    assert copy.deepcopy(ours) == copy.copy(ours) == pickle.loads(pickle.dumps(ours)) == ours  # noqa: S301 (its own)
    assert dataclasses.replace(ours, a=7).a == 7


@pytest.mark.parametrize("arguments", [{}, {"a": 1, "x": 2}, {"b": "only"}])
def test_what_is_missing_or_unknown_is_refused_by_name(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Ours: unknown \[('x')?\], missing \[('a')?\]"):
        Ours(**arguments)


def test_nothing_is_assigned_or_deleted() -> None:
    ours: Any = Ours(a=1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="assign to field 'a'"):
        ours.a = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="delete field 'a'"):
        del ours.a
    assert ours.a == 1


def test_another_class_is_never_equal_nor_comparable() -> None:
    assert Ours(a=1) != Wider(a=1)
    another: object = Standard(a=1)
    assert Ours(a=1) != another
    with pytest.raises(TypeError):
        operator.lt(Ours(a=1), Wider(a=1))


def test_a_subclass_has_its_base_s_fields() -> None:
    assert Wider(a=1, c=2) == Wider(c=2, a=1, b="b")
    assert [one.name for one in dataclasses.fields(Wider)][-2:] == ["more", "c"]


def test_what_may_be_changed_has_no_hash_and_shares_no_default() -> None:
    one, two = Changing(), Changing()
    one.items.append(1)
    two.items = [2]

    assert (one.items, two.items, Changing().items) == ([1], [2], [])
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_what_it_cannot_make_is_refused_at_once() -> None:
    class After:
        def __post_init__(self) -> None:
            """Nothing."""

    class Outside:
        a: int = dataclasses.field(init=False, default=1)

    for cls in (After, Outside):
        with pytest.raises(TypeError, match="needs the standard dataclass"):
            dataclass(kw_only=True)(cls)
    with pytest.raises(TypeError, match="keyword-only"):
        dataclass(kw_only=False)


def test_every_value_of_the_package_is_made_by_it() -> None:
    folder = Path(inspect.getfile(backout)).parent
    named = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if any(alias.name == "dataclass" for alias in node.names)
    }

    assert named == {"core/value.py"}


@pytest.mark.parametrize("hints", [{"shared": ("list[int]", [])}, {"of_all": ("ClassVar[int]", 1)}])
def test_no_default_is_shared_that_can_be_changed(hints: dict[str, tuple[str, object]]) -> None:
    body = {name: default for name, (_, default) in hints.items()}
    cls = type("Sharing", (), {**body, "__annotations__": {n: h for n, (h, _) in hints.items()}})
    with pytest.raises(TypeError, match="Sharing needs the standard dataclass"):
        dataclass(kw_only=True)(cls)
