"""The commands that need rights, by name, for whoever lists them and asks no more."""

from __future__ import annotations

UNDO, CHECK, STATUS, EXPLAIN, VERIFY = "undo", "check", "status", "explain", "verify"
RESUME, LEDGER_SHOWN, MARK = "resume", "ledger", "mark"
HISTORY, DIFF = "history", "diff"
COMMANDS = (UNDO, CHECK, STATUS, VERIFY, EXPLAIN, HISTORY, DIFF, RESUME, LEDGER_SHOWN, MARK)
