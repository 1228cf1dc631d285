"""The rules that kube-proxy leaves behind: all in chains named KUBE-*."""

from __future__ import annotations

import subprocess
from itertools import pairwise

from sandbox.errors import SandboxError
from sandbox.machine.prerequisites import find

PREFIX = "KUBE-"
FAMILIES = ("iptables", "ip6tables")
FLAVOURS = ("nft", "legacy")
TABLES = ("nat", "filter", "mangle")


def usable_flavour() -> str:
    """Return the flavour this kernel supports, Debian's own default first."""
    for flavour in FLAVOURS:
        program = find(f"iptables-{flavour}")
        if program is not None and all(_works(program, table) for table in TABLES):
            return flavour
    raise SandboxError(
        "Neither iptables-nft nor iptables-legacy works: load the kernel's nf_tables modules."
    )


def _works(program: str, table: str) -> bool:
    # A chain that is made and removed: listing alone succeeds where writing does not.
    chain = "BACKOUT-SANDBOX"
    argv = [program, "-w", "-t", table]
    made = subprocess.run([*argv, "-N", chain], capture_output=True, check=False)
    removed = subprocess.run([*argv, "-X", chain], capture_output=True, check=False)
    return made.returncode == 0 == removed.returncode


def removal(saved: str) -> str:
    """Turn what iptables-save printed into what iptables-restore needs to remove our rules.

    Rules of other chains that jump to ours go first, then our chains are emptied and removed.
    """
    script: list[str] = []
    table: list[str] = []
    chains: list[str] = []
    for line in saved.splitlines():
        word = line.split(" ", 1)[0]
        if line.startswith("*"):
            table, chains = [line], []
        elif line.startswith(f":{PREFIX}"):
            chains.append(word[1:])
            table.append(f"{word} - [0:0]")
        elif line.startswith("-A ") and _jumps_to_ours(line):
            table.append(f"-D{line[2:]}")
        elif line == "COMMIT" and chains:
            script += [*table, *(f"-X {chain}" for chain in chains), line]
    return "".join(f"{line}\n" for line in script)


def _jumps_to_ours(rule: str) -> bool:
    words = rule.split()
    return not words[1].startswith(PREFIX) and any(
        flag == "-j" and target.startswith(PREFIX) for flag, target in pairwise(words)
    )


def remove_rules() -> None:
    """Remove our rules from both families and both flavours."""
    for family in FAMILIES:
        for flavour in FLAVOURS:
            _remove(f"{family}-{flavour}")


def _remove(name: str) -> None:
    save, restore = find(f"{name}-save"), find(f"{name}-restore")
    if save is None or restore is None:
        return
    saved = subprocess.run([save], capture_output=True, text=True, check=False)
    script = removal(saved.stdout)
    if script:
        argv = [restore, "-w", "--noflush"]
        subprocess.run(argv, input=script, capture_output=True, text=True, check=False)
