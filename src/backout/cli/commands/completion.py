"""`backout completion SHELL`."""

from __future__ import annotations

import os
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

from backout.cli.help.command import Helped
from backout.cli.options.complete import hush
from backout.cli.options.values import OneOf
from backout.cli.program import COMPLETING, program

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@click.command(cls=Helped)
@click.argument("shell", type=OneOf(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      source <(backout completion bash)
      source <(backout completion zsh)
      backout completion fish | source

    kubectl completes `kubectl backout` by itself, through kubectl_complete-backout.
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    # Typed in full, the plugin's file has a name of its own.
    name = program().replace(" ", "-")
    click.echo(made(ctx.find_root().command, {}, name, COMPLETING).source())


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
    `arn:aws:eks:…` could not be completed. It also expands `*` in what it is offered. Revisions are
    listed with what is known of them; where a candidate is inserted, it stands alone.
    """

    source_template = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" type value cut= listed=()
    local word="${line##*[[:space:]]}" breaks="${COMP_WORDBREAKS//[^@:=]/}"
    [[ $word == --*=* ]] && word="${word#*=}"
    # What bash holds for another word, before the one that it replaces; an @ goes with the latter.
    [[ $breaks ]] && cut="${word%%"${word##*[$breaks]}"}" cut="${cut%%@}"
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
        plain)
            listed+=("${value/$'\\t'/  }") value="${value%%%%$'\\t'*}"
            COMPREPLY+=("${value#"$cut"}")
            [[ $value == */ ]] && compopt -o nospace
            ;;
        dir) compopt -o dirnames ;;
        file) compopt -o default ;;
        esac
    done < <(COMP_WORDS="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    # 37 and 42: readline inserts what it is given, one after the other or all.
    [[ ${#listed[@]} -gt 1 && ${listed[0]} == *"  "* && $COMP_TYPE != 37 && $COMP_TYPE != 42 ]] &&
        COMPREPLY=("${listed[@]}")
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        return words, "" if not words or line[-1:].isspace() else words.pop()

    def format_completion(self, item: CompletionItem) -> str:
        told = f"\t{item.help}" if item.help and item.value.isdecimal() else ""
        return f"{super().format_completion(item)}{told}"


class _Zsh(_InTime, ZshComplete):
    pass


class _Fish(_InTime, FishComplete):
    pass


for _shell in (_Bash, _Zsh, _Fish):
    add_completion_class(_shell)
