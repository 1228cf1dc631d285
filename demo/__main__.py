"""`python -m demo [--transcript FILE --excerpt FILE]`: shows the story and asserts it.

It exits non-zero if the story differs. What was seen replaces the text between the markers in the
first file, and the rollback alone that in the second.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from demo.shell import DemoError, Shell
from demo.story import story
from sandbox import cluster, images
from sandbox.errors import SandboxError


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--transcript", type=Path, metavar="FILE")
    parser.add_argument("--excerpt", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    try:
        sandbox = cluster.running()
        with tempfile.TemporaryDirectory() as folder:
            shell = Shell(sandbox, Path(folder))
            images.push("shop", "v1", {"VERSION": "v1"})
            images.push("shop", "v3-hasty", {"VERSION": "v3", "CRASH": "3"})
            story(shell, lambda tag: sandbox.image("shop", tag))
    except (DemoError, SandboxError) as error:
        print(f"\nthe demo did not go as promised: {error}", file=sys.stderr)
        return 1
    if arguments.transcript:
        put(arguments.transcript, "transcript", shell.transcript)
    if arguments.excerpt:
        put(arguments.excerpt, "excerpt", shell.excerpt)
    print("\nThe demo went as promised.")
    return 0


def put(file: Path, name: str, text: str) -> None:
    """Replace the text between the markers of a name in a file."""
    begin, end = f"<!-- {name}: begin (make transcript) -->", f"<!-- {name}: end -->"
    before, _, rest = file.read_text().partition(begin)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{begin}\n```console\n{text.strip()}\n```\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
