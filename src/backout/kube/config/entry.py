"""One entry of a kubeconfig (a cluster, a user, a context), read field by field.

The types are strict, as kubectl's are: a number where text belongs is an error that names the
field. Values never stand in the error: they may be secrets.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import field
from msgspec.structs import replace

from backout.core.discreet import Discreet, Hidden
from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config.schema import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CREDENTIAL_FILE_CAP = 1024 * 1024


class Entry(Discreet, frozen=True, kw_only=True):
    """The fields of the entry `kind` (`cluster`) called `name`, and the file it stands in.

    `flags` are those of the command line that replaced some of its fields.
    """

    kind: str
    name: str
    file: Path
    fields: Hidden[Mapping[str, Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def error(self, what: str, *, remedy: str = "") -> ConfigError:
        """Return an error that says where: `user "admin" in /home/me/.kube/config: …`."""
        where = f'{self.kind} "{untrusted(self.name)}" in {untrusted(str(self.file))}'
        if self.flags and not self.file.name:
            where = f"{self.kind} of {', '.join(self.flags)}"
        elif self.flags:
            where += f" with {', '.join(self.flags)}"
        return ConfigError(f"{where}: {what}", remedy=remedy)

    def both(self, name: str) -> ConfigError:
        """Return the error for content that is given inline and as a file."""
        return self.error(f"both {name}-data and {name} are given", remedy="remove one of them")

    def text(self, name: str) -> str:
        """Return a text field, empty where it is absent or null."""
        return self._typed(name, str, "text") or ""

    def flag(self, name: str) -> bool:
        """Return a boolean field, False where it is absent or null."""
        return bool(self._typed(name, bool, "true or false"))

    def items(self, name: str) -> list[Any]:
        """Return a list field, empty where it is absent or null."""
        found: list[Any] = self._typed(name, list, "a list") or []
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self.items(name)
        if not all(isinstance(one, str) for one in found):
            raise self.error(f"{name} is not a list of text")
        return tuple(found)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a mapping field, empty where it is absent or null."""
        found: Mapping[str, Any] = self._typed(name, dict, "a mapping") or {}
        return found

    def has(self, name: str) -> bool:
        """Tell whether the field is there with something in it."""
        return bool(self.fields.get(name))

    def inner(self, name: str) -> Entry:
        """Return a mapping field as an entry of its own, for errors that name the same place."""
        return replace(self, fields=self.mapping(name))

    def path(self, name: str) -> Path | None:
        """Return a file name, relative to this kubeconfig's folder; None where it is absent."""
        found = self.text(name)
        return self.file.parent.absolute() / found if found else None

    def check_source(self, name: str) -> None:
        """Raise what `content` raises for two sources, and for a file that cannot be opened.

        That is all that kubectl looks at where nothing is to be encrypted (validation.go).
        """
        path = self.path(name)
        if path is None:
            return
        if self.has(f"{name}-data"):
            raise self.both(name)
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except (OSError, ValueError) as exc:
            raise self._unreadable(name, path, exc) from None

    def content(self, name: str) -> bytes | None:
        """Return what `NAME-data` holds in base64, or the file that `NAME` names.

        Both at once are refused, as kubectl refuses them (clientcmd/validation.go).
        """
        inline, path = self.text(f"{name}-data"), self.path(name)
        if inline and path:
            raise self.both(name)
        if path is not None:
            return self._read(name, path)
        if not inline:
            return None
        try:
            return decoded(inline)
        except ValueError:
            raise self.error(f"{name}-data is not base64") from None

    def _read(self, name: str, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                content = file.read(CREDENTIAL_FILE_CAP + 1)
        except (OSError, ValueError) as exc:
            raise self._unreadable(name, path, exc) from None
        if len(content) > CREDENTIAL_FILE_CAP:
            raise self.error(f"{name} {untrusted(str(path))} is larger than 1 MiB")
        return content

    def _unreadable(self, name: str, path: Path, exc: Exception) -> ConfigError:
        reason = (getattr(exc, "strerror", None) or "not a usable path").lower()
        return self.error(f"cannot read {name} {untrusted(str(path))}: {reason}")

    def _typed(self, name: str, kind: type, noun: str) -> Any:
        found = self.fields.get(name)
        if found is not None and not isinstance(found, kind):
            raise self.error(f"{name} is not {noun}")
        return found
