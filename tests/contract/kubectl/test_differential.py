from __future__ import annotations

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from tests.contract.kubectl import asked, pki
from tests.contract.kubectl.conftest import seed
from tests.contract.kubectl.deliberate import GENERATED
from tests.contract.kubectl.features import FEATURES
from tests.contract.kubectl.generate import ENOUGH, described, generate
from tests.contract.kubectl.recorder import Recorder
from tests.contract.kubectl.verdict import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.kubectl.sets import Set

COUNT = 600
FIRST = 150
WORKERS = 3


def test_there_are_enough_sets_and_each_feature_is_in_enough_of_them() -> None:
    counts = Counter(name for made in generate(seed(), COUNT) for name in made.features)

    assert COUNT >= 500
    assert {name: counts[name] for name in FEATURES if counts[name] < ENOUGH} == {}, seed()


@pytest.mark.slow
def test_kubectl_and_backout_agree_about_the_first_sets(tmp_path: Path) -> None:
    outcomes = compared(generate(seed(), COUNT)[:FIRST], tmp_path)

    assert_equal(outcomes)
    assert sum(not one.kubectl_sent.error for one in outcomes) >= FIRST / 8


@pytest.mark.every_case
def test_kubectl_and_backout_agree_about_every_set(tmp_path: Path) -> None:
    outcomes = compared(generate(seed(), COUNT), tmp_path)
    reasons = assert_equal(outcomes)

    assert reasons == set(GENERATED), f"BACKOUT_SEED={seed()}"
    assert sum(not one.kubectl_sent.error for one in outcomes) >= COUNT / 4


def assert_equal(outcomes: list[Outcome]) -> set[str]:
    """Fail where they differ without a deliberate reason; return the reasons that occurred."""
    differing = {one.set.number: list(one.disagreements()) for one in outcomes}
    reasons = {
        one.set.number: {name for name, applies in GENERATED.items() if applies(one)}
        for one in outcomes
    }
    wrong = [one for one in outcomes if differing[one.set.number] and not reasons[one.set.number]]
    report = "\n\n".join(
        described(one.set) + "\n  " + "\n  ".join(differing[one.set.number]) for one in wrong[:5]
    )

    assert not wrong, f"{len(wrong)} sets differ, BACKOUT_SEED={seed()}\n{report}"
    return {name for number, names in reasons.items() if differing[number] for name in names}


def compared(sets: list[Set], folder: Path) -> list[Outcome]:
    """Ask both programs about every set, some at a time, each worker with a server of its own."""
    free: SimpleQueue[Recorder] = SimpleQueue()

    def compare(made: Set) -> Outcome:
        recorder = free.get()
        try:
            return outcome(made, folder / str(made.number), recorder, keep=folder)
        finally:
            free.put(recorder)

    recorders = [Recorder(pki.server_context) for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for recorder in recorders:
            free.put(recorder.__enter__())
        try:
            return list(pool.map(compare, sets))
        finally:
            for recorder in recorders:
                recorder.__exit__()


def outcome(made: Set, folder: Path, recorder: Recorder, *, keep: Path) -> Outcome:
    """Ask; where backout refuses there are no values, and only kubectl's request tells more."""
    written = made.materialise(folder, recorder, keep)
    ours = asked.backout_says(written)
    sent = ours if ours.error else asked.backout_asks(ours.value, recorder)
    found = Outcome(
        set=made,
        written=written,
        kubectl_said=asked.Said(error="not asked") if ours.error else asked.kubectl_says(written),
        kubectl_sent=asked.kubectl_asks(written, recorder),
        backout_said=ours,
        backout_sent=sent,
    )
    if not list(found.disagreements()):
        shutil.rmtree(folder)
    return found
