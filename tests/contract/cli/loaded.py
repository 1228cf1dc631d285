"""Loads every module of the program, for the process that runs are forked from."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import backout

for found in pkgutil.walk_packages(backout.__path__, "backout."):
    if not found.name.endswith("__main__"):
        import_module(found.name)
