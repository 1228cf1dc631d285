"""The kinds of workload that backout rolls back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds.daemon_set import DAEMON_SET
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.stateful_set import STATEFUL_SET

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
"""The commonest first: it stands for all of them in examples."""
