"""What proves that a revision works: a deploy that was verified, a record, a rehearsal."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cluster.manifests import SHOP
from tests.cluster.space import until
from tests.cluster.test_memory import memory
from tests.cluster.test_permissions import WORKLOADS, as_user, role

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"
TRIALS = "backout.dev/rehearsal"
