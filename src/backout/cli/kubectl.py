"""What kubectl asks a plugin for: completions."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import ShellComplete

from backout.cli.main import cli
from backout.cli.options.complete import hush
from backout.cli.output.streams import leave, prepare_streams
from backout.cli.program import COMPLETING, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

# cobra's ShellCompDirective.
NO_SPACE, NO_FILES = 2, 4


def complete() -> None:
    """Answer kubectl: the words so far are the arguments, the last one is being typed.

    One completion a line, then a directive; 4 says that file names are no completions. Source:
    kubectl pkg/cmd/plugin/plugin_completion.go and cobra's ShellCompDirective.
    """
    prepare_streams()
    hush(f":{NO_FILES}\n".encode())
    words = sys.argv[1:]
    incomplete = words.pop() if words else ""
    items: list[CompletionItem[str]] = []
    with suppress(Exception):  # a prompt is no place for an error
        items = ShellComplete(cli, {}, PROGRAM, COMPLETING).get_completions(words, incomplete)
    names = [item.value for item in items if item.type == "plain"]
    for name in names:
        click.echo(name)
    click.echo(f":{_directive(items, names)}")
    leave(0)


def _directive(items: Sequence[CompletionItem[str]], names: Sequence[str]) -> int:
    if len(names) < len(items):
        return 0
    return NO_FILES | (NO_SPACE if names and all(n.endswith("/") for n in names) else 0)
