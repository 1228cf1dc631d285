"""`python -m bench.verdicts [--write FILE]`: who calls which rollout failed, when, and why.

Each situation of tests/situations is played once, and five times where its outcome depends on
timing: then the worst counts. backout, `kubectl rollout status` and kubedog follow the same rollout
side by side, with a deadline of 240 s. Exits 1 where backout is wrong.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.table import put
from bench.words import WORDS
from sandbox import cluster
from tests.cluster.go_tools import Program
from tests.cluster.manifests import SHOP
from tests.cluster.space import Space
from tests.situations.failing import FAILING
from tests.situations.healthy import HEALTHY
from tests.situations.play import staged
from tests.situations.reported import COMES_AND_GOES, REPORTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.cluster import Cluster
    from tests.situations.situation import Situation

KUBEDOG = Program(module="github.com/werf/kubedog@v0.12.3", package="cmd/kubedog", is_copied=False)
DEADLINE = 240
AT_ONCE = 14
"""Situations played side by side: they wait, and load the machine to a tenth."""
UNDECIDED = 5
HEADER = (
    "| situation | played | suspected | backout | cause | kubectl | cause | kubedog | cause |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
SITUATIONS = {
    **{n: s for n, s in FAILING.items() if s.ends != UNDECIDED},
    **HEALTHY,
    **REPORTED,
    **COMES_AND_GOES,
}


@dataclass
class Heard:
    """What one follower said: when it ended (seconds since the change), how, and its words."""

    code: int
    seconds: float
    text: str
    lines: list[tuple[float, str]] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Return `failed`, `fine`, or empty where there was none within the deadline."""
        timed_out = re.search(r"timed out|timeout|context deadline", self.text, re.IGNORECASE)
        if self.code == 0:
            return "fine"
        is_undecided = self.code == UNDECIDED or (timed_out and self.seconds > DEADLINE - 2)
        return "" if is_undecided else "failed"


def main() -> int:
    """Play everything, print the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--only", default="", help="situations whose name contains this")
    arguments = parser.parse_args()
    sandbox, kubedog = cluster.running(), KUBEDOG.built()
    names = [n for n in SITUATIONS if arguments.only in n]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        heard = list(pool.map(lambda n: played(sandbox, kubedog, n), names))
    rows = [row(name, *three) for name, three in zip(names, heard, strict=True)]
    right = [sum(is_right(n, h[i]) for n, h in zip(names, heard, strict=True)) for i in range(3)]
    ends = [("right verdicts", right)] + [
        (what, [sum(wrong(n, h[i]) for n, h in zip(names, heard, strict=True)) for i in range(3)])
        for what, wrong in WRONG
    ]
    totals = [
        f"| **{what} of {len(names)}** | | | **{a}** | | **{b}** | | **{c}** | |"
        for what, (a, b, c) in ends
    ]
    table = "\n".join([HEADER, *rows, *totals])
    print(table)
    if arguments.write:
        put(arguments.write, "verdicts", table)
    return 0 if right[0] == len(names) else 1


def played(sandbox: Cluster, kubedog: Path, name: str) -> tuple[Heard, Heard, Heard]:
    """Return the worst of what each said, over as many runs as the situation needs."""
    runs = [followed(sandbox, kubedog, name) for _ in range(SITUATIONS[name].plays)]
    first, second, third = zip(*runs, strict=True)
    return _worst(name, first), _worst(name, second), _worst(name, third)


def _worst(name: str, runs: Sequence[Heard]) -> Heard:
    return min(runs, key=lambda one: is_right(name, one))


def followed(sandbox: Cluster, kubedog: Path, name: str) -> tuple[Heard, Heard, Heard]:
    """Play one situation and return what backout, kubectl and kubedog said."""
    situation = SITUATIONS[name]
    with tempfile.TemporaryDirectory() as folder:
        space = Space(sandbox, Path(folder))
        here = f"-n {space.name}"
        backout = f"backout status deploy/{SHOP} {here} -o json --soak {situation.soak}"
        commands = (
            f"{backout} --timeout {DEADLINE}s",
            f"kubectl rollout status deploy/{SHOP} {here} --timeout={DEADLINE}s",
            f"{kubedog} rollout track deployment {SHOP} {here} --timeout {DEADLINE}",
        )
        try:
            with staged(space, situation) as roll, ThreadPoolExecutor(len(commands)) as pool:
                began = time.monotonic()
                roll()
                told = [pool.submit(heard, c, space.environment, began) for c in commands]
                situation.meanwhile(space)
                first, second, third = (t.result() for t in told)
        finally:
            space.close()
    return first, second, third


def heard(command: str, environment: dict[str, str], began: float) -> Heard:
    """Run a command and note when each of its lines came."""
    lines: list[tuple[float, str]] = []
    with subprocess.Popen(
        shlex.split(command),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        for line in child.stdout or ():
            lines.append((time.monotonic() - began, line))  # noqa: PERF401 (the moment counts)
    code = child.returncode
    text = "".join(line for _, line in lines)
    return Heard(code=code, seconds=time.monotonic() - began, text=text, lines=lines)


def row(name: str, ours: Heard, kubectl: Heard, kubedog: Heard) -> str:
    """Return a situation's row."""
    situation = SITUATIONS[name]
    cells = [name, str(situation.plays), suspected(situation, ours)]
    for one in (ours, kubectl, kubedog):
        words = f"{one.verdict} {one.seconds:.1f} s" if one.verdict else "none"
        cells.append(words if is_right(name, one) else f"**{words}**")
        cells.append(named(situation, one))
    return f"| {' | '.join(cells)} |"


def is_right(name: str, one: Heard) -> bool:
    """Tell whether a follower called the rollout what it is, within the deadline."""
    return one.verdict == ("failed" if SITUATIONS[name].code else "fine")


def suspected(situation: Situation, ours: Heard) -> str:
    """Return when backout first told the right cause."""
    for seconds, line in ours.lines:
        told = json.loads(line) if line.startswith("{") else {}
        if situation.code and told.get("code") == situation.code:
            return f"{seconds:.1f} s"
    return "" if not situation.code else "never"


def named(situation: Situation, one: Heard) -> str:
    """Tell whether the cause stands in a follower's words, in whatever form."""
    if not situation.code or one.verdict == "fine":
        return ""
    return "yes" if re.search(WORDS[situation.code], one.text, re.IGNORECASE) else "no"


def _fails_falsely(name: str, one: Heard) -> bool:
    return one.verdict == "failed" and not SITUATIONS[name].code


def _succeeds_falsely(name: str, one: Heard) -> bool:
    return one.verdict == "fine" and bool(SITUATIONS[name].code)


def _names_no_cause(name: str, one: Heard) -> bool:
    return one.verdict == "failed" and named(SITUATIONS[name], one) == "no"


WRONG = (
    ("false failures", _fails_falsely),
    ("false successes", _succeeds_falsely),
    ("missing causes", _names_no_cause),
)


if __name__ == "__main__":
    sys.exit(main())
