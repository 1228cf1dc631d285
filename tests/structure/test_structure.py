"""Folders that can be taken in at a glance, and names that mean one thing.

That no two rooms import each other in a circle is import-linter's to hold (`make check`).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "backout"
MOST = 20
FAMILIES = SOURCE / "core" / "checks"
"""A file here is named after what it checks, and so like the room that reads it."""


def test_no_folder_has_more_files_than_one_can_take_in() -> None:
    files: dict[str, int] = defaultdict(int)
    for root in ("src", "sandbox", "tests"):
        for path in (ROOT / root).rglob("*.py"):
            files[str(path.parent.relative_to(ROOT))] += 1

    assert {folder for folder, count in files.items() if count > MOST} == set()


def test_no_two_public_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(SOURCE)))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_two_modules_of_a_layer_have_the_same_name() -> None:
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        if path.stem != "__init__" and path.parent != FAMILIES:
            inside = path.relative_to(SOURCE)
            places[inside.parts[0], path.stem].append(str(inside))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}
