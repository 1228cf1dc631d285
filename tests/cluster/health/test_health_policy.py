"""What healthy means is the user's word: bodies, smoke tests, how long it holds, how it was."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.command import BECAUSE
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

SICK = {"HEALTH_STATUS": "503"}


def version(space: Space, tag: str, **env: str) -> Version:
    return space.version(tag, env={"VERSION": tag, **env})


def shop(space: Space, *, first: dict[str, str] | None = None, **env: str) -> Space:
    """Deploy v1, then v2 until it is up and v1 is gone."""
    space.deploy(version(space, "v1", **(first or {})))
    space.roll(version(space, "v2", **env), up=True)
    until("no Pod of v1 runs", lambda: not space.pods(image=space.image("v1")))
    return space


@pytest.mark.every_case
def test_a_body_that_is_not_as_expected_is_unhealthy_and_not_shown(space: Space) -> None:
    flags = ("--health", "/healthz", "--health-text", '"version":"v2"', "--health-timeout", "2s")
    ran = shop(space).undo(*BECAUSE, *flags).expect(4)

    assert "/healthz: HTTP 200, but the body lacks the expected text" in ran.err
    assert '"version":"v1"' not in ran.both
    assert "PF905" in ran.findings()


def test_a_json_field_tells_which_version_answers(space: Space) -> None:
    flags = ("--health", "/healthz", "--health-json", "version=v1")
    ran = shop(space).undo(*BECAUSE, *flags).expect(0)

    assert "service  shop:web/healthz: HTTP 200, but its field version is not as" in ran.out
    assert "healthy: service shop:web/healthz answered well" in ran.outcome
    assert "PF905" not in ran.findings()


def test_a_smoke_test_sees_what_was_rolled_back(space: Space) -> None:
    image = "-o jsonpath='{.spec.template.spec.containers[0].image}'"
    line = f'kubectl get "$BACKOUT_WORKLOAD" -n "$BACKOUT_NAMESPACE" {image} | grep :v1'
    ran = shop(space).undo("--health-command", line).expect(0)

    assert "healthy: command kubectl get" in ran.outcome
    assert space.records()[-1]["health"] == "Healthy"
    (said,) = (e for e in space.journal_lines() if e["event"] == "health")
    assert said["lines"] == [space.image("v1")]


@pytest.mark.every_case
def test_a_smoke_test_that_fails_is_exit_4_with_its_last_words(space: Space) -> None:
    line = "echo order 7 was refused; exit 1"
    ran = shop(space).undo("--health-command", line, "--health-timeout", "2s").expect(4)

    assert "rolled out, and unhealthy: command echo order 7 was refused" in ran.err
    assert "exit 1: exit code 1" in ran.err
    assert "│ order 7 was refused" in ran.out


@pytest.mark.every_case
def test_a_smoke_test_that_hangs_is_killed_and_undecided(space: Space) -> None:
    limits = ("--health-command-timeout", "1s", "--health-timeout", "2s")
    ran = shop(space).undo("--health-command", "sleep 300", *limits).expect(5)

    assert "health is inconclusive: command sleep 300: not over after 1 s, and killed" in ran.err


@pytest.mark.never_again
def test_an_interrupted_smoke_test_leaves_no_process(space: Space) -> None:
    mark = space.folder / "pid"
    line = f"echo $$ > {mark}; sleep 300"
    running = shop(space).start_undo("--health-command", line)
    pid = until("the smoke test runs", lambda: mark.exists() and mark.read_text().strip())
    running.send(signal.SIGTERM)
    ran = running.ended().expect(143)

    assert "was set to revision 1; its rollout was not watched to the end" in ran.err
    assert not is_alive(str(pid))


@pytest.mark.every_case
def test_health_that_goes_bad_while_it_soaks_is_unhealthy(space: Space) -> None:
    until_bad = {"UNHEALTHY_AFTER": "8s"}
    flags = ("--health", "/healthz", "--soak", "11s", "--health-timeout", "14s")
    ran = shop(space, first=until_bad).undo(*BECAUSE, *flags).expect(4)

    said = [line.strip() for line in ran.out.splitlines() if line.startswith("  health   ")]
    assert said == [f"health   service shop:web/healthz: HTTP {status}" for status in (200, 503)]


def test_a_pod_that_answers_well_and_then_dies_puts_the_success_in_question(space: Space) -> None:
    dying = {"CRASH": "1", "CRASH_AFTER": "4s"}
    flags = ("--health", "/healthz", "--soak", "8s", "--timeout", "20s")
    ran = shop(space, first=dying).undo(*BECAUSE, *flags)

    assert ran.code in {4, 5}, ran
    assert "health   service shop:web/healthz: HTTP 200" in ran.out
    assert "note: not settled yet: " in ran.err


def test_what_was_broken_before_is_not_laid_to_the_rollback(space: Space) -> None:
    space = shop(space, first=SICK, **SICK)
    ran = space.undo("--health", "/healthz", "--health-timeout", "2s").expect(4)

    assert "service  shop:web/healthz: HTTP 503" in ran.out
    assert "HTTP 503 (was already so before the rollback)" in ran.err


def test_who_rolls_a_healthy_service_back_is_asked_why_and_strict_refuses(space: Space) -> None:
    ran = shop(space).undo("--strict").expect(3)

    assert "PF905" in ran.findings()
    assert "if it must be rolled back anyway, say why: --reason TEXT" in ran.err
    assert space.wrote() == []
    assert "PF905" not in space.backout("check", "deploy/shop").findings()


@pytest.mark.every_case
def test_a_stuck_rollout_whose_old_pods_answer_is_no_healthy_service(space: Space) -> None:
    space.deploy(version(space, "v1"))
    space.roll(version(space, "missing"))
    ran = space.undo().expect(0)

    assert "service  shop:web/ready: HTTP 200" in ran.out
    assert "PF905" not in ran.findings()


def is_alive(pid: str) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    command = Path("/proc", pid, "cmdline")
    return command.exists() and command.read_bytes() != b""
