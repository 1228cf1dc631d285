"""Options that every command has, kubectl's names and meaning; before or after the command."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from backout.cli.options import complete
from backout.cli.options.declaring import F, with_options
from backout.cli.options.durations import DURATION, DURATION_OR_NONE
from backout.cli.options.values import OneOf
from backout.session.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.model import Acceptance


class Common(NamedTuple):
    """What the common options said. Durations in seconds.

    `notes` tells which policy files set what, or were ignored; `standing` is what the user's own
    accepts.
    """

    namespace: str | None
    context: str | None
    kubeconfig: str | None
    cluster: str | None
    user: str | None
    impersonate: str | None
    impersonate_groups: tuple[str, ...]
    impersonate_uid: str | None
    impersonate_extra: tuple[str, ...]
    server: str | None
    certificate_authority: str | None
    insecure_skip_tls_verify: bool
    tls_server_name: str | None
    proxy_url: str | None
    token: str | None
    client_certificate: str | None
    client_key: str | None
    kuberc: str | None
    request_timeout: float | None
    timeout: float | None
    output: str
    quiet: bool
    verbose: bool
    notes: tuple[str, ...] = ()
    standing: tuple[Acceptance, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.namespace}, {self.context}"  # not its token

    @property
    def flags(self) -> dict[str, Any]:
        """What kubectl's flags said, by their names of session/connect."""
        return {name: getattr(self, name) for name in FLAGS}


_NAMED, _SAID, _KEYS = "backout.policy.named", "backout.policy.said", "backout.policy.keys"
_ACCEPTING = frozenset({"undo", "check"})


def _load_policy(ctx: click.Context, _param: click.Parameter, named: str | None) -> None:
    """Let the policy files fill what neither the command line nor the environment says.

    Eager: it comes before every other option. Before the command it is only remembered.
    """
    is_given = _is_given(ctx, "policy")
    if ctx.resilient_parsing:
        return
    if ctx.parent is None:
        ctx.meta[_NAMED] = named if is_given else None
        return
    from backout.cli.options import policy_file, policy_keys  # noqa: PLC0415 (not for --help)

    before = ctx.parent.meta.get(_NAMED)
    said = policy_file.load(named if is_given or before is None else before, ctx)
    keys = {p.name: policy_keys.key(p) for p in ctx.command.params if p.name}
    ctx.default_map = {name: said.values[k] for name, k in keys.items() if k in said.values}
    ctx.meta[_SAID], ctx.meta[_KEYS] = said, keys


def _output(*formats: str, words: str) -> Callable[[F], F]:
    return click.option(
        "-o",
        "--output",
        type=OneOf(formats),
        default="text",
        envvar="BACKOUT_OUTPUT",
        help=words,
    )


def _learn(_ctx: click.Context, _param: click.Parameter, token: str | None) -> str | None:
    """Let the mask know the token before anything else of the command line is looked at."""
    if token:
        from backout.cli.output.gate import MASK  # noqa: PLC0415 (not for --help)

        MASK.learn(token)
    return token


def _colour(ctx: click.Context, _param: click.Parameter, when: str | None) -> None:
    """Let the variables that every output heeds say what the option says."""
    if when is None or ctx.resilient_parsing:
        return
    for name in ("NO_COLOR", "FORCE_COLOR"):
        os.environ.pop(name, None)
    if when != "auto":
        os.environ["FORCE_COLOR" if when == "always" else "NO_COLOR"] = "1"


_CONNECTION = (
    click.option(
        "-n",
        "--namespace",
        metavar="NS",
        shell_complete=complete.namespaces,
        help="Namespace of the workload.  [default: the context's]",
    ),
    click.option(
        "--context",
        metavar="NAME",
        shell_complete=complete.contexts,
        help="Context of the kubeconfig to use.  [default: the current one]",
    ),
    click.option(
        "--kubeconfig",
        metavar="FILE",
        type=click.Path(),
        help="Kubeconfig to read instead of $KUBECONFIG or ~/.kube/config.",
    ),
    click.option("--cluster", metavar="NAME", help="Cluster of the kubeconfig to ask."),
    click.option("--user", metavar="NAME", help="User of the kubeconfig to ask as."),
    click.option("--as", "impersonate", metavar="USER", help="Impersonate this user."),
    click.option(
        "--as-group",
        "impersonate_groups",
        metavar="GROUP",
        multiple=True,
        help="Impersonate this group, too; may be repeated.",
    ),
    click.option("--as-uid", "impersonate_uid", metavar="UID", help="Impersonate this UID."),
    click.option(
        "--as-user-extra",
        "impersonate_extra",
        metavar="KEY=VALUE",
        multiple=True,
        help="Impersonate a user with this extra field; may be repeated.",
    ),
    click.option("-s", "--server", metavar="URL", help="API server to ask."),
    click.option(
        "--certificate-authority",
        metavar="FILE",
        help="CA certificates that the API server's certificate is verified by.",
    ),
    click.option(
        "--insecure-skip-tls-verify",
        is_flag=True,
        help="Do not verify the API server's certificate.",
    ),
    click.option(
        "--tls-server-name",
        metavar="NAME",
        help="Name to expect in the API server's certificate.  [default: the host's]",
    ),
    click.option("--proxy-url", metavar="URL", help="Proxy on the way to the API server."),
    click.option(
        "--token",
        metavar="TOKEN",
        is_eager=True,
        callback=_learn,
        help="Bearer token for the API server. Other users of this machine can read a command "
        "line: a kubeconfig is the better place.",
    ),
    click.option(
        "--client-certificate", metavar="FILE", help="Client certificate for the API server."
    ),
    click.option("--client-key", metavar="FILE", help="Private key of the client certificate."),
    click.option(
        "--kuberc",
        metavar="FILE",
        help="Preferences of kubectl, which say which credential plugins may run.",
    ),
    click.option(
        "--request-timeout",
        type=DURATION,
        envvar="BACKOUT_REQUEST_TIMEOUT",
        help="Time limit for each request.  [default: reads 10s, writes 60s]",
    ),
    click.option(
        "--timeout",
        type=DURATION_OR_NONE,
        envvar="BACKOUT_TIMEOUT",
        help="Time limit for the whole run.  [default: 0s, none while the rollout moves]",
    ),
)
_JSON = _output("text", "json", words="Output format; json is one event a line on stdout.")
_PAGE = _output(
    "text",
    "json",
    "html",
    words="Output format; json is one event a line on stdout, html one page of many workloads.",
)
_REST = (
    click.option(
        "--policy",
        metavar="FILE",
        envvar="BACKOUT_POLICY",
        is_eager=True,
        expose_value=False,
        callback=_load_policy,
        help="Policy file with defaults of your own.  "
        "[default: backout/policy.toml in the config folder]",
    ),
    click.option(
        "--color",
        type=OneOf(["auto", "always", "never"]),
        expose_value=False,
        callback=_colour,
        help="When to colour the output; outranks NO_COLOR and FORCE_COLOR.  [default: auto, on "
        "terminals]",
    ),
    click.option(
        "-q", "--quiet", is_flag=True, help="Leave out progress: show results and problems only."
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Show each request on stderr, never its body; -v=6 is the same.",
    ),
)
_NAMES = tuple(n for n in Common._fields if n not in {"notes", "standing"})


def before(command: F) -> F:
    """Give the program the options that may stand before a command; see `given`."""
    return with_options(command, (*_CONNECTION, _JSON, *_REST))


def common(command: F) -> F:
    """Give a command the common options, which it receives as `shared`."""
    return _receiving(command, _JSON)


def common_with_page(command: F) -> F:
    """Give a command the common options, a page of HTML among them."""
    return _receiving(command, _PAGE)


def common_in(*formats: str, words: str) -> Callable[[F], F]:
    """Return what gives a command the common options, with formats of its own beside text."""
    output = _output("text", *formats, words=words)
    return lambda command: _receiving(command, output)


def _receiving(command: F, output: Callable[[F], F]) -> F:
    @wraps(command)
    def called(*args: Any, **values: Any) -> Any:
        shared = _collect(click.get_current_context(), values)
        rest = {name: value for name, value in values.items() if name not in _NAMES}
        return command(*args, **rest, shared=shared)

    return with_options(called, (*_CONNECTION, output, *_REST))  # type: ignore[return-value]


def _collect(ctx: click.Context, values: dict[str, Any]) -> Common:
    """Return the common options: those after the command outrank those before it."""
    earlier: dict[str, Any] = ctx.obj or {}
    said = ctx.meta.get(_SAID)
    found = {
        name: values[name] if _is_given(ctx, name) else earlier.get(name, values[name])
        for name in _NAMES
    }
    return Common(
        **{**found, "timeout": found["timeout"] or None},  # 0 is no limit, as kubectl's
        notes=_notes(ctx),
        standing=said.accepted if said is not None else (),
    )


def _notes(ctx: click.Context) -> tuple[str, ...]:
    """Return which policy files were ignored, and which set which options of this command."""
    said = ctx.meta.get(_SAID)
    if said is None:
        return ()
    keys: dict[str, str] = ctx.meta[_KEYS]
    used = [
        keys[p.name]
        for p in ctx.command.params
        if p.name and ctx.get_parameter_source(p.name) is ParameterSource.DEFAULT_MAP
    ]
    by_file: dict[str, list[str]] = {}
    for one in used:
        by_file.setdefault(said.origins[one], []).append(one)
    if said.accepted and ctx.command.name in _ACCEPTING:
        by_file.setdefault(said.own, []).extend(f"accept {a.id}" for a in said.accepted)
    used_files = tuple(f"policy {path}: {', '.join(keys)}" for path, keys in by_file.items())
    return (*said.ignored, *used_files)


def given(ctx: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """Return the common options that stand before the command."""
    return {name: values[name] for name in _NAMES if _is_given(ctx, name)}


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
