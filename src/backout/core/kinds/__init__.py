"""The kinds of workload that backout rolls back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds.deployment import DEPLOYMENT

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (DEPLOYMENT,)
"""The commonest first: it stands for all of them in examples."""
