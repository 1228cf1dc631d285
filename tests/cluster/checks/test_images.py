"""The target's image: gone from the registry with and without running Pods, and tags that move."""

from __future__ import annotations

import json
import os
import shlex
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import images
from tests.cluster.command import accepting
from tests.cluster.space import until
from tests.contract.registry import docker_registry
from tests.contract.registry.scripts import basic

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.space import Space

INDEX = "application/vnd.oci.image.index.v1+json"
EVERY_CASE = pytest.mark.every_case
ALWAYS = {"imagePullPolicy": "Always"}


def ran_in(space: Space) -> str:
    """Return the digest of the image that the only Pod runs."""
    (pod,) = until("one Pod", lambda: space.pods() if len(space.pods()) == 1 else None)
    return str(pod["status"]["containerStatuses"][0]["imageID"]).rpartition("@")[2]


def moved(space: Space, repository: str, *, remember: bool = True) -> tuple[str, str]:
    """Deploy a tag, go on to the next version and move the tag; return both of its digests."""
    old = images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository, container=ALWAYS), serve=False)
    if remember:
        words = ("--healthy", "--reason", "it served")
        space.backout("ledger", "mark", "deploy/shop", *words).expect(0)
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: len(space.pods()) == 1)
    return old, images.push(repository, "v1", {"FEATURE": "new"})


def push_index(space: Space, repository: str, tag: str, digest: str, architecture: str) -> None:
    """Push an index whose only entry is an image that is there, by hand."""
    platform = {"os": "linux", "architecture": architecture}
    entry = {"mediaType": images.MANIFEST, "digest": digest, "size": 1, "platform": platform}
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    request = urllib.request.Request(
        f"http://{space.cluster.registry}/v2/{repository}/manifests/{tag}",
        data=body,
        method="PUT",
        headers={"Content-Type": INDEX},
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()


@pytest.fixture
def repository() -> str:
    """A repository of this test alone, because it deletes from it."""
    return f"test-{os.urandom(4).hex()}"


def test_an_image_that_is_gone_only_warns_while_its_pods_run(space: Space, repository: str) -> None:
    digest = images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository), replicas=2, serve=False)
    space.roll(space.version("missing"))
    images.delete(repository, digest)

    ran = space.undo().expect(0)

    image = space.image("v1", repository)
    assert f"WARN PF302: image {image} is gone from its registry; 2 Pods still run it" in ran.err
    assert "a rescheduled one could not start" in ran.err
    assert space.image_now() == image


def gone_from_the_registry(space: Space, repository: str, policy: dict[str, str]) -> str:
    """Let no Pod of revision 1 run and its image be deleted; return it. The node still holds it.

    It is like no other image: of one that it has by many names a node tells five.
    """
    digest = images.push(repository, "v1", {"ONLY": repository})
    space.deploy(space.version("v1", repository=repository, container=policy), serve=False)
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: len(space.pods()) == 1)
    images.delete(repository, digest)
    return space.image("v1", repository)


def test_an_image_that_is_gone_blocks_when_pods_must_be_started(
    space: Space, repository: str
) -> None:
    image = gone_from_the_registry(space, repository, ALWAYS)

    ran = space.undo().expect(3)

    assert "PF301    an image of revision 1 is gone: " in ran.err
    assert f"does not have {image} (404" in ran.err
    assert "✗ Not rolled back (PF301). Nothing was changed." in ran.err
    assert "risk     Pods of the target cannot start where the image" in ran.err
    assert space.wrote() == []

    # That very line goes on, and the kubelet asks the registry in vain.
    line = ran.line("to roll back anyway: ").removeprefix("to roll back anyway: ")
    words = shlex.split(line)
    assert words[:5] == ["backout", "undo", "deploy/shop", "-n", space.name]
    went_on = space.undo(*words[5:]).expect(4)

    assert "accepted PF301: " in went_on.err
    record = space.records()[-1]
    assert (record["state"], record["accepted"], record["reason"]) == ("FAILED", ["PF301"], "WHY")


@pytest.mark.every_case
def test_an_image_that_every_node_holds_only_warns(space: Space, repository: str) -> None:
    image = gone_from_the_registry(space, repository, {"imagePullPolicy": "IfNotPresent"})
    # The kubelet looks every 30 s which images it has.
    until("the node tells that it holds it", lambda: holds(space, image), within=100)

    ran = space.undo().expect(0)

    assert f"WARN PF302: image {image} is gone from its registry; each node that" in ran.err
    assert space.image_now() == image


def holds(space: Space, image: str) -> bool:
    return any(image in one["names"] for n in space.nodes() for one in n["status"]["images"])


@pytest.mark.parametrize("name", ["{}:latest", pytest.param("{}", marks=EVERY_CASE)])
def test_a_tag_that_moves_is_warned_about(space: Space, repository: str, name: str) -> None:
    images.push(repository, "latest")
    image = f"{space.cluster.registry}/{name.format(repository)}"
    space.deploy(space.version(image=image), serve=False)
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: len(space.pods()) == 1)

    ran = space.undo().expect(0)

    tag = "the tag latest" if ":latest" in name else "no tag"
    assert f"WARN PF305: image {image} has {tag}: " in ran.err
    assert space.image_now() == image


@pytest.mark.every_case
def test_a_registry_that_does_not_answer_only_warns(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))

    # The registry speaks plain HTTP; asked by TLS it gives no answer that says anything.
    ran = space.undo(env={"BACKOUT_REGISTRY_PLAIN_HTTP": "elsewhere.invalid"}).expect(0)

    assert f"WARN PF304: cannot tell whether {space.image('v1')} is there: " in ran.err


@pytest.mark.every_case
def test_a_tag_that_was_moved_blocks_and_accepting_it_runs_the_other_bytes(
    space: Space, repository: str
) -> None:
    old, new = moved(space, repository)

    ran = space.undo().expect(3)

    said = f"revision 1 ran {old[:19]}…, the tag is {new[:19]}… now"
    assert said in ran.err
    assert "✗ Not rolled back (PF307). Nothing was changed." in ran.err
    words = shlex.split(ran.line("to roll back anyway: ").removeprefix("to roll back anyway: "))
    space.undo(*words[5:]).expect(0)
    assert ran_in(space) == new
    assert space.records()[-1]["accepted"] == ["PF307"]
    # What runs well now is what the revision ran: nothing stands against going there again.
    space.backout("check", "deploy/shop", "--to-revision", "2").expect(0)


def test_the_remedy_of_a_moved_tag_rolls_back_to_the_bytes_that_ran(
    space: Space, repository: str
) -> None:
    old, _ = moved(space, repository)
    refused = space.undo().expect(3)
    start = "to run what ran: "
    words = shlex.split(refused.line(start).removeprefix(start))
    assert words == ["backout", "undo", "deploy/shop", "-n", space.name, "--pin"]

    dry = space.undo("--pin", "--dry-run=server").expect(0)
    ran = space.undo(*words[5:]).expect(0)

    pinned = f"{space.cluster.registry}/{repository}@{old}"
    assert f"│ + {pinned}" in dry.out.splitlines(), str(dry)
    assert "PF307" not in ran.findings()
    assert f"pinned: a new revision, not 1, with the images that revision 1 ran: {pinned}" in (
        ran.both
    )
    assert "rollback triggered for deployment/shop to revision=1, traceID=" in ran.out
    assert (space.image_now(), ran_in(space)) == (pinned, old)
    assert set(space.revisions()) == {1, 2, 3}
    record = space.records()[-1]
    assert (record["state"], record["to"]["images"]) == ("SUCCEEDED", {"app": old})
    # The pinned revision was recorded: it is what the next bad deploy is rolled back to.
    space.roll(space.version("missing"))
    again = space.undo().expect(0)
    assert "target   revision 3 (" in again.out
    assert space.image_now() == pinned


@pytest.mark.every_case
def test_a_moved_tag_is_seen_by_what_the_pods_of_the_target_run(
    space: Space, repository: str
) -> None:
    images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository), serve=False)
    space.roll(space.version("missing"))
    assert "PF307" not in space.backout("check", "deploy/shop").expect(0).findings()
    images.push(repository, "v1", {"FEATURE": "new"})

    assert "PF307" in space.backout("check", "deploy/shop").expect(3).findings()
    assert "PF307" not in space.backout("check", "deploy/shop", "--pin").expect(0).findings()


@pytest.mark.every_case
def test_pinning_what_nothing_remembers_refuses(space: Space, repository: str) -> None:
    old, new = moved(space, repository, remember=False)

    ran = space.undo("--pin").expect(3)

    assert "what container app of revision 1 ran is not known" in ran.err
    assert "✗ Not rolled back (PF310). Nothing was changed." in ran.err
    assert space.wrote() == []

    # By its tag, then: other bytes than those that ran.
    space.undo("--pin", *accepting("PF310")).expect(0)
    assert ran_in(space) == new != old


@pytest.mark.every_case
def test_an_index_without_the_nodes_platform_blocks_and_cannot_be_pulled(
    space: Space, repository: str
) -> None:
    digest = images.push(repository, "v1")
    space.deploy(space.version("v1", repository=repository, container=ALWAYS), serve=False)
    space.roll(space.version("v2"), up=True)
    until("the old Pod is gone", lambda: len(space.pods()) == 1)
    [node] = space.nodes()
    push_index(space, repository, "v1", digest, node["status"]["nodeInfo"]["architecture"])
    fits = space.backout("check", "deploy/shop").expect(0)
    push_index(space, repository, "v1", digest, "s390x")

    ran = space.undo().expect(3)

    assert "PF308" not in fits.findings()

    assert f"image {space.image('v1', repository)} is there for linux/s390x only; " in ran.err
    assert "✗ Not rolled back (PF308). Nothing was changed." in ran.err

    failed = space.undo(*accepting("PF308")).expect(4)
    assert "is there, and not for the platform of the Pod's node" in failed.outcome


def pull_secret(content: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json.dumps(content)},
    }


@pytest.mark.parametrize(
    "by_account",
    [
        pytest.param(False, id="the Pod's", marks=EVERY_CASE),
        pytest.param(True, id="its ServiceAccount's"),
    ],
)
def test_the_pull_secret_of_a_private_image_opens_its_registry(
    space: Space, tmp_path: Path, *, by_account: bool
) -> None:
    listed = {"imagePullSecrets": [{"name": "pull"}]}
    with docker_registry.closed(tmp_path) as address:
        opener = basic(docker_registry.USER, docker_registry.SECRET)
        docker_registry.push(address, "acme/private", "1", authorization=opener)
        image = f"{address}/acme/private:1"
        account = {} if by_account else listed
        if by_account:
            space.merge(listed, kind="ServiceAccount", name="default")
        space.deploy(space.version(image=image, spec=account), up=False)
        space.roll(space.version("v2"), up=True)
        env = {"BACKOUT_REGISTRY_PLAIN_HTTP": f"{space.cluster.registry} {address}"}

        hidden = space.backout("check", "deploy/shop", env=env).expect(0)
        entry = {"username": docker_registry.USER, "password": docker_registry.SECRET}
        space.create(pull_secret({"auths": {address: entry}}))
        seen = space.backout("check", "deploy/shop", "-v", env=env).expect(0)

    assert "PF303" in hidden.findings()
    assert f"Secret {space.name}/pull could not be read: " in hidden.both
    assert "PF303" not in seen.findings()
    assert docker_registry.SECRET not in seen.both + space.journal.read_text()
