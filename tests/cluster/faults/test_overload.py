"""An API server that is too busy for a write executed nothing: it is asked again, and once done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.busy import writer
from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import scene

if TYPE_CHECKING:
    from tests.cluster.space import Space

WRITES = {
    "the intent": ("create", "leases", "POST"),
    "the PATCH": ("patch", "deployments", "PATCH"),
    "the record": ("update", "leases", "PUT"),
}


@pytest.mark.parametrize(
    "what",
    [
        "the PATCH",
        *(pytest.param(w, marks=pytest.mark.every_case) for w in ("the intent", "the record")),
    ],
)
def test_a_write_that_finds_no_seat_is_made_again_and_is_done_once(space: Space, what: str) -> None:
    """The answer is plain text, and known by its header: measured on 1.34.4."""
    verb, resource, method = WRITES[what]
    with recorded(space) as history, writer(space) as busy, scene(space, token=busy.token) as stage:
        stage.broken()
        is_first = True

        def before(_: int, line: str) -> None:
            if is_first and line.startswith(method) and f"/{resource}" in line:
                busy.taken()

        def after(_: int, line: str) -> None:
            nonlocal is_first
            if is_first and line.startswith(method) and f"/{resource}" in line:
                is_first = False
                busy.freed()

        ended = stage.undo(hooks={"before": before, "after": after})
        codes = [e["responseStatus"]["code"] for e in space.audited(verb, resource)]

        assert ended.code == 0, str(ended)
        assert codes[0] == 429, codes
        assert codes.count(429) == 1, codes
        assert stage.is_undone
        assert stage.states == ["SUCCEEDED"]
        assert stage.holder == ""
        assert ended.out.count("rollback triggered for") == 1
        history.check(limit=1)
