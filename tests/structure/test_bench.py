"""The benchmark can tell of every class whether a tool has named it."""

from __future__ import annotations

import re

import pytest

from backout.core.diagnosis.causes import REMEDIES
from bench.words import WORDS


def test_every_class_has_its_words() -> None:
    assert set(WORDS) == set(REMEDIES)


@pytest.mark.parametrize("words", WORDS.values())
def test_no_words_stand_in_what_names_no_cause(words: str) -> None:
    said = (
        'Waiting for deployment "shop" rollout to finish: 0 of 1 updated replicas are available... '
        'error: deployment "shop" exceeded its progress deadline'
    )
    assert not re.search(words, said, re.IGNORECASE)
