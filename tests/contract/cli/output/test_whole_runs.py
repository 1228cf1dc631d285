"""Whole runs of the command as a person reads them: a change of words anywhere is seen here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.steps.shop import crash_looping

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command, Finished

FAST = ("--soak", "1s", "--timeout", "20s")
NOT_ENCRYPTED = 'WARN: cluster "test" is asked without TLS: no credentials are sent to it\n'
CRASHED = """\
context test, cluster test, namespace shop, user tester
  now      deployment/web is at revision 2 (app:bad)
           0 of 1 new Pod Ready
           still Ready: 1 Pod of revision 1 (app:good)
  cause    Pod web-2-0: container app ends with exit 3, 5 restarts [CRASH_LOOP]
  log      last lines of container app of Pod web-2-0 (previous run):
  │ well
"""
FAILED = """\
✗ the rollout of deployment/web failed: container app ends with exit 3, 5 restarts
  service  still served by 1 Pod of the old revision; no Pod of the new revision is Ready
  What to do:
    roll back to revision 1 (app:good): backout undo deployment/web -n shop
    read its last run: kubectl logs web-2-0 -n shop -c app --previous
"""


def told(done: Finished) -> tuple[str, str, int]:
    """Return stdout, stderr and the exit code, without the times and ids that no run repeats."""
    out, err = (re.sub(r"\d+(\.\d+)? s\b", "N s", text) for text in (done.out, done.err))
    return out, err.removeprefix(NOT_ENCRYPTED), done.code


@pytest.mark.parametrize(
    "words",
    [("status", "deploy/web", *FAST), ("verify", "deploy/web", *FAST), ("explain", "deploy/web")],
)
async def test_a_failure_that_is_looked_at_ends_with_the_way_back_and_with_where_to_look(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    crash_looping(api)
    assert told(await backout(*words)) == (CRASHED, FAILED, 4)
