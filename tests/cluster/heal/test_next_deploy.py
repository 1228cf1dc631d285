"""The deploy after a rollback: nobody can tell that it was no deploy of the old manifest.

Generated triples (old, bad, next) against the API server; no Pod runs.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from backout.core.difference import shown
from backout.core.difference.fields import differences
from backout.core.heal.hand_back import is_ours
from backout.core.outcome import Result
from tests.cluster.heal.triples import triples
from tests.cluster.heal.twins import (
    CLIENT,
    SERVER,
    Twins,
    answered,
    named,
    observed,
    rolled_back,
    templates,
    workloads,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sandbox.cluster import Cluster
    from tests.cluster.api import Object

from tests.cluster.space import Space

COUNT = 30
SEEDS = [
    int(os.environ.get("BACKOUT_TRIPLES_SEED", "1")),
    *(pytest.param(seed, marks=pytest.mark.every_case) for seed in range(2, 11)),
]
"""30 triples a seed: one in `make test`, ten in `make test-all`."""


@pytest.fixture
def other(sandbox: Cluster, tmp_path: Path) -> Iterator[Space]:
    folder = tmp_path / "other"
    folder.mkdir()
    made = Space(sandbox, folder)
    yield made
    made.close()


@pytest.mark.parametrize("how", [CLIENT, SERVER], ids=["client-side", "server-side"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_applied_next_is_as_if_the_old_manifest_had_been_applied(
    space: Space, other: Space, how: tuple[str, ...], seed: int
) -> None:
    print(f"seed {seed}, {COUNT} triples")  # noqa: T201 (a failure is told with its seed)
    made = triples(seed, COUNT, [space.image("v1"), space.image("v2")])
    old, bad, following = ([getattr(t, w) for t in made] for w in ("old", "bad", "next"))
    names = [named(one) for one in old]
    twins = Twins(other, space, how)
    twins.deployed(old)
    twins.deployed(bad)
    was_bad = templates(workloads(space))

    outcomes = asyncio.run(rolled_back(space, names))
    twins.applied(other, old).expect(0)
    observed(other)

    assert {o.result for o in outcomes.values()} == {Result.SUCCEEDED}, outcomes
    live = templates(workloads(space))
    differ(live, templates(workloads(other)))
    assert [named(one) for one in workloads(space) if is_ours(one)] == []

    same(twins, old, live)
    same(twins, bad, was_bad)
    for ran in twins.both(following):
        ran.expect(0)
    differ(templates(workloads(space)), templates(workloads(other)))


def same(twins: Twins, manifests: list[Object], wanted: Mapping[str, Object]) -> None:
    """Fail unless these manifests would give these templates in both, by the server's dry run."""
    for ran in twins.both(manifests, "--dry-run=server", "-o", "json"):
        ran.expect(0)
        differ(answered(ran), wanted)


def differ(found: Mapping[str, Object], wanted: Mapping[str, Object]) -> None:
    """Fail with the first difference of two sets of templates."""
    assert found.keys() == wanted.keys()
    for name, one in found.items():
        lines = shown.lines(differences(wanted[name], one), with_values=True)
        assert not lines, "\n".join([name, *lines])
