"""One kubeconfig file, read with suspicion: bounded, no code, no alias bombs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config import go_yaml

if TYPE_CHECKING:
    from pathlib import Path

FILE_CAP = 16 * 1024 * 1024


def read(path: Path) -> dict[str, Any] | None:
    """Return the file's mapping, None if there is no such file.

    Raises ConfigError, naming the file, for anything else that is not a readable mapping. A key
    that stands twice counts as its last, of several documents the first, as with kubectl.
    """
    content = _bytes(path)
    if content is None:
        return None
    try:
        document = go_yaml.parse(content)
    except yaml.YAMLError as exc:
        raise _bad(path, _where(exc)) from None
    except (RecursionError, ValueError, OverflowError):
        raise _bad(path, "not valid YAML") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _bad(path, "the file is not a mapping")
    return document


def _bytes(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_CAP + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or "not a usable path"
        raise ConfigError(f"cannot read {untrusted(str(path))}: {reason.lower()}") from None
    if len(content) > FILE_CAP:
        raise _bad(path, f"larger than {FILE_CAP // 1024 // 1024} MiB")
    return content


def _bad(path: Path, why: str) -> ConfigError:
    detail = f": {why}" if why else ""
    return ConfigError(
        f"{untrusted(str(path))} is not a kubeconfig{detail}",
        remedy="choose another file with --kubeconfig or KUBECONFIG",
    )


def _where(error: yaml.YAMLError) -> str:
    """Return the parser's complaint and its line, never the text itself: it may be a token."""
    problem = getattr(error, "problem", None) or "not valid YAML"
    mark = getattr(error, "problem_mark", None)
    at = f" in line {mark.line + 1}" if mark is not None else ""
    return f"{untrusted(str(problem), 100)}{at}"
