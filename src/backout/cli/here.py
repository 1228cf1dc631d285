"""The process that the command runs in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from backout.session.process import Process


def process() -> Process:
    """Return what a session may know of this process."""
    around = click.get_current_context(silent=True)
    return Process(
        environ=os.environ,
        home=Path.home(),
        has_terminal=sys.stdin.isatty() and sys.stderr.isatty(),
        command=(around.info_name or "") if around is not None else "",
    )
