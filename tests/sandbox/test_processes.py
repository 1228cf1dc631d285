from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.machine import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        yield child
        child.kill()


def identity_of(child: subprocess.Popen[bytes]) -> processes.Identity:
    found = processes.identity(child.pid)
    assert found is not None
    return found


def test_a_recycled_pid_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    earlier = dataclasses.replace(identity_of(sleeper), start_ticks=1)

    assert not processes.send(earlier, signal.SIGKILL)
    assert processes.kill([earlier]) == []
    assert sleeper.poll() is None


def test_a_pid_of_another_boot_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    earlier = dataclasses.replace(identity_of(sleeper), boot_id="another boot")

    assert not processes.send(earlier, signal.SIGKILL)
    assert sleeper.poll() is None


def test_killing_waits_until_the_process_is_gone(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identity_of(sleeper)

    assert processes.kill([identity]) == []
    assert not processes.alive(identity)


def test_a_process_that_ended_is_not_alive_even_before_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        identity = processes.identity(child.pid)
        deadline = time.monotonic() + 10
        while identity is not None and processes.alive(identity) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert identity is None or not processes.alive(identity)


def test_a_stopped_process_is_told_from_a_running_one(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identity_of(sleeper)

    assert not processes.is_stopped(identity)
    processes.send(identity, signal.SIGSTOP)
    deadline = time.monotonic() + 10
    while not processes.is_stopped(identity):
        assert time.monotonic() < deadline
    processes.send(identity, signal.SIGCONT)


def test_a_started_daemon_is_recorded_and_logs_into_its_file(tmp_path: Path) -> None:
    record, log = tmp_path / "run" / "echo.json", tmp_path / "logs" / "echo.log"
    script = "import os, time; print(sorted(os.environ), flush=True); time.sleep(60)"

    started = processes.start([sys.executable, "-c", script], {"ONLY": "this"}, log, record)
    deadline = time.monotonic() + 10
    while not log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert processes.recorded(record) == started
    assert "ONLY" in log.read_text()
    assert "PATH" not in log.read_text()
    assert processes.kill([started]) == []


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', json.dumps([1])])
def test_a_record_that_was_cut_short_is_no_record(tmp_path: Path, text: str) -> None:
    record = tmp_path / "etcd.json"
    record.write_text(text)

    assert processes.recorded(record) is None


def test_a_command_with_parentheses_and_blanks_in_its_name_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as child:
        assert identity_of(child).start_ticks > 1
        child.kill()
