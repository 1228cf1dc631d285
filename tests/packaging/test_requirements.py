"""requirements/*.txt: everything pinned and hashed, no index named, consistent with each other."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.packaging.environments import ROOT
from tests.packaging.requirements import NAMES, pinned

BOUND = re.compile(r"(>=|<)([0-9.]+)")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def within(version: str, requirement: str) -> bool:
    bounds = BOUND.findall(requirement)
    assert bounds, requirement
    return all(
        number(version) >= number(bound) if sign == ">=" else number(version) < number(bound)
        for sign, bound in bounds
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_a_pin_with_hashes_or_a_comment(name: str) -> None:
    found = pinned(name)

    assert found
    assert [p.name for p in found if p.hashes == 0] == []
    assert len({p.name for p in found}) == len(found)


@pytest.mark.parametrize("name", NAMES)
def test_no_index_and_no_address_is_named(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()

    assert "://" not in text
    assert not re.search(r"^-|--(index|extra-index|find-links|trusted)", text, re.MULTILINE)


@pytest.mark.parametrize(("smaller", "larger"), [("runtime", "test"), ("test", "dev")])
def test_what_runs_is_tested_and_what_is_tested_is_checked_in_the_same_version(
    smaller: str, larger: str
) -> None:
    versions = {p.name: p.version for p in pinned(larger)}

    assert {p.name: p.version for p in pinned(smaller)}.items() <= versions.items()


def test_the_runtime_is_locked_within_the_bounds_of_the_project() -> None:
    locked = {p.name: p.version for p in pinned("runtime")}
    wanted = project()["project"]["dependencies"]

    assert all(within(locked[re.split("[<>=]", w)[0]], w) for w in wanted)


@pytest.mark.parametrize(("group", "name"), [("test", "test"), ("test", "dev"), ("check", "dev")])
def test_each_group_is_locked_within_its_bounds(group: str, name: str) -> None:
    locked = {p.name: p.version for p in pinned(name)}
    wanted = project()["dependency-groups"][group]

    assert all(within(locked[re.split("[<>=]", w)[0]], w) for w in wanted)


def test_what_builds_the_wheel_is_locked_too() -> None:
    locked = {p.name: p.version for p in pinned("dev")}
    (hatchling,) = project()["build-system"]["requires"]

    assert within(locked["hatchling"], hatchling)
