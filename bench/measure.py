"""Runs commands with hyperfine and makes rows of the medians."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bench.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured target, as a row of a Markdown table."""

    what: str
    ours: str
    theirs: str
    result: str
    target: str
    is_met: bool

    HEADER: ClassVar[str] = (
        "| what | ours | theirs | result | target | met |\n| --- | --- | --- | --- | --- | --- |"
    )

    @property
    def text(self) -> str:
        """The row."""
        met = "yes" if self.is_met else "no"
        return (
            f"| {self.what} | {self.ours} | {self.theirs} | {self.result} | {self.target} | {met} |"
        )


def ratio(
    what: str,
    ours: str,
    theirs: str,
    *,
    runs: int,
    at_most: float | None = None,
    more: float | None = None,
    prepare: str = "",
) -> Row:
    """Return the medians of two commands, compared by ratio (`at_most`) or difference (`more`)."""
    mine, other = medians([ours, theirs], runs=runs, prepare=prepare)
    if at_most is not None:
        found, target = f"{mine / other:.1f} times", f"{at_most:g} times at most"
        is_met = mine / other <= at_most
    else:
        limit = more or 0.0
        found, target = f"{mine - other:+.2f} s", f"{limit:g} s more at most"
        is_met = mine - other <= limit
    return Row(
        what=what,
        ours=f"{mine * 1000:.0f} ms",
        theirs=f"{other * 1000:.0f} ms",
        result=found,
        target=target,
        is_met=is_met,
    )


def medians(commands: list[str], *, runs: int, prepare: str, may_fail: bool = False) -> list[float]:
    """Return each command's median in seconds, all in one run of hyperfine.

    `may_fail`: an exit code tells what was found, as `check` does.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        flags = ["--runs", str(runs), "--warmup", "1", "--export-json", str(file)]
        if may_fail:
            flags.append("--ignore-failure")
        if prepare:
            flags += ["--prepare", prepare]
        shell = ["--shell=none"] if not prepare else []
        subprocess.run(["hyperfine", *flags, *shell, *commands], check=True)
        results = json.loads(file.read_text())["results"]
    return [float(one["median"]) for one in results]


def peak_memory(what: str, scene: Scene, command: str, *, at_most: float) -> Row:
    """Return the peak resident memory of one run, in MB (10^6 bytes), as the kernel counts it."""
    scene.break_now()
    child = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, command)
    megabytes = usage.ru_maxrss * 1024 / 1e6
    return Row(
        what=what,
        ours=f"{megabytes:.0f} MB",
        theirs="-",
        result=f"{megabytes:.0f} MB",
        target=f"{at_most:g} MB at most",
        is_met=megabytes <= at_most,
    )
