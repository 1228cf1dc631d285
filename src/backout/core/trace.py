"""The trace id that joins announcement, journal, record and everything else of one run."""

from __future__ import annotations

LENGTH = 32
"""Hex digits of a W3C trace id (https://www.w3.org/TR/trace-context/#trace-id)."""
LONGEST = 128
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")


def trace_id(asked: str | None, traceparent: str | None, *, fresh: str) -> str:
    """Return the user's trace id, else the one of TRACEPARENT, else `fresh` (a new W3C id).

    Raises ValueError where the user's holds what a log or a label could not carry. A TRACEPARENT
    that is none is passed over, as the specification asks.
    """
    if asked is not None:
        if not asked or len(asked) > LONGEST or not set(asked) <= _SAFE:
            raise ValueError(f"--trace-id takes 1 to {LONGEST} letters, digits and . _ : -")
        return asked
    parts = (traceparent or "").strip().split("-")
    is_whole = len(parts) >= 4  # noqa: PLR2004 (version, trace id, parent id, flags)
    return parts[1] if is_whole and _is_w3c(parts[1]) else fresh


def traceparent(trace_id: str, *, span_id: str) -> str:
    """Return the header that hands a trace on, empty where the id is none of the W3C's."""
    return f"00-{trace_id}-{span_id}-01" if _is_w3c(trace_id) else ""


def _is_w3c(text: str) -> bool:
    return len(text) == LENGTH and set(text) <= set("0123456789abcdef") and set(text) != {"0"}
