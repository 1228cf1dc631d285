"""Rules of the protocol, each taken out of the real code: a test must go red.

A mutation names a text of the source that stands there exactly once, so that it fails loudly when
the code has moved on, and the test that knows what the rule is for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import backout

ROOT = Path(__file__).parents[2]
SOURCE = Path(backout.__file__).parent
LONGEST = 120.0
INTERLEAVINGS = "tests/protocol/test_interleavings.py::"
HEAL = "tests/contract/steps/acting/test_heal.py::"


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """`old` in `file` becomes `new`; `test` is what must notice."""

    rule: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        rule="fields are handed back only while the template is ours",
        file="steps/acting/heal.py",
        old="return has_marker and template",
        new="return True or template",
        test=HEAL + "test_a_template_that_somebody_has_changed_since_is_left_alone",
    ),
    Mutation(
        rule="a second write without an answer is not sent again",
        file="steps/acting/heal.py",
        old="            return await _looked(run, ours, error)\n",
        new="            workload = None\n            continue\n",
        test=HEAL + "test_after_an_answer_that_was_lost_it_is_looked_at_and_not_sent_again",
    ),
    Mutation(
        rule="no second write once the lock is lost",
        file="steps/acting/heal.py",
        old="            held.check_fresh(run)\n",
        new="",
        test=HEAL + "test_nothing_is_handed_back_once_the_lock_is_lost",
    ),
    Mutation(
        rule="no second write after a 409 where the lock was lost",
        file="steps/acting/heal.py",
        old="            held.check(run, await see(run))\n",
        new="",
        test=HEAL + "test_after_a_409_the_lease_is_read_before_it_is_made_again",
    ),
    Mutation(
        rule="the second write is over before the lock is let go",
        file="steps/acting/heal.py",
        old="    return (await unbroken(request, patience=run.limits.wind_down / 2)).object\n",
        new="    return (await request).object\n",
        test=HEAL + "test_an_interruption_waits_for_its_answer_before_the_lock_is_let_go",
    ),
    Mutation(
        rule="what is needed to hand fields back stands on record before the PATCH",
        file="steps/ledger/lock.py",
        old="owners=healing.owners if healing.is_kept else (),",
        new="owners=(),",
        test=HEAL + "test_what_is_needed_is_on_record_before_anything_is_changed",
    ),
    Mutation(
        rule="the fence",
        file="steps/ledger/settle.py",
        old="await _fence(run, path, record, time.monotonic_ns())",
        new="await run.client.get(path)",
        test=INTERLEAVINGS
        + "test_a_patch_that_is_under_way_fails_once_a_successor_has_looked_for_it",
    ),
    Mutation(
        rule="the order: the workload is read before the ledger is checked",
        file="steps/acting/act.py",
        old="        held.check_fresh(run)\n",
        new="        held.check_fresh(run)\n        workload = await run.client.get("
        "paths.workload(run.target))\n",
        test=INTERLEAVINGS
        + "test_a_run_whose_lock_is_taken_after_it_was_checked_does_not_land_its_patch",
    ),
    Mutation(
        rule="the recheck after a 409",
        file="steps/acting/act.py",
        old="            await _still_ours(run, held)\n",
        new="            await _still_ours(run, held) if attempt > 1 else None\n",
        test=INTERLEAVINGS + "test_a_run_that_meets_a_409_and_has_lost_its_lock_sends_nothing_more",
    ),
    Mutation(
        rule="the generation decides what an absent marker means",
        file="steps/ledger/settle.py",
        old="state = State.NOT_APPLIED if untouched else State.UNDECIDED",
        new="state = State.NOT_APPLIED",
        test=INTERLEAVINGS
        + "test_a_patch_that_landed_and_whose_marker_was_wiped_is_not_called_not_applied",
    ),
    Mutation(
        rule="the generation is compared before the act",
        file="steps/acting/act.py",
        old="if objects.generation(planned) != objects.generation(now):",
        new="if not planned:",
        test=INTERLEAVINGS + "test_a_spec_that_changes_between_plan_and_act_is_planned_again",
    ),
    Mutation(
        rule="the PATCH has the resourceVersion as its precondition",
        file="core/history/patch.py",
        old='"path": "/metadata/resourceVersion"',
        new='"path": "/metadata/name"',
        test="tests/core/history/test_patch.py",
    ),
    Mutation(
        rule="the Lease is written by compare-and-swap",
        file="steps/ledger/lease.py",
        old='metadata.pop("managedFields", None)',
        new='metadata.pop("resourceVersion", None)',
        test=INTERLEAVINGS + "test_an_intent_that_comes_after_anothers_is_not_written",
    ),
    Mutation(
        rule="the epoch is part of the hold",
        file="steps/ledger/lease.py",
        old="if lock.holder != run.op or lock.epoch != self.epoch:",
        new="if lock.holder != run.op:",
        test=INTERLEAVINGS + "test_a_hold_of_another_epoch_is_not_ours_whoever_its_holder_is",
    ),
    Mutation(
        rule="a record that somebody closed is not acted upon",
        file="steps/acting/act.py",
        old="if record is None or record.state is not State.INTENT:",
        new="if record is None:",
        test=INTERLEAVINGS + "test_a_record_that_was_closed_under_us_stops_the_patch",
    ),
    Mutation(
        rule="an unclear answer is never followed by a second PATCH",
        file="steps/acting/act.py",
        old="    except Unclear as error:\n        return error\n",
        new="    except Unclear:\n        return None\n",
        test="tests/contract/steps/acting/test_act.py::"
        "test_a_patch_that_never_landed_is_told_so_and_not_sent_again",
    ),
    Mutation(
        rule="the breaker is judged on the ledger that the write replaces",
        file="steps/ledger/lock.py",
        old="snapshot = replace(plan.preflight.snapshot, lease=lease, now=now)",
        new="snapshot = plan.preflight.snapshot",
        test=INTERLEAVINGS + "test_an_intent_that_comes_after_anothers_is_not_written",
    ),
    Mutation(
        rule="what is open counts for the breaker",
        file="core/ledger/records.py",
        old="return self.state is not State.NOT_APPLIED",
        new="return self.state is not State.NOT_APPLIED and not self.is_open",
        test="tests/core/ledger/test_breaker.py",
    ),
    Mutation(
        rule="an older failure to read the Lease excuses nothing",
        file="core/checks/breaker.py",
        old="for check in checks for fact",
        new="for check in checks if not preflight.snapshot.unreadable for fact",
        test="tests/core/checks/test_breaker.py",
    ),
    Mutation(
        rule="once back, not twice: before the plan",
        file="steps/undo.py",
        old="back = _in_the_way(run, snapshot)",
        new="back = None",
        test="tests/contract/steps/acting/test_once_back.py::"
        "test_a_rollback_that_succeeded_is_not_repeated",
    ),
    Mutation(
        rule="once back, not twice: on the ledger that the write replaces",
        file="steps/ledger/lock.py",
        old="if why := _outdated(plan, seen):",
        new="if why := '':",
        test="tests/contract/steps/acting/test_once_back.py::"
        "test_a_plan_made_before_another_rollback_was_seen_is_made_again",
    ),
    Mutation(
        rule="a process of another PID namespace is not known to be dead",
        file="steps/ledger/processes.py",
        old="place == (here.host, here.boot_id, here.namespace)",
        new="place[:2] == (here.host, here.boot_id)",
        test="tests/contract/steps/ledger/test_processes.py",
    ),
    Mutation(
        rule="a hold that was not confirmed is not acted upon",
        file="steps/acting/act.py",
        old="        held.check_fresh(run)\n",
        new="",
        test="tests/contract/steps/ledger/test_wait.py::"
        "test_a_lock_that_was_not_confirmed_for_two_thirds_of_its_duration_is_not_acted_upon",
    ),
)


def copied(folder: Path) -> Path:
    """Return the root of a copy of the package, to be put before all others."""
    shutil.copytree(SOURCE, folder / "backout", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def mutate(root: Path, mutation: Mutation) -> None:
    path = root / "backout" / mutation.file
    text = path.read_text()
    assert text.count(mutation.old) == 1, (
        f"{mutation.file} holds it {text.count(mutation.old)} times"
    )
    path.write_text(text.replace(mutation.old, mutation.new))


def run_tests(root: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests against the copy, which is made sure of; stop at the first that fails."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    environment.pop("PYTEST_ADDOPTS", None)
    where = "import backout; print(backout.__file__)"
    found = _run([sys.executable, "-c", where], environment)
    assert found.stdout.startswith(str(root)), f"another backout is imported: {found.stdout}"
    words = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return _run([sys.executable, "-m", "pytest", *words, *tests], environment)


def _run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
