"""kubectl's own preferences (kuberc) say which credential plugins may run at all.

Only that part of the file is read. Source: kubectl pkg/kuberc/kuberc.go, pkg/config/v1beta1, and
client-go plugin/pkg/client/auth/exec/exec.go (checkAllowlistLocked).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config import yaml_file
from backout.kube.connection import PluginPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("AllowAll", "DenyAll", "Allowlist")


def plugin_policy(environ: Mapping[str, str], home: Path, *, named: str = "") -> PluginPolicy:
    """Return the policy of the file `named`, else of KUBERC's, else of ~/.kube/kuberc.

    Everything is allowed without one. `off` is none at all.

    A file that cannot be understood is an error: kubectl warns and runs the plugin, but whoever
    wrote a policy did not mean that.
    """
    named = named or environ.get("KUBERC", "")
    if named == "off" or environ.get("KUBECTL_KUBERC", "").lower() in {"false", "0", "f"}:
        return PluginPolicy()
    path = Path(named) if named else home / ".kube" / "kuberc"
    found = yaml_file.read(path)
    if found is None:
        if named:
            raise _bad(path, "does not exist")
        return PluginPolicy()
    kind = found.get("credentialPluginPolicy") or "AllowAll"
    listed = found.get("credentialPluginAllowlist")
    if kind not in KINDS:
        raise _bad(path, "credentialPluginPolicy is not one of " + ", ".join(KINDS))
    if (listed is not None) != (kind == "Allowlist"):
        raise _bad(
            path, "credentialPluginAllowlist belongs to the policy Allowlist, and to it only"
        )
    return PluginPolicy(kind=kind, allowed=_commands(path, listed))


def _commands(path: Path, listed: Any) -> tuple[str, ...]:
    if listed is None:
        return ()
    items = listed if isinstance(listed, list) else []
    commands = [
        item.get("command") or item.get("name") if isinstance(item, dict) else None
        for item in items
    ]
    found = tuple(one for one in commands if isinstance(one, str) and os.path.normpath(one) == one)
    if not commands or len(found) < len(commands):
        raise _bad(path, "credentialPluginAllowlist is not a list of commands")
    return found


def is_allowed(policy: PluginPolicy, command: str, found: str, search_path: str) -> bool:
    """Tell whether `command`, which was found as `found`, may run."""
    if policy.kind != "Allowlist":
        return policy.kind == "AllowAll"
    return any(
        entry in {os.path.normpath(command), found}
        or (
            os.path.basename(entry) == os.path.basename(found)  # noqa: PTH119 (text in, text out)
            and shutil.which(entry, path=search_path) == found
        )
        for entry in policy.allowed
    )


def _bad(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"kuberc {untrusted(str(path))}: {why}; the credential plugin was not run",
        remedy="correct kubectl's preferences (--kuberc, KUBERC, ~/.kube/kuberc)",
    )
