"""What is imported late: where a command or its options are declared, and what may not be there."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "backout"

DECLARED = {
    "cli/commands/check.py": 2,  # a check, and the page of one
    "cli/commands/diff.py": 1,
    "cli/commands/history.py": 1,
    "cli/commands/ledger.py": 1,
    "cli/commands/rbac.py": 1,
    "cli/commands/report.py": 1,
    "cli/commands/resume.py": 1,
    "cli/commands/status.py": 2,  # status and explain
    "cli/commands/undo.py": 1,
    "cli/commands/verify.py": 1,
    "cli/commands/version.py": 1,
    "cli/help/group.py": 1,  # the module of a command that is named
}
"""Declared is what `--help` loads; what a command does is loaded when it is carried out."""

OPTIONS = {
    "cli/options/complete.py": 1,  # what finds a word for a Tab: twice the time of --help
    "cli/options/filename.py": 1,  # YAML, for -f: 48 ms
    "cli/options/policy_file.py": 1,  # all checks, for what a policy accepts
    "cli/options/shared.py": 2,  # TOML, 6 ms, for a policy; the mask, 15 ms, for --token
}
"""Options are declared for `--help`, too; what reads their values is loaded when there are any."""

APART = {
    "__main__.py": 1,  # all of it: signals are answered before it is loaded
    "cli/main.py": 1,  # what an error is told with: 15 ms, a third more of --help
    "cli/output/reports/page.py": 1,  # jinja2, an extra that may be missing
    "core/plan/listing.py": 1,  # all checks, for why undo would refuse: not for who only looks
    "http/dial.py": 1,  # python-socks, 14 ms, for such a proxy
    "http/trust.py": 1,  # truststore, on macOS alone
}
"""What stands before the program, what few runs meet, and what may not be there."""


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

    assert {name: n for name, n in found.items() if n} == Counter(DECLARED) + Counter(
        OPTIONS
    ) + Counter(APART)


def test_the_count_sees_every_form_of_a_late_import() -> None:
    assert late("import a\ndef f():\n  import b\n  def g():\n    from c import d") == 2
    assert late("async def f():\n  return importlib.import_module('b').c") == 1
