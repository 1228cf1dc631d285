"""The target's image: gone from the registry with and without running Pods, and tags that move."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest

from sandbox import images
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.space import Space


@pytest.fixture
def repository() -> str:
    """A repository of this test alone, because it deletes from it."""
    return f"test-{os.urandom(4).hex()}"


def test_an_image_that_is_gone_only_warns_while_its_pods_run(space: Space, repository: str) -> None:
    digest = images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository), replicas=2)
    space.roll(space.version("missing"))
    images.delete(repository, digest)

    ran = space.undo().expect(0)

    image = space.image("v1", repository)
    assert f"WARN PF302: image {image} is gone from its registry; 2 Pods still run it" in ran.err
    assert "a rescheduled one could not start" in ran.err
    assert space.image_now() == image


def test_an_image_that_is_gone_blocks_when_pods_must_be_started(
    space: Space, repository: str
) -> None:
    digest = images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository))
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: len(space.pods()) == 1)
    images.delete(repository, digest)

    ran = space.undo().expect(3)

    image = space.image("v1", repository)
    assert "ERROR: an image of revision 1 is gone: " in ran.err
    assert f"does not have {image} (404" in ran.err
    assert "ERROR: refused (PF301): nothing was changed" in ran.err
    assert "risk of going on: Pods of the target cannot start where the image" in ran.err
    assert space.wrote() == []

    # That very line goes on: the image still lies on the node.
    line = ran.line("to go on anyway: ").removeprefix("to go on anyway: ")
    words = shlex.split(line)
    assert words[:5] == ["backout", "undo", "deploy/shop", "-n", space.name]
    went_on = space.undo(*words[5:]).expect(0)

    assert "accepted PF301: " in went_on.err
    assert space.image_now() == image
    record = space.records()[-1]
    assert (record["state"], record["accepted"], record["reason"]) == (
        "SUCCEEDED",
        ["PF301"],
        "WHY",
    )


@pytest.mark.parametrize("name", ["{}:latest", "{}"])
def test_a_tag_that_moves_is_warned_about(space: Space, repository: str, name: str) -> None:
    images.push(repository, "latest")
    image = f"{space.cluster.registry}/{name.format(repository)}"
    space.deploy(space.version(image=image), serve=False)
    space.roll(space.version("missing"))

    ran = space.undo().expect(0)

    tag = "the tag latest" if ":latest" in name else "no tag"
    assert f"WARN PF305: image {image} has {tag}: " in ran.err
    assert space.image_now() == image


def test_a_registry_that_does_not_answer_only_warns(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    # The registry speaks plain HTTP; asked by TLS it gives no answer that says anything.
    ran = space.undo(env={"BACKOUT_REGISTRY_PLAIN_HTTP": "elsewhere.invalid"}).expect(0)

    assert f"WARN PF304: cannot tell whether {space.image('v1')} is there: " in ran.err
