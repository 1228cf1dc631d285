"""`backout completion SHELL`, and what kubectl asks a plugin for completions."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from backout.cli.complete import hush
from backout.cli.main import COMPLETING, PROGRAM, cli
from backout.cli.output.streams import leave, prepare_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

# cobra's ShellCompDirective.
NO_SPACE, NO_FILES = 2, 4


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    r"""Print the completion script for a shell.

    \b
    bash:  source <(backout completion bash)
    zsh:   source <(backout completion zsh)
    fish:  backout completion fish | source
    kubectl completes `kubectl backout` by itself, through kubectl_complete-backout.
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(ctx.find_root().command, {}, PROGRAM, COMPLETING).source())


class _InTime(ShellComplete):
    """Says nothing on stderr, and ends within a second whatever happens."""

    def complete(self) -> str:
        hush()
        with suppress(Exception):  # a prompt is no place for an error
            return super().complete()
        return ""


class _Bash(_InTime, BashComplete):
    """bash, with a script of our own.

    click's takes bash's words, and bash breaks words at @, : and = too: `kubeadm@cluster` and
    `arn:aws:eks:…` could not be completed. It also expands `*` in what it is offered.
    """

    source_template = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" type value cut=
    local word="${line##*[[:space:]]}" breaks="${COMP_WORDBREAKS//[^@:=]/}"
    [[ $word == --*=* ]] && word="${word#*=}"
    # What bash holds for another word, before the one that it replaces; an @ goes with the latter.
    [[ $breaks ]] && cut="${word%%"${word##*[$breaks]}"}" cut="${cut%%@}"
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
        plain)
            COMPREPLY+=("${value#"$cut"}")
            [[ $value == */ ]] && compopt -o nospace
            ;;
        dir) compopt -o dirnames ;;
        file) compopt -o default ;;
        esac
    done < <(COMP_WORDS="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        return words, "" if not words or line[-1:].isspace() else words.pop()


class _Zsh(_InTime, ZshComplete):
    pass


class _Fish(_InTime, FishComplete):
    pass


for _shell in (_Bash, _Zsh, _Fish):
    add_completion_class(_shell)


def kubectl() -> None:
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
