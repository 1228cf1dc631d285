"""Carries `backout diff` out: in words, as a JSON Patch, or as a unified diff."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from backout.cli.looking import looked_at
from backout.cli.output import gate, tables
from backout.cli.output.pod_templates import as_yaml, told
from backout.cli.output.printing import json_line, printer
from backout.cli.program import program
from backout.core.difference import json_patch, shown, words
from backout.core.difference.fields import differences
from backout.core.errors import ConfigError
from backout.core.history import revisions
from backout.core.kubernetes import template
from backout.core.plan.absent import no_such_revision
from backout.core.plan.listing import listed
from backout.core.spans import span
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.cli.options.shared import Common
    from backout.core.model import Object, Revision
    from backout.core.preflight.snapshot import Snapshot

HIDDEN_VALUES = "values that may be secret are hidden: --show-values shows them"
_STYLES = {" ": "bold", "-": "red", "+": "green"}


class Ends(Struct, frozen=True, kw_only=True):
    """Two templates, each with its name in words, and why the second was taken."""

    target: str
    before: Object
    after: Object
    old: str
    new: str
    why: str


def run(
    workload: tuple[str, ...],
    shared: Common,
    revisions: tuple[int | None, int | None],
    *,
    is_local: bool,
    with_values: bool,
) -> int:
    """Look once and print the difference of two revisions, old and new; return the exit code."""
    snapshot = looked_at(workload, shared, is_local=is_local)
    return show(between(snapshot, *revisions), shared.output, with_values=with_values)


def between(snapshot: Snapshot, old: int | None, new: int | None) -> Ends:
    """Return the two ends: numbers of revisions; None: what is asked for now, what undo chooses.

    Raises ConfigError where there is no such revision, or undo would choose none.
    """
    there, why = (_numbered(snapshot, new), "") if new is not None else _chosen(snapshot)
    now = revisions.current(snapshot.revisions)
    here = _numbered(snapshot, old) if old is not None else now
    wanted = snapshot.workload["spec"]["template"]
    return Ends(
        target=str(snapshot.target),
        before=here.template if old is not None and here is not None else wanted,
        after=there.template,
        old=_named(here, snapshot),
        new=_named(there, snapshot),
        why=why,
    )


def show(ends: Ends, output: str, *, with_values: bool) -> int:
    """Print the difference; return the exit code. What is hidden is said on stderr."""
    if output == "json":
        is_hidden = _print_patch(ends, with_values=with_values)
    elif output == "patch":
        is_hidden = _print_unified(ends, with_values=with_values)
    else:
        is_hidden = _print(ends, with_values=with_values)
    if is_hidden:
        click.echo(f"note: {HIDDEN_VALUES}", err=True)
    return 0


def _print(ends: Ends, *, with_values: bool) -> bool:
    put = printer()
    changed = words.changes(ends.before, ends.after)
    tables.sentence(put, f"{ends.target}: {ends.old} -> {ends.new}", "bold")
    if ends.why:
        tables.sentence(put, f"undo would choose it: {ends.why}", "dim")
    for phrase in changed or (words.NOTHING,):
        tables.sentence(put, f"  {phrase}")
    found = differences(ends.before, ends.after)
    lines = shown.lines(found, with_values=with_values)
    header = [f"--- {ends.old}", f"+++ {ends.new}"] if lines else []
    for line in ["", *header] if lines else []:
        put(gate.shown(line, tables.LINE), "bold", False)  # noqa: FBT003
    for line in lines:
        put(untrusted(line, tables.LONGEST), _STYLES[line[0]], False)  # noqa: FBT003
    return lines != shown.lines(found, with_values=True)


def _print_patch(ends: Ends, *, with_values: bool) -> bool:
    ops = json_patch.operations(ends.before, ends.after)
    told = list(ops) if with_values else [shown.hidden_operation(op) for op in ops]
    click.echo(json_line(told))
    return told != list(ops)


def _print_unified(ends: Ends, *, with_values: bool) -> bool:
    veil = shown.numbering()
    made = [told(t, with_values=with_values, veil=veil) for t in (ends.before, ends.after)]
    old, new = (as_yaml(one).splitlines() for one in made)
    before, after = (gate.shown(f"{ends.target} {name}") for name in (ends.old, ends.new))
    if not template.same(ends.before, ends.after):
        for line in difflib.unified_diff(old, new, before, after, lineterm=""):
            click.echo(line)
    return made != [template.without_hash(t) for t in (ends.before, ends.after)]


def _numbered(snapshot: Snapshot, number: int) -> Revision:
    found = revisions.numbered(snapshot.revisions, number)
    if found is None:
        raise no_such_revision(snapshot, number)
    return found


def _chosen(snapshot: Snapshot) -> tuple[Revision, str]:
    told = listed(snapshot)
    if told.choice is None:
        raise ConfigError(
            f"undo would not choose any revision: {told.why}",
            remedy=f"name one of those that {program()} history lists: --to-revision N",
        )
    return told.choice.revision, told.why


def _named(one: Revision | None, snapshot: Snapshot) -> str:
    if one is None:
        return "the newest template, which no revision has yet"
    age = f", {span(snapshot.now, since=one.created)} old" if one.created is not None else ""
    return f"revision {one.number}{' (now)' if one.is_current else ''}{age}"
