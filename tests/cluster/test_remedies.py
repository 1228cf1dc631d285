"""Each remedy that is a whole command, or a whole rule, is used as it is printed: it mends."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster.command import BACKOUT
from tests.cluster.manifests import SHOP
from tests.cluster.test_interruption import killed, rewrite
from tests.cluster.test_permissions import grant, rule, without

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"


def remedies(space: Space, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a check finds now, and its remedies, by id."""
    ran = space.backout("check", DEPLOY, "-o", "json", env=env)
    return {e["id"]: e["remedy"] for e in ran.events if e["event"] in {"finding", "blocked"}}


def typed(space: Space, line: str) -> str:
    """Type a line into a shell where kubectl and backout are those of the test."""
    path = f"{BACKOUT.parent}:{space.cluster.kubectl.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ("bash", "-c", line),
        env={**space.environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_history_is_made_longer_by_the_line_that_is_printed(space: Space) -> None:
    space.deploy(space.version("v1"), revisionHistoryLimit=2)
    space.roll(space.version("v2"), up=True)
    line, _, rest = remedies(space)["PF108"].partition("; ")
    typed(space, line)

    assert rest == "and set it so where it is deployed from"
    assert space.get()["spec"]["revisionHistoryLimit"] == 10
    assert "PF108" not in remedies(space)


def test_the_lock_of_a_process_that_died_elsewhere_is_freed_by_the_line_that_is_printed(
    space: Space,
) -> None:
    killed(space)
    rewrite(space, bootID="00000000-0000-4000-8000-000000000000", host="elsewhere")
    start = "if you know that it has died: "
    line = remedies(space)["PF802"].partition(start)[2]
    # The rollout that is taken over gets on no better: its time-out is not what is tested.
    typed(space, f"{line} --timeout 2s || [ $? = 5 ]")

    assert "PF802" not in remedies(space)


@pytest.mark.parametrize(
    ("resource", "found"),
    [("deployments", "PF803"), ("leases", "PF804"), ("pods/proxy", "PF123")],
)
def test_the_rule_that_is_printed_gives_the_right_that_lacks(
    space: Space, resource: str, found: str
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    reading = rule("apps", "deployments", "get", "list", "watch")
    left = [reading] if resource == "deployments" else []
    lacking = grant(space, "lacking", [*without(resource), *left])
    remedy = remedies(space, lacking)[found]
    printed = remedy.partition("ask for this rule in a Role: ")[2].partition("; or")[0]
    mended = grant(space, "mended", [*without(resource), yaml.safe_load(printed)])

    assert found not in remedies(space, mended)
