"""The real Argo CD: its own way back as we print it, and what it does to a rollback of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.argo_cd import argo_cd
from tests.cluster.command import accepting
from tests.cluster.manifests import SHOP, deployment
from tests.cluster.owners.test_owners import remedy
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.argo_cd import ArgoCd
    from tests.cluster.space import Space

pytestmark = pytest.mark.owner_tools


@pytest.fixture
def made(space: Space) -> Iterator[ArgoCd]:
    """An Application that nobody has synced."""
    with argo_cd(space) as argo:
        argo.create()
        yield argo


@pytest.fixture
def argo(made: ArgoCd, space: Space) -> ArgoCd:
    """What git said first is well; what it says now names an image that is not there."""
    goes_bad(space, made)
    return made


def goes_bad(space: Space, argo: ArgoCd) -> None:
    argo.commit(space.version("v1"))
    argo.sync()
    space.rolled_out()
    argo.commit(space.version("never-pushed", env={"BAD": "1"}))
    argo.sync()
    space.observed()


def test_the_line_of_argo_cd_is_pasted_as_printed_and_brings_the_application_back(
    space: Space, argo: ArgoCd
) -> None:
    line = remedy(space, "PF403", 0).partition("with its own tool: ")[2]
    argo.pasted(line).expect(0)

    assert space.image_now() == space.image("v1")
    space.backout("status", f"deploy/{SHOP}", "--timeout", "60s").expect(0)


def test_what_argo_cd_heals_is_undone_as_was_said_and_comes_back_by_git(
    space: Space, argo: ArgoCd
) -> None:
    argo.heals_itself()
    refused = space.undo().expect(3)
    assert f"Argo CD ({argo.name}) owns deployment/{SHOP} and puts its template back" in refused.err
    assert "it refuses a rollback while automated sync is on: git revert" in refused.err
    line = remedy(space, "PF401", 3).removeprefix("roll back with its own tool: ")
    assert "auto-sync is enabled" in argo.pasted(line).both

    undone = space.undo(*accepting("PF401")).expect(5)
    _, _, end = undone.err.partition("superseded: argocd-controller changed the Pod template")
    assert f"  next: roll back with its own tool: {line}" in end
    assert space.image_now() == space.image("never-pushed")
    argo.revert()
    until("git's word has arrived", lambda: space.image_now() == space.image("v1"))
    space.rolled_out()


@pytest.mark.parametrize("on_the_server", [False, True])
def test_argo_cd_tells_of_the_rollback_and_after_the_corrected_commit_there_is_no_trace_of_it(
    space: Space, made: ArgoCd, *, on_the_server: bool
) -> None:
    if on_the_server:
        made.applies_on_the_server()
    goes_bad(space, made)
    assert made.drift() == []
    space.undo(*accepting()).expect(0)
    assert made.drift() == ["env", "image", "name", "value"]

    made.commit(space.version("v2"))
    made.sync()
    space.rolled_out()
    assert made.drift() == []
    wanted = deployment(space.version("v2"))["spec"]["template"]["spec"]["containers"][0]
    there = space.template()["spec"]["containers"][0]
    assert (there["image"], there.get("env", [])) == (wanted["image"], wanted["env"])
    assert "backout" not in space.template_owners()
