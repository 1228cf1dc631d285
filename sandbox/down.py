"""`down`: stop everything and leave nothing."""

from __future__ import annotations

from sandbox import cleaning
from sandbox.errors import SandboxError
from sandbox.folders import state_folder
from sandbox.machine import prerequisites
from sandbox.machine.lock import locked
from sandbox.progress import say, step


def down() -> None:
    """Stop the sandbox and clean up after it, whatever state it is in."""
    machine = prerequisites.this_machine()
    if machine.system != "Linux" or not machine.root:
        raise SandboxError(
            "There is a sandbox to stop only on Linux, and only root can: run it with sudo."
        )
    state = state_folder()
    with locked(state, "`up` or `down` of the sandbox"):
        with step("stopping and cleaning"):
            cleaning.clean(state)
        cleaning.give_back(state)
    say("the sandbox is down")
