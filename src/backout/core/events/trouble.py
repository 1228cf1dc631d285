"""The words of a cause: whom it is about and what is wrong, and which causes are one trouble."""

from __future__ import annotations

import re
from typing import NamedTuple

POD = "Pod "
"""Begins the subject of what many may share: a rollout's Pods are alike."""
_NUMBER = re.compile(r"\d+")


class Trouble(NamedTuple):
    """What causes of several Pods have in common that are told as one."""

    code: str
    words: str
    final: bool


def worded(subject: str, words: str, outlook: str = "") -> str:
    """Return a cause in a sentence; `outlook` is what it waits for, empty where it is final."""
    return f"{subject}: {words}; {outlook}" if outlook else f"{subject}: {words}"


def halves(message: str, outlook: str = "") -> tuple[str, str]:
    """Return what `worded` was given: whom it is about, and what is wrong."""
    subject, _, words = message.partition(": ")
    return subject, words.removesuffix(f"; {outlook}") if outlook else words


def trouble(code: str, message: str, *, final: bool, outlook: str = "") -> Trouble:
    """Return the trouble of a cause: Pods share it where nothing but numbers differs."""
    subject, words = halves(message, outlook)
    is_shared = subject.startswith(POD)
    return Trouble(code=code, words=_NUMBER.sub("#", words) if is_shared else message, final=final)
