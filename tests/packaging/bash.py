"""A real interactive bash in a terminal: keys in, the command line that they make out."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.packaging.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

TAB, ALL, SHOW = "\t", "\x1b*", "\x0f"
"""Complete; insert every completion (readline's own command); show the line and empty it."""
PROMPT = "prompt> "
PATIENCE = 10
"""TABs: on a busy machine completion may take longer than a prompt is let wait, and is silent."""
SETTINGS = r"""
PS1='prompt> '
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
bind 'set completion-query-items -1'
bind 'set page-completions off'
show() { printf '<<<%s>>>' "$READLINE_LINE"; READLINE_LINE=; READLINE_POINT=0; }
bind -x '"\C-o": show'
source <(backout completion bash)
"""


@dataclass(frozen=True, kw_only=True)
class Completed:
    """`line` as it stood afterwards, what else was `shown` on the way, and the `seconds`."""

    line: str
    shown: str
    seconds: float

    @property
    def words(self) -> list[str]:
        return self.line.split()


class Bash:
    """A context manager: bash with `backout` on its PATH and its completion loaded."""

    def __init__(self, folder: Path, environment: Mapping[str, str], settings: str = "") -> None:
        self._folder = folder
        self._terminal = Terminal(columns=5000)  # one row: readline redraws nothing
        self._environment = {
            **environment,
            "PATH": f"{program(folder)}:{environment['PATH']}",
            "TERM": "dumb",
            "INPUTRC": "/dev/null",
        }
        self._settings = settings

    def __enter__(self) -> Self:
        self._terminal.__enter__()
        file = self._folder / "bashrc"
        file.write_text(self._settings + SETTINGS)
        # A session leader that opens a terminal gets it: job control, as in a window.
        opened = 'exec bash --rcfile "$1" -i <"$0" >"$0" 2>&1'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", opened, self._terminal.name, str(file)],
            env=self._environment,
            cwd=self._folder,
            start_new_session=True,
        )
        # Where the prompt stands readline has the terminal: nothing is echoed by the kernel.
        shown = self._terminal.until(f"^(.*?){PROMPT}")[1]
        assert shown == "", shown
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._terminal.__exit__(kind, error, trace)

    def press(self, line: str, key: str = TAB) -> Completed:
        """Type the line and press the key."""
        before = time.monotonic()
        self._terminal.type(line + key + SHOW)
        shown, done = self._terminal.until(r"^(.*?)<<<(.*?)>>>").groups()
        return Completed(
            line=done,
            shown=shown.replace(PROMPT, "").removeprefix(line),
            seconds=time.monotonic() - before,
        )

    def completed(self, typed: str) -> str:
        """Return the line that TAB makes of what is typed."""
        tries = (self.press(typed).line for _ in range(PATIENCE))
        return next((line for line in tries if line != typed), typed)

    def offered(self, line: str) -> list[str]:
        """Return all that is offered for the line's last word, in whole words."""
        before, _, word = line.rpartition(" ")
        tries = (self.press(line, ALL).line for _ in range(PATIENCE))
        words = next((done for done in tries if done != line), line)[len(before) + 1 :].split()
        return [] if words == [word] else words


def program(folder: Path) -> Path:
    """Return a folder with a program `backout`: the one that the tests test."""
    found = folder / "bin"
    found.mkdir(exist_ok=True)
    for name, code in PROGRAMS.items():
        file = found / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {code} "$@"\n')
        file.chmod(0o755)
    return found


PROGRAMS = {
    "backout": "-m backout",
    "kubectl-backout": "-m backout",
    "kubectl_complete-backout": ("-c 'from backout.cli.kubectl import complete; complete()'"),
}
