"""Runs an exec credential plugin: the user's own program that says who we are.

Source: client-go plugin/pkg/client/auth/exec/exec.go and
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config.plugin_policy import is_allowed
from backout.kube.credentials.exec_credential import Login, identity_from
from backout.kube.credentials.plugin_process import Finished, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.kube.connection import Plugin

UNATTENDED = 900.0
"""Seconds that a plugin has where nobody can press Ctrl-C.

A login in a browser may be waited for all the same, and a code for one is good for 10 minutes
(AWS) or 15 (Azure, GitHub). kubectl waits for ever, on purpose (kubernetes#108849).
"""
SAID_AFTER = 1.0
SAID_EVERY = 30.0


def _nothing(_: str) -> None:
    """Learn nothing."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """How a plugin may behave: `terminal` is True where a person can answer it on stdin.

    `say` gets a sentence when the plugin takes longer than a second, and again `every` so many
    seconds; `learn` gets each token that a plugin or a file gives: it must not be told. Where a
    person can answer, Ctrl-C is the only end; else it has `unattended` seconds.
    """

    terminal: bool = False
    say: Callable[[str], None] | None = None
    learn: Callable[[str], None] = _nothing
    unattended: float = UNATTENDED
    every: float = SAID_EVERY


async def identity(plugin: Plugin, around: Surroundings) -> Login:
    """Run the plugin once and return what it says; raise ConfigError if it says nothing usable."""
    interactive = _is_interactive(plugin, around)
    command = _found(plugin)
    if not is_allowed(plugin.policy, plugin.command, command, plugin.search_path):
        raise _failed(plugin, "is not allowed by credentialPluginPolicy in kubectl's kuberc")
    environment = {
        **plugin.environment,
        "KUBERNETES_EXEC_INFO": json.dumps(_exec_info(plugin, interactive=interactive)),
    }
    waiting = asyncio.create_task(_say_waiting(plugin, around))
    try:
        async with asyncio.timeout(None if around.terminal else around.unattended):
            finished = await run(
                [command, *plugin.arguments], environment=environment, interactive=interactive
            )
    except TimeoutError:
        raise _failed(plugin, f"did not answer within {around.unattended:g} s") from None
    except OSError as exc:
        raise _failed(plugin, f"cannot be run: {(exc.strerror or 'unknown').lower()}") from None
    finally:
        waiting.cancel()
    return _judged(plugin, finished)


def _judged(plugin: Plugin, finished: Finished) -> Login:
    if finished.code != 0:
        # Its own words, if we kept them; a plugin may well print what it was given.
        said = untrusted(finished.stderr.decode(errors="replace").strip())
        raise _failed(plugin, f"failed with exit code {finished.code}{': ' if said else ''}{said}")
    try:
        return identity_from(finished.stdout, api_version=plugin.api_version)
    except ValueError as exc:
        raise _failed(plugin, str(exc)) from None


async def _say_waiting(plugin: Plugin, around: Surroundings) -> None:
    if around.say is None:
        return
    clock, words = asyncio.get_running_loop(), f"waiting for the credential plugin {_name(plugin)}"
    since = clock.time()
    await asyncio.sleep(SAID_AFTER)
    around.say(words)
    while True:
        await asyncio.sleep(around.every)
        around.say(f"{words} ({clock.time() - since:.0f} s)")


def _is_interactive(plugin: Plugin, around: Surroundings) -> bool:
    if plugin.interactive_mode == "Always" and not around.terminal:
        raise _failed(plugin, "needs a terminal (interactiveMode: Always) and there is none")
    return around.terminal and plugin.interactive_mode != "Never"


def _found(plugin: Plugin) -> str:
    """Return the program's path; never one of the working directory (as Go's exec.ErrDot)."""
    command = plugin.command
    if os.sep not in command:
        found = shutil.which(command, path=plugin.search_path)
        if found is not None and os.path.isabs(found):  # noqa: PTH117 (text in, text out)
            return found
    elif os.path.exists(command):  # noqa: PTH110 (the same)
        return command
    hint = untrusted(plugin.install_hint, 1024)
    raise ConfigError(
        f"the credential plugin {_name(plugin)} is not installed",
        remedy=hint or "install it, or correct exec.command in the kubeconfig",
    )


def _failed(plugin: Plugin, why: str) -> ConfigError:
    return ConfigError(
        f"the credential plugin {_name(plugin)} {why}",
        remedy="run it by hand to see what it says, or log in again",
    )


def _name(plugin: Plugin) -> str:
    return untrusted(os.path.basename(plugin.command), 80)  # noqa: PTH119 (text in, text out)


def _exec_info(plugin: Plugin, *, interactive: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.cluster is not None:
        spec["cluster"] = plugin.cluster
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
