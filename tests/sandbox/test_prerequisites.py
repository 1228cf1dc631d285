from __future__ import annotations

import dataclasses

import pytest

from sandbox.errors import SandboxError
from sandbox.machine import prerequisites
from sandbox.machine.prerequisites import Machine

FIT = Machine(system="Linux", architecture="x86_64", root=True, missing=(), apt=True)


def test_a_fit_machine_is_not_objected_to() -> None:
    assert prerequisites.objection(FIT) is None


def test_missing_packages_are_no_objection_where_apt_can_add_them() -> None:
    assert prerequisites.objection(dataclasses.replace(FIT, missing=("runc",))) is None


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (dataclasses.replace(FIT, system="Darwin"), "needs Linux, this is Darwin"),
        (dataclasses.replace(FIT, architecture="riscv64"), "needs amd64 or arm64"),
        (dataclasses.replace(FIT, root=False), "run it with sudo"),
        (dataclasses.replace(FIT, missing=("runc",), apt=False), "needs runc: install"),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(machine: Machine, sentence: str) -> None:
    assert sentence in (prerequisites.objection(machine) or "")


def test_the_refusal_is_one_sentence_that_names_the_alternative(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prerequisites, "this_machine", lambda: dataclasses.replace(FIT, root=False))

    with pytest.raises(SandboxError, match="or use any cluster: set KUBECONFIG") as raised:
        prerequisites.require()
    assert "\n" not in str(raised.value)


def test_a_program_that_is_there_is_found_and_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prerequisites, "_install", lambda packages: pytest.fail(str(packages)))

    assert prerequisites.require_program("sh", "dash").endswith("/sh")


def test_a_program_that_its_package_does_not_bring_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(prerequisites, "_install", installed.append)

    with pytest.raises(SandboxError, match="no-such-program is missing: install its-package"):
        prerequisites.require_program("no-such-program", "its-package")
    assert installed == [("its-package",)]


def test_no_go_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SandboxError, match=r"Go is not installed: install Go 1\.24 or newer"):
        prerequisites.require_go()


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.19.8\n", (1, 19)), ("go1.26.8", (1, 26)), ("devel go1.27-abc", (1, 24))],
)
def test_the_version_of_go_is_read(text: str, version: tuple[int, int]) -> None:
    assert prerequisites.go_version(text) == version
