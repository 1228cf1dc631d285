"""The incident as Markdown for a ticket (GitHub's flavour): nothing in it acts or links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.cli.output.reports import words
from backout.cli.output.reports.plot import duration
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.report.incident import Incident

LONGEST = 4000
_QUIET = {"replicas", "sample"}
_MARKUP = re.compile(r"[\\`*_{}\[\]~|$]|^[-+](?=\s)|(?<=^\d)[.)](?=\s)")
_ACTING = re.compile(r"[@#](?=\w)|:(?=//)|www(?=\.)", re.IGNORECASE)
"""Where GitHub makes a mention, an issue or a link; an empty comment stands in the way."""
_RUN = re.compile(r"`+")


def page(incident: Incident) -> str:
    """Return the incident as one Markdown document."""
    badge = words.badge(incident)
    lines = [f"# {_plain(incident.title)}: {_plain(badge.word)}", "", _plain(words.says(incident))]
    lines += ["", _plain(incident.ended.remedy)] if incident.ended.remedy else []
    for gap in incident.gaps:
        lines += ["", f"> **Note:** {_plain(gap)}"]
    began = [("Began", words.when(incident))]
    lines += _table(("", ""), [*began, *words.figures(incident)])
    for part in (_choice, _causes, _checks, _timeline, _ids):
        lines += part(incident)
    return "\n".join(lines) + "\n"


def _choice(incident: Incident) -> list[str]:
    choice = incident.choice
    if not choice.message:
        return []
    passed = ["", *(f"- {_plain(one)}" for one in choice.passed_over)]
    return [
        "",
        "## What was chosen, and why",
        "",
        _plain(choice.message),
        *([""] if passed else []),
        *passed,
    ]


def _causes(incident: Incident) -> list[str]:
    if not incident.causes and not incident.logs:
        return []
    rows = [
        (
            duration(c.seconds),
            c.code,
            "certain" if c.final else "suspected",
            _joined(c.message, c.evidence, c.remedy and f"Remedy: {c.remedy}"),
        )
        for c in incident.causes
    ]
    lines = ["", "## Causes", *(_table(("After", "Code", "", "What"), rows) if rows else [])]
    for one in incident.logs:
        lines += ["", _plain(one.message), "", *_fenced(one.lines)]
    return lines


def _checks(incident: Incident) -> list[str]:
    rows = [
        (
            f.id,
            "accepted" if f.accepted else f.severity,
            _joined(
                f.message,
                f.detail,
                f.reason and f"Accepted: {f.reason}",
                f.remedy and f"Remedy: {f.remedy}",
            ),
        )
        for f in incident.findings
    ]
    rows += [(", ".join(u.ids), "not checked", u.message) for u in incident.unchecked]
    return ["", "## Checks", *_table(("Check", "Weight", "What"), rows)] if rows else []


def _timeline(incident: Incident) -> list[str]:
    rows = [
        (duration(r.seconds), words.clock(r.at), r.message or r.kind)
        for r in incident.rows
        if r.kind not in _QUIET
    ]
    return ["", "## Timeline", *_table(("After", "UTC", "What"), rows)]


def _ids(incident: Incident) -> list[str]:
    return ["", "## Digests and ids", *_table(("", ""), words.ids(incident))]


def _joined(*sentences: str) -> str:
    return ". ".join(s.rstrip(".") for s in sentences if s)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["", _row(header), _row(["---"] * len(header), is_markup=True)]
    return lines + [_row(row) for row in rows]


def _row(cells: Sequence[str], *, is_markup: bool = False) -> str:
    return "| " + " | ".join(c if is_markup else _plain(c) for c in cells) + " |"


def _plain(text: str) -> str:
    """Return a text that GitHub shows as it is: no markup, no HTML, no link, nobody mentioned."""
    seen = untrusted(text, LONGEST)
    seen = seen.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    seen = _MARKUP.sub(r"\\\g<0>", seen)
    return _ACTING.sub(r"\g<0><!-- -->", seen)


def _fenced(lines: Sequence[str]) -> list[str]:
    """Return lines in a fence that none of them can close."""
    seen = [untrusted(line, LONGEST) for line in lines]
    longest = max((len(run) for line in seen for run in _RUN.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *seen, fence]
