"""What holds for all tests: laws are about values, and a busy machine breaks none."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A shell's background job ignores SIGINT, and so would every command that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
