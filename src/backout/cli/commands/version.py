"""`backout version`: ours, Python's and the server's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backout.cli.help.command import Helped
from backout.cli.options.shared import common_in

if TYPE_CHECKING:
    from backout.cli.options.shared import Common


@click.command(cls=Helped)
@click.option("--client", is_flag=True, help="Show the client's version alone, and ask nobody.")
@common_in("json", words="Output format; json is one object on stdout.")
def version(*, client: bool, shared: Common) -> int:
    """Show the versions of backout and of the server, which is given 2 s to answer.

    A server that cannot be asked is told, and is no error.

    \b
    Examples:
      backout version
      backout version --client
      backout version -o json
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    from backout.cli.runs.version_run import run  # noqa: PLC0415 (not for --help)

    return run(shared, asks=not client)
