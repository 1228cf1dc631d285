from __future__ import annotations

import pytest

from backout.core.diagnosis.causes import Cause
from backout.core.diagnosis.condemning import condemns
from backout.core.diagnosis.groups import TABLE, Ground, Group, GroupRule

ROWS = [pytest.param(code, row, id=f"{code}-{row.rule}") for code in TABLE for row in TABLE[code]]


def cause(code: str, row: GroupRule, *, is_final: bool = True) -> Cause:
    return Cause(
        code=code,
        uid="u",
        subject="Pod x",
        message="",
        evidence="",
        remedy="",
        ground=Ground(row=row),
        is_final=is_final,
    )


@pytest.mark.parametrize(("code", "row"), ROWS)
def test_what_nobody_else_can_make_right_condemns_a_template_and_the_surroundings_do_not(
    code: str, row: GroupRule
) -> None:
    is_own = row.group in {Group.NOBODY, Group.PROCESS}
    assert condemns([cause(code, row)]) == is_own
    assert not condemns([cause(code, row, is_final=False)])


def test_a_full_quota_beside_a_crash_that_is_certain_does_not_hide_it() -> None:
    quota, crash = cause("QUOTA", TABLE["QUOTA"][0]), cause("CRASH_LOOP", TABLE["CRASH_LOOP"][0])
    assert not condemns([quota])
    assert condemns([quota, crash])
    assert not condemns([])
