"""Completion with names from a real cluster: TAB in a real bash, and as kubectl asks its plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import BACKOUT, Ran, run
from tests.cluster.space import Space, until
from tests.packaging.bash import Bash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shop(space: Space) -> Space:
    """Revisions 1 and 2 of the shop, and a second Deployment beside it."""
    space.deploy(space.version("v1"))
    space.deploy(space.version("v1"), name="till", serve=False)
    space.roll(space.version("v2"))
    return space


@pytest.fixture
def bash(shop: Space, tmp_path: Path) -> Iterator[Bash]:
    with Bash(tmp_path, shop.environment) as shell:
        yield shell


def ask_kubectl(space: Space, *words: str) -> Ran:
    """Ask as kubectl's own completion script does when TAB is pressed."""
    argv = [str(space.cluster.kubectl), "__complete", "backout", *words]
    return run(argv, space.environment).expect(0)


def test_bash_completes_workloads_revisions_namespaces_and_contexts(
    shop: Space, bash: Bash
) -> None:
    where = f"-n {shop.name}"

    assert bash.offered(f"backout {where} undo deploy/") == ["deploy/shop", "deploy/till"]
    assert bash.completed(f"backout undo {where} deployment/sh").endswith(" deployment/shop ")
    assert bash.completed(f"backout undo {where} deploy t").endswith(" deploy till ")
    assert bash.offered(f"backout undo deploy/shop {where} --to-revision ") == ["1"]
    only_one = f"backout undo {where} deploy/till --to-revision "
    assert bash.press(only_one).line == only_one
    assert bash.completed(f"backout undo -n {shop.name[:-1]}").endswith(f" {shop.name} ")
    assert current_context(shop) in bash.offered("backout --context ")


def test_bash_offers_nothing_where_there_is_nothing(space: Space, bash: Bash) -> None:
    nothing = f"backout undo -n {space.name} deploy/none --to-revision "

    assert bash.press(nothing).line == nothing


@pytest.mark.parametrize(
    "words",
    [("undo", "deploy/"), pytest.param(("undo", "deploy", ""), marks=pytest.mark.every_case)],
)
def test_kubectl_completes_its_plugin_with_the_names_of_the_cluster(
    shop: Space, words: tuple[str, ...]
) -> None:
    kind = words[-1]

    def answered() -> Ran | None:
        done = ask_kubectl(shop, "-n", shop.name, *words)
        return done if "shop" in done.out else None

    done = until("names from the cluster", answered)
    assert done.out.splitlines() == [f"{kind}shop", f"{kind}till", ":4"]


def test_kubectl_completes_the_plugins_commands_and_options(space: Space) -> None:
    assert ask_kubectl(space, "und").out.splitlines() == ["undo", ":4"]
    assert "--to-revision" in ask_kubectl(space, "undo", "--to").out.splitlines()
    assert ask_kubectl(space, "undo", "deployme").out.splitlines() == ["deployment/", ":6"]


def test_kubectl_leaves_file_names_to_the_shell(space: Space) -> None:
    assert ask_kubectl(space, "undo", "--kubeconfig", "").out.splitlines() == [":0"]


def test_kubectl_is_not_told_of_a_cluster_that_cannot_be_reached(space: Space) -> None:
    space.environment["KUBECONFIG"] = "/nowhere/config"

    assert ask_kubectl(space, "undo", "deploy/").out.splitlines() == [":4"]


def test_kubectl_finds_the_installed_plugin_and_shows_its_help(space: Space) -> None:
    kubectl = str(space.cluster.kubectl)
    shown = run([kubectl, "backout", "--help"], space.environment).expect(0)
    listed = run([kubectl, "plugin", "list"], space.environment)

    assert shown.out.startswith("Usage: kubectl backout [OPTIONS]")
    assert str(BACKOUT.with_name("kubectl-backout")) in listed.out


def current_context(space: Space) -> str:
    return space.kubectl("config", "current-context").expect(0).out.strip()
