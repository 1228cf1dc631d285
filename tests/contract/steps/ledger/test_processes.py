"""A dead process is told from one that cannot be seen: by boot, namespace and start time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.steps.identity import identity, started
from backout.steps.ledger.processes import is_dead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.steps.run import Identity

HERE = identity("tester")


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def zombie() -> Iterator[int]:
    """Return the number of a process that has ended, and that nobody has waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()
    process.stdout.close()


def test_this_process_lives() -> None:
    assert HERE.namespace
    assert HERE.started == started(os.getpid())
    assert not is_dead(HERE, HERE)


def test_a_process_that_ended_is_dead(gone: int) -> None:
    assert is_dead(replace(HERE, pid=gone), HERE)


def test_one_that_nobody_waited_for_is_dead(zombie: int) -> None:
    assert is_dead(replace(HERE, pid=zombie, started=started(zombie)), HERE)


def test_a_number_that_another_process_has_by_now_is_no_sign_of_life() -> None:
    assert is_dead(replace(HERE, started="1"), HERE)


@pytest.mark.parametrize("field", ["host", "boot_id", "namespace", "started"])
def test_what_is_not_known_is_never_called_dead(field: str, gone: int) -> None:
    one = replace(HERE, pid=gone)
    assert not is_dead(changed(one, field, ""), HERE)
    if field != "started":
        assert not is_dead(changed(one, field, "another"), HERE)
        assert not is_dead(one, changed(HERE, field, ""))


def changed(one: Identity, field: str, value: str) -> Identity:
    facts: dict[str, Any] = {field: value}
    return replace(one, **facts)


def test_a_live_process_is_not_dead_to_another_pid_namespace() -> None:
    """Two containers of one host share its name and boot id, and see not each other's processes."""
    script = (
        "import sys; from backout.steps.identity import identity; "
        "from backout.steps.ledger.processes import is_dead; from msgspec.structs import replace; "
        "one = replace(identity(''), pid=int(sys.argv[1]), namespace=sys.argv[2], "
        "started=sys.argv[3]); print(is_dead(one, identity('')), "
        "is_dead(replace(one, namespace=identity('').namespace), identity('')))"
    )
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    words = [*unshare, sys.executable, "-c", script, str(os.getpid()), HERE.namespace, HERE.started]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode != 0 and "unshare" in ended.stderr:
        pytest.skip(f"no PID namespace can be made here: {ended.stderr}")

    assert ended.stdout.split() == ["False", "True"], ended.stderr
