"""What holds for all tests: laws are about values, and a busy machine breaks none."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
