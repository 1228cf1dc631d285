from __future__ import annotations

import os
import re

import pytest

from backout.core.trace import trace_id
from backout.steps.identity import identity, operation_id

W3C = "0af7651916cd43dd8448eb211c80319c"
FRESH = "f" * 32


@pytest.mark.parametrize(
    ("asked", "parent", "expected"),
    [
        ("INC-7:a.b_c", f"00-{W3C}-b7ad6b7169203331-01", "INC-7:a.b_c"),
        (None, f"00-{W3C}-b7ad6b7169203331-01", W3C),
        (None, f" 00-{W3C}-b7ad6b7169203331-01\n", W3C),
        (None, None, FRESH),
        (None, "", FRESH),
        (None, "00-" + "0" * 32 + "-b7ad6b7169203331-01", FRESH),
        (None, f"00-{W3C.upper()}-b7ad6b7169203331-01", FRESH),
        (None, f"00-{W3C[:-1]}-b7ad6b7169203331-01", FRESH),
        (None, W3C, FRESH),
        (None, "00-\x1b[2J-x-01", FRESH),
    ],
)
def test_the_trace_id_is_the_users_else_the_parents_else_a_fresh_one(
    asked: str | None, parent: str | None, expected: str
) -> None:
    assert trace_id(asked, parent, fresh=FRESH) == expected


@pytest.mark.parametrize("asked", ["", "a b", "a\nb", "ä", "a/b", "x" * 129, "\x1b"])
def test_a_trace_id_that_no_log_could_carry_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="--trace-id"):
        trace_id(asked, None, fresh=FRESH)


def test_an_operation_id_is_unique_and_fits_in_a_label() -> None:
    made = {operation_id() for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{16,63}", one) for one in made)


def test_the_actor_is_the_person_here_and_the_user_of_the_kubeconfig(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    found = identity("admin")

    assert found.actor == "ann (as admin)"
    assert identity("").actor == "ann"
    assert (found.pid, bool(found.host), bool(found.boot_id)) == (os.getpid(), True, True)


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 1000"), OSError("none")])
def test_a_user_without_a_name_is_told_by_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", fail)

    assert identity("").actor == f"uid {os.getuid()}"
