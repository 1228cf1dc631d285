"""kubectl and backout go to the same template, whatever the history, or both refuse.

BACKOUT_PARITY_SEED picks other cases; the seed is part of each failure.
"""

from __future__ import annotations

import copy
import os
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from backout.core.kubernetes import template as templates
from tests.cluster.api import Api
from tests.cluster.kinds.histories import Case, Copy, generated
from tests.cluster.manifests import SHORT

if TYPE_CHECKING:
    from tests.cluster.space import Space

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
SEED = int(os.environ.get("BACKOUT_PARITY_SEED", "25"))
AT_ONCE = 4
ATTEMPTS = 10
"""Which of two with one number a controller takes for the newer is told by their names' hashes: two
copies may differ in that, and are made again."""
GO_ON = ("--reason", "parity", "--soak", "0.05s")
MISSING = 99


def cases(count: int, seed: int) -> list[Case]:
    chance = Random(seed)  # noqa: S311 (the same cases for the same seed)
    return [generated(chance, KINDS[number % len(KINDS)]) for number in range(count)]


class End(NamedTuple):
    """How kubectl ended, and in what backout differed from it; empty where it did not."""

    how: str
    differs: str = ""


def compared(space: Space, number: int, case: Case) -> End:
    own = copy.copy(space)  # one connection carries one request at a time
    own.api, own.kind = Api(space.cluster.kubeconfig), case.kind
    try:
        for attempt in range(ATTEMPTS):
            one, other = (Copy(own, case, f"{which}{number}-{attempt}") for which in ("k", "b"))
            for each in (one, other):
                each.make()
            if one.history() == other.history():
                return _compared(own, one, other)
        return End("", f"the two histories differ: {one.history()} and {other.history()}")
    finally:
        own.api.close()


def _compared(own: Space, one: Copy, other: Copy) -> End:
    case, known = one.case, [n for n, _, _ in one.history() if n > 0]
    revision = known[case.place % len(known)] if case.place >= 0 and known else MISSING
    before, history = one.template, one.history()
    target = f"{SHORT[case.kind]}/{one.name}"
    kubectl = own.kubectl("rollout", "undo", target, f"--to-revision={revision}")
    ours = own.undo(*GO_ON, f"--to-revision={revision}", name=other.name)
    moved = not templates.same(before, one.template)
    how = "moved" if moved else ("skipped" if kubectl.code == 0 else "refused")
    what = f"{case}, to {revision} of {history}, {how} by kubectl:\n{kubectl}\n{ours}"
    if not templates.same(one.template, _renamed(other.template, other.name, one.name)):
        return End(how, f"the templates differ: {what}")
    if ours.code != {"moved": 0, "skipped": 3, "refused": 3}[how]:
        return End(how, what)
    if how == "skipped" and "already on target revision" not in ours.err:
        return End(how, what)
    return End(how)


def _renamed(template: Any, old: str, new: str) -> Any:
    labels = {k: new if v == old else v for k, v in template["metadata"]["labels"].items()}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def check(space: Space, count: int, seed: int) -> None:
    made = cases(count, seed)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda one: compared(space, *one), enumerate(made)))
    wrong = [end.differs for end in ends if end.differs]
    assert not wrong, f"seed {seed}: {len(wrong)} of {count} differ\n\n" + "\n\n".join(wrong[:5])
    assert {end.how for end in ends} == {"moved", "skipped", "refused"}, f"seed {seed}"


def test_forty_generated_histories_end_alike(space: Space) -> None:
    check(space, 40, SEED)


@pytest.mark.every_case
@pytest.mark.parametrize("part", range(6))
def test_three_hundred_generated_histories_end_alike(space: Space, part: int) -> None:
    check(space, 50, SEED + 1 + part)
