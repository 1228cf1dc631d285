"""What is in the wheel and in the source distribution, and what they say about themselves."""

from __future__ import annotations

import configparser
import email
import tarfile
import zipfile
from typing import TYPE_CHECKING

import backout
from tests.packaging.environments import PROGRAMS, ROOT, developer_python, run, wheel

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

VERSION = backout.__version__
INFO = f"backout-{VERSION}.dist-info"


def in_wheel(path: Path | None = None) -> dict[str, bytes]:
    with zipfile.ZipFile(path or wheel()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata() -> Message:
    return email.message_from_bytes(in_wheel()[f"{INFO}/METADATA"])


def in_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        names = {m.name for m in archive.getmembers() if m.isfile()}
    assert {name.partition("/")[0] for name in names} == {f"backout-{VERSION}"}
    return {name.partition("/")[2] for name in names}


def test_the_wheel_is_for_every_platform_and_python_3() -> None:
    assert wheel().name == f"backout-{VERSION}-py3-none-any.whl"


def test_the_wheel_holds_the_package_and_its_metadata_only() -> None:
    names = in_wheel().keys()

    assert {name.partition("/")[0] for name in names} == {"backout", INFO}
    assert {name.rpartition(".")[2] for name in names if name.startswith("backout/")} == {
        "py",
        "typed",
        "md",
        "html",
        "css",
    }
    assert {name.rpartition("/")[0] for name in names if name.endswith((".html", ".css"))} == {
        "backout/cli/output/reports/templates"
    }
    pages = {name for name in names if name.endswith(".md")}
    assert pages == {
        f"backout/docs/{folder}/{file.name}"
        for folder in ("checks", "failures")
        for file in (ROOT / "docs" / folder).glob("*.md")
    }
    assert not [n for n in names if {"tests", "sandbox", "demo", "bench"} & set(n.split("/"))]


def test_the_wheel_says_that_it_is_typed() -> None:
    assert "backout/py.typed" in in_wheel()
    assert "Typing :: Typed" in metadata().get_all("Classifier", [])


def test_the_wheel_holds_the_licence_and_names_it() -> None:
    assert metadata()["License-Expression"] == "Apache-2.0"
    assert in_wheel()[f"{INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_names_its_version_and_the_python_it_needs() -> None:
    said = metadata()

    assert (said["Name"], said["Version"]) == ("backout", VERSION)
    assert said["Requires-Python"] == ">=3.11"
    assert said["Description-Content-Type"] == "text/markdown"
    assert str(said.get_payload()).startswith("# backout\n")


def test_the_wheel_asks_for_few_packages_with_a_lowest_and_an_unreached_version() -> None:
    every = metadata().get_all("Requires-Dist", [])
    asked = [one for one in every if "extra ==" not in one]

    assert [a.partition("<")[0] for a in every if a not in asked] == ["jinja2"]
    names = [a.partition("<")[0] for a in sorted(asked)]
    assert names == [
        "aiohappyeyeballs",
        "click",
        "h11",
        "msgspec",
        "python-socks",
        "pyyaml",
        "rich",
        "truststore",
    ]
    assert all(">=" in one for one in asked)


def test_the_wheel_installs_the_programs_of_kubectls_plugin_too() -> None:
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string(in_wheel()[f"{INFO}/entry_points.txt"].decode())

    assert parser.sections() == ["console_scripts"]
    assert set(parser["console_scripts"]) == set(PROGRAMS)


def test_the_source_distribution_holds_what_it_takes_to_build_and_test(sdist: Path) -> None:
    names = in_sdist(sdist)

    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO"} <= names
    assert {"src/backout/py.typed", "src/backout/cli/main.py", "docs/journal.md"} <= names
    assert "tests/packaging/test_distributions.py" in names


def test_the_source_distribution_holds_no_caches_and_nothing_built(sdist: Path) -> None:
    names = in_sdist(sdist)
    unwanted = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}

    assert not [n for n in names if unwanted & set(n.split("/"))]
    assert not [n for n in names if n.endswith((".pyc", ".whl", ".gz"))]
    assert not {n.partition("/")[0] for n in names} & {"build", "dist", ".venv", ".git"}


def test_a_wheel_built_from_the_source_distribution_is_the_same_wheel(
    sdist: Path, tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / f"backout-{VERSION}"
    run(developer_python(), "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=source)
    (built,) = tmp_path.glob("*.whl")

    assert built.name == wheel().name
    assert in_wheel(built).keys() == in_wheel().keys()
    assert in_wheel(built)[f"{INFO}/entry_points.txt"] == in_wheel()[f"{INFO}/entry_points.txt"]
