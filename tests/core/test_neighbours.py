from __future__ import annotations

import pytest

from backout.core.neighbours import nearest


@pytest.mark.parametrize(
    ("name", "meant"),
    [("shpo", "shop"), ("shop-apii", "shop-api"), ("zebra", ""), ("", "")],
)
def test_the_nearest_of_the_names_is_meant_and_none_that_is_far(name: str, meant: str) -> None:
    assert nearest(name, ["checkout", "shop", "shop-api"]) == meant
