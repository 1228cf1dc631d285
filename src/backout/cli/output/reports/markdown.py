"""The incident as Markdown for a ticket or a chat: nothing in it acts or links.

Jira, Slack and GitHub agree on headings, lists, code and fences, and on little else: no tables, no
emphasis, no HTML, no backslashes. What one of them would make something of stands as code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.cli.output.reports import words
from backout.cli.output.reports.causes import causes
from backout.cli.output.reports.plot import duration
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backout.core.report.incident import Incident

LONGEST = 4000
_ACTING = re.compile(
    r"""[\\`*~|$<>&{}\[\]@^]     # markup, HTML, mentions
    |^_|_$|\#\w|\bGH-\d          # emphasis, an issue
    |(?<!\d):[\w+-]+:(?!\d)      # an emoji, which no time of day is
    |://|\w\.[a-z]{2,}           # what is made a link
    """,
    re.VERBOSE | re.IGNORECASE,
)
_STARTING = re.compile(r"[-+#=]+|\d+[.)]")
"""What makes a list or a heading of a text that it begins."""
_RUN = re.compile(r"`+")


def page(incident: Incident) -> str:
    """Return the incident as one Markdown document."""
    parts = (_top, _choice, _causes, _checks, _timeline, _ids)
    return "\n".join(line for part in parts for line in part(incident)) + "\n"


def _top(incident: Incident) -> Iterator[str]:
    yield f"# {_plain(incident.title)}: {_plain(words.badge(incident).word)}"
    yield from ("", _plain(words.lead(incident)))
    if incident.ended.remedy:
        yield from ("", _plain(incident.ended.remedy))
    for gap in incident.gaps:
        yield from ("", f"Note: {_plain(gap)}")
    yield ""
    yield from (f"- Alert: {_plain(words.alert(one))}" for one in incident.alerts)
    yield f"- Began: {words.when(incident)}"
    for one in words.figures(incident):
        note = f" ({_plain(one.note)})" if one.note else ""
        yield f"- {one.name}: {_plain(one.value)}{note}"
    yield from _pairs(words.facts(incident))
    for number, line in enumerate(words.commands(incident)):
        yield f"- {'Then' if number else 'Command'}: {_code(line)}"


def _choice(incident: Incident) -> Iterator[str]:
    choice = incident.choice
    if not choice.message:
        return
    yield from ("", "## Why this revision", "", _plain(choice.message))
    if choice.passed_over:
        yield ""
    yield from (f"- {_plain(one)}" for one in choice.passed_over)


def _causes(incident: Incident) -> Iterator[str]:
    if not incident.causes and not incident.logs:
        return
    yield from ("", "## Causes", "")
    for one in causes(incident):
        first = one.first
        yield f"- {_code(first.code)}, {one.weight.word}, {duration(first.seconds)}: " + _plain(
            one.message
        )
        yield from _below(Evidence=first.evidence, Fix=first.remedy)
    for logs in incident.logs:
        yield from ("", _plain(logs.message), "", *_fenced(logs.lines))


def _checks(incident: Incident) -> Iterator[str]:
    if not incident.findings and not incident.unchecked:
        return
    yield from ("", "## Checks", "")
    for one in incident.findings:
        yield f"- {_code(one.id)} {_plain(one.severity)}: {_plain(one.message)}"
        accepted = (one.reason or "no reason recorded") if one.accepted else ""
        yield from _below(Detail=one.detail, Accepted=accepted, Fix=one.remedy)
    for skipped in incident.unchecked:
        yield f"- {_code(', '.join(skipped.ids))} {_plain(skipped.message)}"


def _timeline(incident: Incident) -> Iterator[str]:
    rows = [
        (words.clock(r.at), duration(r.seconds), words.in_short(incident, r.message or r.kind))
        for r in words.story(incident)
    ]
    width = max((len(after) for _, after, _ in rows), default=0)
    yield from ("", "## Timeline", "")
    yield from _fenced(f"{at}  {after:>{width}}  {text}" for at, after, text in rows)


def _ids(incident: Incident) -> Iterator[str]:
    yield from ("", "## Digests and ids", "")
    yield from (f"- {_plain(name)}: {_code(value)}" for name, value in words.ids(incident))


def _pairs(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from (f"- {_plain(name)}: {_plain(value)}" for name, value in found)


def _below(**found: str) -> Iterator[str]:
    yield from (f"  - {name}: {_plain(text)}" for name, text in found.items() if text)


def _plain(text: str) -> str:
    """Return a text whose words stand as they are, and as code where one would act."""
    spans: list[tuple[bool, list[str]]] = []
    for place, word in enumerate(untrusted(text, LONGEST).split(" ")):
        starts = place == 0 and _STARTING.fullmatch(word) is not None
        acts = starts or _ACTING.search(word) is not None
        if spans and spans[-1][0] is acts:
            spans[-1][1].append(word)
        else:
            spans.append((acts, [word]))
    return " ".join(_span(" ".join(some)) if acts else " ".join(some) for acts, some in spans)


def _code(text: str) -> str:
    return _span(untrusted(text, LONGEST))


def _span(text: str) -> str:
    """Return a text as code, between more backticks than any that stand in it."""
    fence = "`" * (_longest([text]) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}" if text.strip() else "-"


def _fenced(lines: Iterable[str]) -> list[str]:
    """Return lines in a fence that none of them can close."""
    seen = [untrusted(line, LONGEST) for line in lines]
    fence = "`" * max(3, _longest(seen) + 1)
    return [fence, *seen, fence]


def _longest(lines: Sequence[str]) -> int:
    return max((len(run) for line in lines for run in _RUN.findall(line)), default=0)
