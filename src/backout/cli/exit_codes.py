"""Exit codes that scripts rely on (README.md): also where nothing was run."""

from __future__ import annotations

ERROR = 1
USAGE = 2
REFUSED = 3
FAILED = 4
UNDECIDED = 5
