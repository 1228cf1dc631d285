"""What the user points at: one workload, with its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind


class Target(Struct, frozen=True, kw_only=True):
    """What the user points at."""

    kind: Kind
    namespace: str
    name: str

    @property
    def noun(self) -> str:
        """The kind in lower case, as kubectl prints it: `deployment`."""
        return self.kind.resource.name.lower()

    @property
    def stem(self) -> str:
        """Its name, 40 characters at most, for the names of what is made for it.

        What follows begins with a dash: behind a dot that would be no legal name.
        """
        return self.name[:40].rstrip(".-")

    @property
    def reference(self) -> dict[str, str]:
        """How JSON names it: kind, namespace and name."""
        kind = self.kind.resource.name
        return {"kind": kind, "namespace": self.namespace, "name": self.name}

    def __str__(self) -> str:
        return f"{self.noun}/{self.name}"
