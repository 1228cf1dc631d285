"""The ledger in a file of this machine, for those who may not write Leases (`--ledger local`).

The same object as in the cluster, changed by the same compare-and-swap, under an exclusive lock of
the file. It protects from nobody on another machine, which is said aloud.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backout.core.errors import ConfigError, Conflict, NotFound, Unreachable
from backout.core.kubernetes import objects
from backout.core.ledger.form import ANNOTATION
from backout.core.ledger.records import lease_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from backout.core.kinds.target import Target
    from backout.core.model import Object

PATIENCE = 5.0
"""Seconds that another process may hold the file; it holds it for one write."""
_PAUSE = 0.05


class LocalLedger:
    """The Lease of one workload as a file below `folder`, one folder a server and namespace."""

    is_local = True

    def __init__(self, folder: Path, server: str, target: Target) -> None:
        cluster = hashlib.sha256(server.encode()).hexdigest()[:10]
        self.path = folder / "ledger" / cluster / target.namespace / f"{lease_name(target)}.json"

    async def read(self) -> Object | None:
        """Return the Lease as the file has it; one that is no JSON carries a ledger that is none.

        Raises ConfigError where the file cannot be read.
        """
        try:
            text = self.path.read_text(errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            return {"metadata": {"annotations": {ANNOTATION: text[:64]}}, "spec": {}}
        return found

    async def write(self, before: Object | None, body: Mapping[str, Any]) -> Object:
        """Replace the file if it still says `before`; it is on the disk when this returns."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(
                self.path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            await _locked(descriptor)
            now = await self.read()
            _check(before, now)
            content = _next(now, body)
            _replace(self.path, content)
        except OSError as error:
            raise _unusable(self.path, error) from None
        finally:
            os.close(descriptor)
        return content


async def _locked(descriptor: int) -> None:
    """Take the file's lock; the kernel lets it go with its descriptor, at a kill too."""
    clock = asyncio.get_running_loop().time
    until = clock() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock() >= until:
                raise Unreachable(
                    "the local ledger is held by another process",
                    remedy="look for a backout that was stopped in the middle",
                ) from None
            await asyncio.sleep(_PAUSE)
        else:
            return


def _check(before: Object | None, now: Object | None) -> None:
    """Raise what the API server would answer to a stale write."""
    if before is None and now is not None:
        raise Conflict("the local ledger exists already", code=409)
    if before is not None and now is None:
        raise NotFound("the local ledger is gone", code=404)
    if before is not None and (
        objects.resource_version(before) != objects.resource_version(now or {})
        or objects.uid(before) != objects.uid(now or {})
    ):
        raise Conflict("the local ledger was changed meanwhile", code=409)


def _next(now: Object | None, body: Mapping[str, Any]) -> dict[str, Any]:
    version = int(objects.resource_version(now or {}) or 0) + 1
    metadata = {
        **body["metadata"],
        "uid": objects.uid(now or {}) or str(uuid.uuid4()),
        "resourceVersion": str(version),
    }
    return {**body, "metadata": metadata}


def _replace(path: Path, content: Mapping[str, Any]) -> None:
    """Write beside it, flush to the disk, and rename: a reader sees the old or the new whole."""
    with _created(path.with_suffix(".new")) as descriptor:
        left = json.dumps(content, ensure_ascii=True).encode()
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    path.with_suffix(".new").replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _created(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the local ledger {path} cannot be used: {error.strerror or error}",
        remedy="set XDG_STATE_HOME to a folder that you may write to",
    )
