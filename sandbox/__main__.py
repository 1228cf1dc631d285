"""`python3 -m sandbox up|down|status|kubeconfig`."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import NoReturn

from sandbox.cluster import running
from sandbox.down import down
from sandbox.errors import SandboxError
from sandbox.status import status
from sandbox.up import up

OK, FAILED, INTERRUPTED, TERMINATED = 0, 1, 130, 143


def main() -> int:
    """Run one command; whatever stops it is one sentence, never a traceback."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(arguments.command)
    except SandboxError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted: `up` goes on from here, `down` cleans up\n")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="bring the sandbox up; a no-op when it is")
    commands.add_parser("down", help="stop it and clean up")
    commands.add_parser("status", help="tell how each component is; exit 0 if all are healthy")
    commands.add_parser("kubeconfig", help="print the kubeconfig's path")
    return parser


def _run(command: str) -> int:
    if command == "up":
        up()
    elif command == "down":
        down()
    elif command == "status":
        table, healthy = status()
        sys.stdout.write(f"{table}\n")
        return OK if healthy else FAILED
    else:
        sys.stdout.write(f"{running().kubeconfig}\n")
    return OK


def _terminate(_number: int, _frame: object) -> NoReturn:
    # Through the `finally`s, as for Ctrl-C: a compiler under way is stopped too.
    sys.stderr.write("\nterminated: `up` goes on from here, `down` cleans up\n")
    sys.exit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
