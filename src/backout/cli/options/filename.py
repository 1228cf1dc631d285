"""`-f FILE`: the workloads that a manifest names, for commands that take TYPE/NAME."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from backout.cli.options import complete
from backout.cli.options import target as targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backout.core.kinds.target import Target

FILE_CAP = 16 * 1024 * 1024
STDIN = "-"
_ENDINGS = (".json", ".yaml", ".yml")
"""What kubectl takes of a folder."""


def workload(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command its workload: TYPE/NAME, or those that the files of `-f` name.

    Of several the command is carried out one after the other, to the first that does not end well:
    the exit code is that one's.
    """

    @wraps(command)
    def each(*args: Any, workload: tuple[str, ...], filename: tuple[str, ...], **more: Any) -> int:
        ctx = click.get_current_context()
        if not filename:
            return command(*args, workload=_given(ctx, workload), **more)
        if workload:
            raise click.UsageError("TYPE/NAME and -f contradict each other")
        demanded = _namespace(ctx)
        found = _of_files(filename, demanded)
        for place, target in enumerate(found):
            namespace = target.namespace or demanded
            _let_say(ctx, target, namespace)
            values = {**more, "workload": (str(target),), "namespace": namespace or None}
            code = 1  # where it raises
            try:
                code = command(*args, **values)
            finally:
                if code:
                    _tell_left(found[place + 1 :])
            if code:
                return code
        return 0

    argument = click.argument(
        "workload", nargs=-1, metavar="TYPE/NAME", shell_complete=complete.workloads
    )
    option = click.option(
        "-f",
        "--filename",
        multiple=True,
        metavar="FILE",
        help="Manifest that names the workload, a folder of them, or - for stdin; may be repeated.",
    )
    return argument(option(each))


def _given(ctx: click.Context, words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        raise click.UsageError(targets.needed(), ctx)
    return words


def _namespace(ctx: click.Context) -> str:
    """Return the namespace that the command line demands; empty where it demands none."""
    before: dict[str, Any] = ctx.obj or {}
    return str(ctx.params.get("namespace") or before.get("namespace") or "")


def _let_say(ctx: click.Context, target: Target, namespace: str) -> None:
    """Let the command line say what the file says: the lines that go on are made from it."""
    ctx.params.update(workload=(str(target),), namespace=namespace or None)
    source = ParameterSource.COMMANDLINE if namespace else ParameterSource.DEFAULT
    ctx.set_parameter_source("namespace", source)


def _tell_left(left: tuple[Target, ...]) -> None:
    if left:
        click.echo(f"left out, because of that: {', '.join(map(str, left))}", err=True)


def _of_files(names: tuple[str, ...], namespace: str) -> tuple[Target, ...]:
    """Return the workloads of all files; raise ConfigError or UsageError where there is none.

    As with kubectl a namespace that was demanded must be the one that an object names.
    """
    found = tuple(dict.fromkeys(t for name in names for t in _of_file(name)))
    if not found:
        from backout.core.kinds import KINDS  # noqa: PLC0415 (not for --help)

        *most, last = (kind.resource.name for kind in KINDS)
        kinds = f"{', '.join(most)} or {last}"
        raise click.UsageError(f"{', '.join(names)[:200]} names no {kinds}")
    for one in found:
        if namespace and one.namespace not in {"", namespace}:
            raise click.UsageError(
                f"{one} of the file is in namespace {one.namespace}, not {namespace}: pass "
                f"--namespace={one.namespace}"
            )
    return found


def _of_file(name: str) -> Iterator[Target]:
    # Nothing of this is imported for --help.
    import yaml  # noqa: PLC0415

    from backout.core.errors import ConfigError  # noqa: PLC0415
    from backout.core.kinds.manifest import named  # noqa: PLC0415
    from backout.core.text import untrusted  # noqa: PLC0415
    from backout.kube.config import go_yaml  # noqa: PLC0415

    for shown, content in _contents(name):
        if len(content) > FILE_CAP:
            raise ConfigError(f"{untrusted(shown)} is larger than {FILE_CAP // 1024 // 1024} MiB")
        try:
            yield from named(go_yaml.documents(content))
        except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
            why = str(error) if type(error) is ValueError else "it is not valid YAML"
            raise ConfigError(
                f"{untrusted(shown)} is no manifest: {why}", remedy="name another: -f FILE"
            ) from None


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    """Give each file that is named, with its content; raise ConfigError where it cannot be read."""
    import sys  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from backout.core.errors import ConfigError  # noqa: PLC0415
    from backout.core.text import untrusted  # noqa: PLC0415

    if name == STDIN:
        yield "stdin", sys.stdin.buffer.read(FILE_CAP + 1)
        return
    path = Path(name)
    try:
        in_folder = sorted(path.iterdir()) if path.is_dir() else []
        files = [one for one in in_folder if one.suffix in _ENDINGS] if path.is_dir() else [path]
        for one in files:
            with one.open("rb") as file:
                yield str(one), file.read(FILE_CAP + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigError(f"cannot read {untrusted(name)}: {why.lower()}") from None
