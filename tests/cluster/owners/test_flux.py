"""The real Flux: it puts its template back as was said, and after a rollback it meets no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import accepting
from tests.cluster.flux import Flux, flux
from tests.cluster.manifests import SHOP, deployment
from tests.cluster.owners.test_owners import remedy
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.space import Space

pytestmark = pytest.mark.owner_tools


@pytest.fixture
def deployed(space: Space) -> Iterator[Flux]:
    """What git said first is well; what it says now names an image that is not there."""
    with flux(space) as made:
        made.create()
        made.has_applied(made.commit(space.version("v1")))
        space.rolled_out()
        made.has_applied(made.commit(space.version("never-pushed", env={"BAD": "1"})))
        space.observed()
        yield made


@pytest.mark.usefixtures("deployed")
def test_flux_puts_its_template_back_as_was_said(space: Space) -> None:
    refused = space.undo().expect(3)
    assert f"Flux Kustomization ({SHOP}) owns deployment/{SHOP}" in refused.err

    undone = space.undo(*accepting("PF401")).expect(5)
    assert "superseded: kustomize-controller changed the Pod template" in undone.err
    assert space.image_now() == space.image("never-pushed")


def test_suspended_by_the_line_as_printed_it_goes_on_afterwards_as_if_nobody_had_been_there(
    space: Space, deployed: Flux
) -> None:
    line = remedy(space, "PF401", 3).removeprefix("roll back with its own tool: ")
    deployed.pasted(line).expect(0)
    space.undo(*accepting()).expect(0)
    assert space.image_now() == space.image("v1")
    assert space.template_owners() == {"kustomize-controller"}

    revision = deployed.commit(space.version("v2"))
    deployed.pasted(f"flux resume kustomization {SHOP} -n {space.name}").expect(0)
    deployed.has_applied(revision)
    until("the corrected template is there", lambda: space.image_now() == space.image("v2"))
    space.rolled_out()
    wanted = deployment(space.version("v2"))["spec"]["template"]["spec"]["containers"][0]
    assert space.template()["spec"]["containers"][0].get("env", []) == wanted["env"]
    assert space.template_owners() == {"kustomize-controller"}
