"""Where a workload is and who reads it: all that a look at it needs. A Run is one, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from backout.core.kinds.target import Target
    from backout.kube.client import Client


class Place(Protocol):
    """A workload, and the API server that has it."""

    @property
    def client(self) -> Client:
        """The API server's."""

    @property
    def target(self) -> Target:
        """The workload."""

    def server_now(self) -> datetime:
        """Return the API server's time; raises Unreachable where it is not known."""


class Here(Struct, frozen=True, kw_only=True):
    """A place for who only looks: no session, no journal, no policy."""

    client: Client
    target: Target

    def server_now(self) -> datetime:
        """Return the API server's time; raises Unreachable where it is not known."""
        return self.client.now()
