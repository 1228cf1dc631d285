"""Names for the shell's completion, from the kubeconfig and the cluster.

Silent and quick: where nothing can be had within a second there is nothing to offer. What is
offered stands on the prompt unquoted, one key away from being run: only plain names are.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from backout.cli import here
from backout.cli.options import target as targets
from backout.cli.program import MARK
from backout.core.images.names import short
from backout.core.kinds import KINDS
from backout.core.kubernetes import objects, template
from backout.core.kubernetes.objects import name
from backout.core.spans import span
from backout.kube import paths
from backout.kube.client import Client
from backout.kube.config.merging import merged
from backout.session import connect
from backout.session.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    import click

    from backout.core.kinds.target import Target
    from backout.core.model import Revision

WIND_DOWN = 0.1
"""Seconds of those there are to end in order: a credential plugin must not stay behind."""
# Kubernetes' own names and numbers; the kubeconfig's are free text: `arn:aws:eks:…:cluster/prod`.
_OBJECT = re.compile(r"[a-z0-9][-a-z0-9.]*")
_IMAGE = re.compile(r"[a-z0-9][-a-z0-9._]*(:[A-Za-z0-9_][-\w.]*)?", re.ASCII)
_ENTRY = re.compile(r"[A-Za-z0-9_][-\w.:/@+=,]*", re.ASCII)


def contexts(ctx: click.Context, incomplete: str) -> list[str]:
    """Return the kubeconfig's contexts."""
    found = _quietly(lambda: _context_names(_given(ctx, "kubeconfig")))
    return _matching([name for name in found if _ENTRY.fullmatch(name)], incomplete)


def namespaces(ctx: click.Context, incomplete: str) -> list[str]:
    """Return the cluster's namespaces."""

    async def ask(client: Client, _namespace: str) -> list[str]:
        return await _names(client, paths.namespaces())

    return _matching(_from_cluster(ctx, ask), incomplete)


def workloads(ctx: click.Context, incomplete: str) -> list[str]:
    """Return `TYPE/NAME` of the namespace's workloads, or names after a bare TYPE."""
    before = tuple(ctx.params.get("workload") or ctx.params.get("words") or ())
    before = before[1:] if before[:1] == (MARK,) else before
    if before and "/" not in before[0]:
        return _matching(_named(ctx, before[0]), incomplete) if len(before) == 1 else []
    word, slash, _ = incomplete.partition("/")
    if before:
        return []
    if not slash:
        return _matching([f"{known}/" for known in _types()], incomplete)
    return _matching([f"{word}/{name}" for name in _named(ctx, word)], incomplete)


def _types() -> list[str]:
    """Return the words for kinds, each in its shortest and its full form."""
    return [word for kind in KINDS for word in (*kind.short, kind.resource.name.lower())]


def _named(ctx: click.Context, word: str) -> list[str]:
    """Return the names of the namespace's workloads of a kind."""
    kind = targets.kind_of(word)
    if kind is None:
        return []

    async def ask(client: Client, namespace: str) -> list[str]:
        return await _names(client, paths.listed(kind.resource, namespace))

    return _from_cluster(ctx, ask)


def revisions(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the other revisions of the workload that is named already, newest first."""
    return _numbers(ctx, incomplete, with_current=False)


def all_revisions(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return all revisions of the workload that is named already, newest first."""
    return _numbers(ctx, incomplete, with_current=True)


def _numbers(ctx: click.Context, incomplete: str, *, with_current: bool) -> list[CompletionItem]:
    """Return revisions' numbers, with image and age for the shells that show more than a word."""
    found = _of_history(ctx, _number_and_words, with_current=with_current)
    split = (one.partition(" ") for one in found)
    return [
        CompletionItem(n, help=words or None) for n, _, words in split if n.startswith(incomplete)
    ]


def _number_and_words(revision: Revision, now: datetime) -> list[str]:
    images = [short(i) for i in template.images(revision.template).values()]
    told = [i for i in dict.fromkeys(images) if _IMAGE.fullmatch(i)]
    age = [f"{span(now, since=revision.created)} old"] if revision.created is not None else []
    return [" ".join([str(revision.number), ", ".join([*told, *age])])]


def images(ctx: click.Context, incomplete: str) -> list[str]:
    """Return the images of the workload's other revisions, newest first, as people call them."""
    found = _of_history(
        ctx, lambda r, _: [i.rpartition("/")[2] for i in template.images(r.template).values()]
    )
    return _matching([i for i in dict.fromkeys(found) if _IMAGE.fullmatch(i)], incomplete)


def _of_history(
    ctx: click.Context,
    words: Callable[[Revision, datetime], list[str]],
    *,
    with_current: bool = False,
) -> list[str]:
    """Return words of each revision of the workload that is named already."""

    async def ask(client: Client, namespace: str) -> list[str]:
        # While an option's value is being typed click has not come to the arguments.
        given = tuple(ctx.params.get("workload") or ctx.params.get("words") or ctx.args)
        named = given[1:] if given[:1] == (MARK,) else given
        there = await _history(client, targets.parse(named, namespace))
        now = client.now()
        wanted = (r for r in there if with_current or not r.is_current)
        return [word for one in wanted for word in words(one, now)]

    return _from_cluster(ctx, ask)


async def _history(client: Client, target: Target) -> tuple[Revision, ...]:
    workload = await client.get(paths.workload(target))
    selector = objects.selector_text(workload["spec"]["selector"])
    path = paths.listed(target.kind.stored, target.namespace)
    listing = await client.list(path, label_selector=selector)
    return target.kind.revisions(workload, listing.items, ())


def _from_cluster(
    ctx: click.Context, ask: Callable[[Client, str], Awaitable[list[str]]]
) -> list[str]:
    async def found(left: float) -> list[str]:
        connection = connect.connection({flag: _given(ctx, flag) for flag in FLAGS}, here.process())
        async with Client(connection, read_timeout=left) as client:
            return await ask(client, connection.namespace)

    async def in_time() -> list[str]:
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        async with asyncio.timeout(left - WIND_DOWN):
            return await found(left)

    return _quietly(lambda: asyncio.run(in_time()))


async def _names(client: Client, path: str) -> list[str]:
    names = sorted(name(item) for item in (await client.list(path, tries=1)).items)
    return [one for one in names if _OBJECT.fullmatch(one)]


def _context_names(path: str | None) -> list[str]:
    return sorted(merged(path=path, environ=os.environ, home=Path.home()).entries["context"])


def _given(ctx: click.Context, name: str) -> Any:
    """Return a common option from after or before the command."""
    mine = ctx.params.get(name)
    return mine or (ctx.parent.params.get(name) if ctx.parent is not None else None)


def _quietly(find: Callable[[], list[str]]) -> list[str]:
    try:
        return find()
    except Exception:  # noqa: BLE001 (a prompt is no place for an error)
        return []


def _matching(names: list[str], incomplete: str) -> list[str]:
    return [n for n in names if n.startswith(incomplete)]
