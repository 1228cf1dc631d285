"""What is imported late: where a command is declared, and where few runs need what costs much."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "backout"

FOR_HELP = {
    "cli/commands/check.py": 2,
    "cli/commands/diff.py": 1,
    "cli/commands/history.py": 1,
    "cli/commands/ledger.py": 1,
    "cli/commands/rbac.py": 1,
    "cli/commands/report.py": 1,
    "cli/commands/resume.py": 1,
    "cli/commands/status.py": 2,
    "cli/commands/undo.py": 1,
    "cli/commands/verify.py": 1,
    "cli/commands/version.py": 1,
    "cli/help/group.py": 1,
    "cli/main.py": 2,
    "cli/options/complete.py": 1,
    "cli/options/filename.py": 1,
    "cli/options/shared.py": 2,
}
"""Declared is what `--help` loads; what a command does is loaded when it is carried out."""

FOR_FEW = {
    "__main__.py": 1,  # the refusal of an old Python needs nothing newer
    "cli/help/command.py": 1,  # all kinds, for a usage error
    "cli/help/group.py": 1,  # difflib, for a command that does not exist
    "cli/options/policy_file.py": 1,  # all checks, for a policy that accepts one
    "cli/output/pages.py": 1,  # rich's Markdown, on a terminal
    "cli/output/printing.py": 1,  # rich, on a terminal
    "cli/output/renderers.py": 1,  # the wall page
    "cli/output/reports/page.py": 1,  # jinja2, an extra that may be missing
    "core/plan/listing.py": 1,  # all checks, for a refusal
    "http/dial.py": 1,  # python-socks, for such a proxy
    "http/trust.py": 1,  # truststore, on macOS
}


def late(source: str) -> int:
    """Count the import statements and the calls of `import_module` inside functions."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= {node for node in ast.walk(function) if _imports(node)}
    return len(found)


def _imports(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func)


def test_what_is_imported_late_is_a_decision_of_this_list() -> None:
    paths = {str(p.relative_to(SOURCE)): p for p in sorted(SOURCE.rglob("*.py"))}
    found = {name: late(path.read_text(encoding="utf-8")) for name, path in paths.items()}

    assert {name: n for name, n in found.items() if n} == Counter(FOR_HELP) + Counter(FOR_FEW)


def test_the_count_sees_every_form_of_a_late_import() -> None:
    assert late("import a\ndef f():\n  import b\n  def g():\n    from c import d") == 2
    assert late("async def f():\n  return importlib.import_module('b').c") == 1
