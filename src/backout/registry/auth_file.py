"""The file of `--registry-auth-file`: a Docker `config.json`. Its contents are never shown."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.core.errors import ConfigError
from backout.core.images.docker_config import from_docker_config
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.images.keyring import Keyring

SIZE_LIMIT = 1024 * 1024
"""Bytes. Real ones have a few kilobytes; a device or a log given by mistake has no end."""

_REMEDY = "give a config.json as `docker login` or `skopeo login` writes it"


def load(path: str | Path) -> Keyring:
    """Return the file's credentials. Raises ConfigError where it cannot be read or is no config."""
    shown = untrusted(str(path))
    config = _parsed(_read(Path(path), shown))
    if not isinstance(config, dict):
        raise ConfigError(f"{shown} is no JSON object", remedy=_REMEDY)
    if not isinstance(config.get("auths", {}), dict):
        raise ConfigError(f"`auths` in {shown} is no JSON object", remedy=_REMEDY)
    return from_docker_config(config, source=shown)


def _read(path: Path, shown: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
        raise ConfigError(f"cannot read {shown}: {why}", remedy=_REMEDY) from None
    if len(content) > SIZE_LIMIT:
        raise ConfigError(f"{shown} is larger than 1 MiB: not read", remedy=_REMEDY)
    return content


def _parsed(content: bytes) -> Any:
    # Nothing is chained: the decoder's error carries the whole document, password and all.
    with suppress(ValueError, RecursionError):
        return json.loads(content)
    return None
