"""The workloads that the files of `-f` name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from backout.core.errors import ConfigError
from backout.core.kinds import KINDS
from backout.core.kinds.manifest import named
from backout.core.text import untrusted
from backout.kube.config import go_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.kinds.target import Target

FILE_CAP = 16 * 1024 * 1024
STDIN = "-"
_ENDINGS = (".json", ".yaml", ".yml")
"""What kubectl takes of a folder."""


def of_files(names: tuple[str, ...], namespace: str) -> tuple[Target, ...]:
    """Return the workloads of all files; raise ConfigError or UsageError where there is none.

    As with kubectl a namespace that was demanded must be the one that an object names.
    """
    found = tuple(dict.fromkeys(t for name in names for t in _of_file(name)))
    if not found:
        *most, last = (kind.resource.name for kind in KINDS)
        kinds = f"{', '.join(most)} or {last}"
        raise click.UsageError(f"{', '.join(names)[:200]} names no {kinds}")
    for one in found:
        if namespace and one.namespace not in {"", namespace}:
            raise click.UsageError(
                f"{one} of the file is in namespace {one.namespace}, not {namespace}: pass "
                f"--namespace={one.namespace}"
            )
    return found


def _of_file(name: str) -> Iterator[Target]:
    for shown, content in _contents(name):
        if len(content) > FILE_CAP:
            raise ConfigError(f"{untrusted(shown)} is larger than {FILE_CAP // 1024 // 1024} MiB")
        try:
            yield from named(go_yaml.documents(content))
        except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
            why = str(error) if type(error) is ValueError else "it is not valid YAML"
            raise ConfigError(
                f"{untrusted(shown)} is no manifest: {why}", remedy="name another: -f FILE"
            ) from None


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    """Give each file that is named, with its content; raise ConfigError where it cannot be read."""
    if name == STDIN:
        yield "stdin", sys.stdin.buffer.read(FILE_CAP + 1)
        return
    path = Path(name)
    try:
        in_folder = sorted(path.iterdir()) if path.is_dir() else []
        files = [one for one in in_folder if one.suffix in _ENDINGS] if path.is_dir() else [path]
        for one in files:
            with one.open("rb") as file:
                yield str(one), file.read(FILE_CAP + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigError(f"cannot read {untrusted(name)}: {why.lower()}") from None
