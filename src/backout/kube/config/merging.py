"""Several kubeconfig files as one, by kubectl's rules.

Source: client-go tools/clientcmd/loader.go. The first file that has an entry of a name wins the
whole entry; so does the first file that sets current-context. Relative paths stay relative to the
file that names them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from backout.core.discreet import Discreet, Hidden
from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config import schema, yaml_file
from backout.kube.config.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("cluster", "user", "context")


class Merged(Discreet, frozen=True, kw_only=True):
    """All entries by kind and name, the files that were read, and those that are not there."""

    files: tuple[Path, ...]
    missing: tuple[Path, ...] = ()
    current_context: str = ""
    entries: Hidden[Mapping[str, Mapping[str, Entry]]]

    def find(self, kind: str, name: str, *, wanted_by: str = "") -> Entry:
        """Return an entry; raise ConfigError that lists those there are."""
        found = self.entries[kind].get(name)
        if found is not None:
            return found
        there = ", ".join(untrusted(one, 64) for one in sorted(self.entries[kind])[:10])
        raise ConfigError(
            f'{kind} "{untrusted(name)}"{wanted_by} does not exist in {self.where}',
            remedy=f"choose one of: {there}" if there else f"add the {kind} to the kubeconfig",
        )

    def get(self, kind: str, name: str) -> Entry | None:
        """Return an entry, None where there is none of that name (which may be empty)."""
        return self.entries[kind].get(name)

    @property
    def where(self) -> str:
        """The files, for error text."""
        return ", ".join(untrusted(str(file)) for file in self.files) or "the kubeconfig"


def merged(*, path: str | None, environ: Mapping[str, str], home: Path) -> Merged:
    """Read the files that kubectl would: `path` alone, else KUBECONFIG's list, else the default.

    No file at all is an empty result; only one that `path` names must be there.
    """
    files = _candidates(path, environ, home)
    documents = {file: found for file in files if (found := yaml_file.read(file)) is not None}
    if path and not documents:
        raise ConfigError(
            f"no kubeconfig: {untrusted(path)} does not exist",
            remedy="name one with --kubeconfig or KUBECONFIG",
        )
    current = ""
    entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
    for file, document in documents.items():
        top = Entry(kind="kubeconfig", name=file.name, file=file, fields=document)
        _check(top)
        current = current or top.text("current-context")
        for kind in KINDS:
            entries[kind] = {**_entries(top, kind), **entries[kind]}
    return Merged(
        files=tuple(documents),
        missing=tuple(file for file in files if file not in documents),
        current_context=current,
        entries=entries,
    )


def _candidates(path: str | None, environ: Mapping[str, str], home: Path) -> list[Path]:
    if path:
        return [Path(path)]
    listed = environ.get("KUBECONFIG", "")
    if not listed:
        return [home / ".kube" / "config"]
    return list(dict.fromkeys(Path(one) for one in listed.split(os.pathsep) if one))


def _check(top: Entry) -> None:
    """Refuse another kind of object (no kind is a kubeconfig) and fields of the wrong type."""
    for complaint in schema.complaints("kubeconfig", top.fields):
        raise top.error(complaint)
    if (top.text("kind") or "Config") != "Config" or (top.text("apiVersion") or "v1") != "v1":
        raise ConfigError(
            f"{untrusted(str(top.file))} is not a kubeconfig: its kind is not v1 Config",
            remedy="choose another file with --kubeconfig or KUBECONFIG",
        )


def _entries(top: Entry, kind: str) -> dict[str, Entry]:
    """Return the entries of one file; a name that is there twice is refused, as kubectl does."""
    found: dict[str, Entry] = {}
    for item in top.items(f"{kind}s"):
        name = (item or {}).get("name") or ""
        fields = (item or {}).get(kind)
        entry = Entry(kind=kind, name=name, file=top.file, fields=fields or {})
        for complaint in schema.complaints(kind, fields):
            raise entry.error(complaint)
        if name in found:
            raise top.error(
                f'{kind} "{untrusted(name)}" is there twice', remedy="remove one of them"
            )
        found[name] = entry
    return found
