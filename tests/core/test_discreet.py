"""What is hidden stands in no `repr`, and is a field like any other."""

from __future__ import annotations

from backout.core.discreet import Discreet, Hidden


class Login(Discreet, frozen=True, kw_only=True):
    """With a secret."""

    user: str
    password: Hidden[str | None] = None


class WideLogin(Login, frozen=True, kw_only=True):
    """With a secret of its base's and one of its own."""

    realm: str = "r"
    pin: Hidden[int] = 0


def test_a_repr_leaves_out_what_is_hidden_also_where_a_subclass_is_shown() -> None:
    assert repr(Login(user="ann", password="hunter2")) == "Login(user='ann')"
    assert repr(WideLogin(user="ann", password="hunter2", pin=4711)) == (
        "WideLogin(user='ann', realm='r')"
    )


def test_what_is_hidden_is_compared() -> None:
    assert Login(user="ann", password="a") != Login(user="ann", password="b")
