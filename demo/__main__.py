"""`python -m demo [--transcript FILE]`: shows the story, asserts it, exits non-zero if it differs.

With `--transcript` what was seen replaces the text between the markers in that file.
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

BEGIN, END = "<!-- transcript: begin (make transcript) -->", "<!-- transcript: end -->"


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--transcript", type=Path, metavar="FILE")
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
        put(arguments.transcript, shell.transcript)
    print("\nThe demo went as promised.")
    return 0


def put(file: Path, transcript: str) -> None:
    """Replace the text between the markers in a file."""
    before, _, rest = file.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n```console\n{transcript.strip()}\n```\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
