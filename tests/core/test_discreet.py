"""What is hidden stands in no `repr`, and is a field like any other."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import backout
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


FOLDER = Path(inspect.getfile(backout)).parent
HIDING = [
    (path, node)
    for path in sorted(FOLDER.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
    if any("Hidden" in ast.unparse(n.annotation) for n in node.body if isinstance(n, ast.AnnAssign))
]


@pytest.mark.parametrize(("path", "node"), HIDING, ids=[node.name for _, node in HIDING])
def test_every_class_that_hides_a_field_is_discreet(path: Path, node: ast.ClassDef) -> None:
    assert [ast.unparse(base) for base in node.bases] == ["Discreet"]
    assert "from __future__ import annotations" in path.read_text()
