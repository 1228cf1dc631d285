"""Who we are at this moment: static credentials, a token file read again, a plugin run again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.credentials.exec_credential import Login
from backout.kube.credentials.exec_plugin import Surroundings
from backout.kube.credentials.exec_plugin import identity as ask_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from backout.kube.connection import Connection, KeyPair

FILE_AGE = 50.0
"""Seconds after which a token file is read again (client-go transport/token_source.go)."""
TOKEN_CAP = 1024 * 1024


class Identities:
    """The source of identities of one Connection; concurrent requests share one run of a plugin.

    Static fields of the kubeconfig win over what the plugin says, as with kubectl.
    """

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection = connection
        self._around = around
        self._known: Login | None = None
        self._file_read = 0.0
        self._last_token = connection.credentials.token
        self._running: asyncio.Task[Login] | None = None

    async def current(self) -> Login:
        """Return who we are; raise ConfigError if that cannot be found out."""
        if self._known is not None and self._is_fresh(self._known):
            return self._known
        credentials = self._connection.credentials
        if credentials.token_file is not None:
            self._known = self._with(self._from_file(credentials.token_file))
            self._file_read = time.monotonic()
        elif credentials.plugin is not None and not credentials.token:
            self._known = await self._from_plugin()
        else:
            self._known = self._with(credentials.token)
        return self._known

    def expire(self, used: Login) -> bool:
        """Forget an identity that the server did not accept.

        Returns whether it is worth asking again: only a plugin or a file may say something new.
        """
        credentials = self._connection.credentials
        from_plugin = credentials.plugin is not None and not credentials.token
        if self._known is used:
            self._known = None
        return credentials.token_file is not None or from_plugin

    async def close(self) -> None:
        """Stop a plugin that nobody waits for any more."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._running

    def _is_fresh(self, known: Login) -> bool:
        if self._connection.credentials.token_file is not None:
            return time.monotonic() - self._file_read < FILE_AGE
        # The plugin speaks of this machine's time: it is not the server's that is compared.
        return known.expires is None or datetime.now(UTC) < known.expires

    def _with(self, token: str) -> Login:
        return Login(token=token, key_pair=self._connection.credentials.key_pair)

    def _from_file(self, path: Path) -> str:
        """Return what the file holds now; if it cannot be read, what it held before, or `token`."""
        try:
            with path.open("rb") as file:
                token = file.read(TOKEN_CAP).decode("ascii").strip()
            reason = "it is empty"
        except (OSError, ValueError) as exc:
            token, reason = "", (getattr(exc, "strerror", None) or "not a token").lower()
        self._around.learn(token)
        self._last_token = token or self._last_token
        if self._last_token:
            return self._last_token
        message = f"cannot read tokenFile {untrusted(str(path))}: {reason}"
        raise ConfigError(message, remedy="check tokenFile in the kubeconfig")

    async def _from_plugin(self) -> Login:
        """Run the plugin, or join the run that is under way; its failure is everybody's."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        # Shielded: one request that is cancelled must not take the others' answer with it.
        return await asyncio.shield(self._running)

    async def _run(self) -> Login:
        plugin = self._connection.credentials.plugin
        if plugin is None:
            msg = "there is no plugin to run"
            raise RuntimeError(msg)
        said = await ask_plugin(plugin, self._around)
        self._around.learn(said.token)
        own: KeyPair | None = self._connection.credentials.key_pair
        return Login(token=said.token, key_pair=own or said.key_pair, expires=said.expires)
