"""Ways of applying that come together, each against a twin that went back by `kubectl apply`."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.difference import shown
from backout.core.difference.fields import differences
from backout.core.heal.hand_back import is_ours
from backout.core.outcome import Result
from tests.cluster.heal.twins import CLIENT, SERVER, Twins, observed, rolled_back
from tests.cluster.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.cluster import Cluster
    from tests.cluster.api import Object

MESH = ("--server-side", "--field-manager", "mesh")
SECRET = "correct-horse"


@pytest.fixture
def other(sandbox: Cluster, tmp_path: Path) -> Iterator[Space]:
    folder = tmp_path / "other"
    folder.mkdir()
    made = Space(sandbox, folder)
    yield made
    made.close()


def manifest(image: str, *, env: Any = (), volumes: Any = (), **more: Any) -> Object:
    """Return a Deployment named t0 without Pods; a volume is mounted where it is called."""
    container = {
        "name": "app",
        "image": image,
        "env": [{"name": n, "value": v} for n, v in dict(env).items()],
        "volumeMounts": [{"name": v, "mountPath": f"/{v}"} for v in volumes],
        **more,
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": v, "emptyDir": {}} for v in volumes],
    }
    spec = {"metadata": {"labels": {"app": "t0"}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "t0"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "t0"}}, "template": spec},
    }


def v1(space: Space) -> Object:
    return manifest(
        space.image("v1"), env={"MODE": "a", "OLD": SECRET}, volumes=("data", "scratch")
    )


def bad(space: Space) -> Object:
    return manifest(space.image("v2"), env={"MODE": "a", "BAD": "1"}, volumes=("data",))


def v3(space: Space) -> Object:
    return manifest(space.image("v2"), env={"MODE": "a", "FIX": "1"}, volumes=("data",))


def mesh(image: str) -> Object:
    """Return what another applier adds: a sidecar with a volume of its own."""
    made = copy.deepcopy(manifest(image, volumes=("certs",)))
    pod = made["spec"]["template"]["spec"]
    pod["containers"][0]["name"] = "proxy"
    del made["spec"]["replicas"]
    return made


def gone_back(twins: Twins, old: Object, *force: str) -> None:
    """Go back in both ways."""
    outcomes = asyncio.run(rolled_back(twins.back, ["t0"]))
    assert outcomes["t0"].result is Result.SUCCEEDED, outcomes
    twins.applied(twins.apart, [old], *force).expect(0)
    observed(twins.apart)


def both_are_the_same(twins: Twins) -> None:
    """Fail unless both templates are the same, but for the order of volumes.

    Server-side apply puts what it adds behind what others have.
    """
    one, two = (s.get(name="t0")["spec"]["template"] for s in (twins.apart, twins.back))
    for made in (one, two):
        made["spec"].get("volumes", []).sort(key=lambda v: str(v["name"]))
    lines = shown.lines(differences(one, two), with_values=True)
    assert not lines, "\n".join(lines)


def test_what_another_applier_adds_stays_his(space: Space, other: Space) -> None:
    ci, by_mesh = Twins(other, space, SERVER), Twins(other, space, MESH)
    ci.deployed([v1(space)])
    by_mesh.deployed([mesh(space.image("v1"))])
    ci.deployed([bad(space)])
    revision = max(space.revisions("t0")) - 1
    outcomes = asyncio.run(rolled_back(space, ["t0"], revision=revision))
    assert outcomes["t0"].result is Result.SUCCEEDED, outcomes
    ci.applied(other, [v1(space)]).expect(0)
    observed(other)

    both_are_the_same(ci)
    assert not is_ours(space.get(name="t0"))
    for twins, made in ((by_mesh, mesh(space.image("v1"))), (ci, v3(space))):
        twins.deployed([made])
        both_are_the_same(ci)


def test_several_appliers_deployed_between_the_target_and_the_bad_revision(
    space: Space, other: Space
) -> None:
    """The newest of them is not who dropped what comes back: rule 3 goes by the nearest parent."""
    ci, by_mesh = Twins(other, space, SERVER), Twins(other, space, MESH)
    ci.deployed([v1(space)])
    ci.deployed([bad(space)])
    by_mesh.deployed([mesh(space.image("v1"))])
    by_mesh.deployed([mesh(space.image("v2"))])
    outcomes = asyncio.run(rolled_back(space, ["t0"], revision=1))
    assert outcomes["t0"].result is Result.SUCCEEDED, outcomes

    assert not is_ours(space.get(name="t0"))
    by_mesh.applied(space, [mesh(space.image("v2"))]).expect(0)
    ci.applied(space, [v3(space)]).expect(0)
    env = {e["name"] for e in space.template("t0")["spec"]["containers"][0]["env"]}
    assert env == {"MODE", "FIX"}


@pytest.mark.parametrize("how", [CLIENT, SERVER], ids=["client-side", "server-side"])
def test_a_hotfix_by_hand_is_in_nobodys_way(
    space: Space, other: Space, how: tuple[str, ...]
) -> None:
    twins = Twins(other, space, how)
    twins.deployed([v1(space)])
    twins.deployed([bad(space)])
    for one in (space, other):
        one.kubectl("set", "env", "deploy/t0", "DEBUG=1", "MODE=b").expect(0)
        observed(one)
    gone_back(twins, v1(space), *(["--force-conflicts"] if how else []))
    assert not how or not is_ours(space.get(name="t0"))

    for ran in twins.both([v3(space)]):
        ran.expect(0)
    assert {"MODE", "FIX"} <= {
        e["name"] for e in space.template("t0")["spec"]["containers"][0]["env"]
    }
    assert "scratch" not in json.dumps(space.template("t0"))


def test_a_change_from_client_side_to_server_side_apply_afterwards_works_as_usual(
    space: Space, other: Space
) -> None:
    twins = Twins(other, space, CLIENT)
    twins.deployed([v1(space)])
    twins.deployed([bad(space)])
    gone_back(twins, v1(space))

    now = Twins(other, space, ("--server-side",))
    for made in (v3(space), manifest(space.image("v1"))):
        now.deployed([made])
        both_are_the_same(now)


def test_two_rollbacks_in_a_row_are_healed_both(space: Space, other: Space) -> None:
    twins = Twins(other, space, SERVER)
    twins.deployed([v1(space)])
    twins.deployed([bad(space)])
    gone_back(twins, v1(space))
    twins.deployed([bad(space)])
    outcomes = asyncio.run(rolled_back(space, ["t0"], revision=3))
    assert outcomes["t0"].result is Result.SUCCEEDED, outcomes
    twins.applied(other, [v1(space)]).expect(0)

    both_are_the_same(twins)
    twins.deployed([v3(space)])
    both_are_the_same(twins)


def by_command(space: Space, how: tuple[str, ...], *words: str) -> Any:
    """Apply v1 and the bad one here, and go back by the whole command."""
    twins = Twins(space, space, how)
    for made in (v1(space), bad(space)):
        twins.applied(space, [made]).expect(0)
        observed(space)
    return space.undo("--to-revision", "1", "--reason", "test", *words, name="t0").expect(0)


@pytest.mark.parametrize(
    ("how", "told", "next_one"),
    [
        (CLIENT, "last-applied-configuration is healed", "kubectl apply works as if"),
        (SERVER, "the fields that change are handed back", "are handed back to ci"),
    ],
    ids=["client-side", "server-side"],
)
def test_the_whole_command_says_it_before_the_act_and_does_it_and_shows_no_value(
    space: Space, how: tuple[str, ...], told: str, next_one: str
) -> None:
    ran = by_command(space, how)
    Twins(space, space, how).applied(space, [v3(space)]).expect(0)

    assert told in ran.err
    assert next_one in ran.both
    assert "scratch" not in json.dumps(space.template("t0"))
    everywhere = ran.both + space.journal.read_text() + json.dumps(space.lease("t0"))
    assert SECRET not in everywhere


SAID: list[tuple[tuple[str, ...], str, Callable[[Any], bool]]] = [
    (CLIENT, "a corrected deploy would keep", lambda ran: ran.code == 0),
    (SERVER, "would meet a conflict with backout", lambda ran: "conflict" in ran.err),
]


@pytest.mark.parametrize(("how", "said", "ends"), SAID, ids=["client-side", "server-side"])
def test_without_healing_what_was_foretold_comes_true(
    space: Space, how: tuple[str, ...], said: str, ends: Callable[[Any], bool]
) -> None:
    ran = by_command(space, how, "--no-heal")
    after = Twins(space, space, how).applied(space, [v3(space)])

    assert said in ran.err, str(ran)
    assert "scratch" in ran.err
    assert ends(after), str(after)
    assert "scratch" in json.dumps(space.template("t0"))
