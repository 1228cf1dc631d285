"""What stops the sandbox, told in one sentence with its remedy."""

from __future__ import annotations


class SandboxError(Exception):
    """Shown to the user as it is, without a traceback."""


class NotRunningError(SandboxError):
    """No sandbox is up, or only a part of one."""
