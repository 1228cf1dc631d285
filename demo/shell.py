"""Runs commands as a person would, shows them with what they print, and keeps a transcript."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

LONGEST = 120.0
"""Seconds that one command may take."""


class DemoError(Exception):
    """What was seen is not what was promised."""


class Shell:
    """A shell with the sandbox's kubectl and the installed backout on its PATH.

    `transcript` is all that was shown; `excerpt` the first command of backout in it.

    `folder` takes a kubeconfig of its own, whose namespace the demo may set.
    """

    def __init__(self, sandbox: Cluster, folder: Path) -> None:
        kubeconfig = folder / "kubeconfig"
        shutil.copy(sandbox.kubeconfig, kubeconfig)
        installed = Path(sys.executable).parent
        self._environment = {
            **os.environ,
            "PATH": f"{installed}:{sandbox.kubectl.parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(kubeconfig),
        }
        self.transcript = ""
        self.excerpt = ""

    def show(self, command: str, *, expect: int = 0, contains: tuple[str, ...] = ()) -> str:
        """Run a command, show it and its output; raise DemoError where it is not as promised."""
        self._print(f"$ {command}\n")
        code, output = self._run(command)
        self._print(output)
        if command.startswith("backout") and not self.excerpt:
            self.excerpt = f"$ {command}\n{output}"
        if code != 0:
            self._print(f"$ echo $?\n{code}\n")
        if code != expect:
            raise DemoError(f"`{command}` ended with {code}, {expect} was promised")
        missing = [text for text in contains if text not in output]
        if missing:
            raise DemoError(f"`{command}` did not print {missing[0]!r}")
        return output

    def export(self, name: str, value: str) -> None:
        """Set a variable for all later commands, and show it."""
        self._environment[name] = value
        self._print(f"$ export {name}={shlex.quote(value)}\n")

    def say(self, text: str) -> None:
        """Show a comment between the commands."""
        self._print(f"\n# {text}\n")

    def quietly(self, command: str, *, given: str = "") -> str:
        """Run a command that is no part of the story; raise DemoError where it fails."""
        code, output = self._run(command, given)
        if code != 0:
            raise DemoError(f"`{command}` failed: {output.strip()}")
        return output

    def _run(self, command: str, given: str = "") -> tuple[int, str]:
        try:
            done = subprocess.run(
                shlex.split(command),
                env=self._environment,
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise DemoError(f"`{command}` did not end within {LONGEST:g} s") from expired
        return done.returncode, done.stdout

    def _print(self, text: str) -> None:
        self.transcript += text
        print(text, end="", flush=True)
