"""What is hidden stands in no `repr`, and is a field like any other."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

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


def test_every_class_that_hides_a_field_is_discreet() -> None:
    hiding = {
        f"{path.name}: {node.name}": [ast.unparse(base) for base in node.bases]
        for path in sorted(FOLDER.rglob("*.py"))
        if "Hidden" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        and any("Hidden" in ast.unparse(f.annotation) for f in _fields(node))
    }

    assert len(hiding) > 3
    assert {name: bases for name, bases in hiding.items() if bases != ["Discreet"]} == {}


def test_what_hides_a_field_leaves_its_annotations_as_text() -> None:
    hiding = [t for p in FOLDER.rglob("*.py") if "Hidden[" in (t := p.read_text())]

    assert len(hiding) > 3
    assert [t[:60] for t in hiding if "from __future__ import annotations" not in t] == []


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [f for f in node.body if isinstance(f, ast.AnnAssign)]
