"""What a report says, in words for people: the same on every kind of page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.cli.output.reports.plot import length
from backout.core.events.trouble import halves
from backout.core.images.names import short
from backout.core.report.outage import outage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.core.report.incident import AlertRow, CommandRow, Incident, JournalLine

_TONES = {
    "succeeded": "good",
    "settled": "good",
    "dry run": "plain",
    "progressing": "plain",
    "declined": "plain",
    "refused": "warn",
    "not changed": "warn",
    "undecided": "warn",
    "interrupted": "warn",
    "failed": "bad",
}
NO_END = "no end was recorded: the run was killed, or is still under way"
LEAD = 240
"""Characters of the last word that stand at the top; more of it is folded."""
QUERY = 48
"""Characters of a query at the top: its beginning, and its end with operator and threshold."""
_SAMPLES = {"replicas", "sample"}
_KEY = {
    "alerts",
    "triggered",
    "cause",
    "health",
    "rolled_out",
    "blocked",
    "left_open",
    "resumed",
    "recovered",
    "replaced",
    "next",
    "outcome",
}
"""Kinds of lines that tell the story; the others are its details."""


class Badge(Struct, frozen=True, kw_only=True):
    """A word, and how it is coloured: good, warn, bad or plain."""

    word: str
    tone: str


class Figure(Struct, frozen=True, kw_only=True):
    """A number that is read first; `note` qualifies it."""

    name: str
    value: str
    note: str = ""


def badge(incident: Incident) -> Badge:
    """Return the outcome in a word."""
    result = incident.ended.result
    if not result:
        return Badge(word="no end recorded", tone="warn")
    is_undo = incident.command in {"undo", "resume", "guard", ""}
    word = "rolled back" if result == "succeeded" and is_undo else result
    return Badge(word=word, tone=_TONES.get(result, "plain"))


def kind(incident: Incident) -> str:
    """Return what the page is: an incident only where something was changed."""
    return "Incident report" if incident.moment("triggered") else "Report of a run"


def says(incident: Incident) -> str:
    """Return the last word, or that there is none."""
    return incident.ended.message or NO_END


def lead(incident: Incident) -> str:
    """Return the last word, its queries in short; cut between words where it is long still."""
    text = in_short(incident, says(incident))
    return text if len(text) <= LEAD else f"{text[:LEAD].rpartition(' ')[0] or text[:LEAD]} …"


def in_short(incident: Incident, text: str) -> str:
    """Return a text with the queries of metrics cut in their middle."""
    for query in {m.metric for m in incident.metrics if len(m.metric) > QUERY}:
        text = text.replace(query, f"{query[: QUERY // 2]}…{query[-QUERY // 2 :]}")
    return text


def alert(one: AlertRow) -> str:
    """Return an alert that fired, in a sentence."""
    about = " (this workload)" if one.is_about else ""
    since = f" since {_moment(one.since)}" if one.since else ""
    return f"{one.name}{about} was firing{since}" + (f": {one.summary}" if one.summary else "")


def source(incident: Incident) -> str:
    """Return the number of the revision that a rollback left; its template may have had none."""
    return incident.choice.source or "none yet"


def figures(incident: Incident) -> list[Figure]:
    """Return what is read first."""
    found = [*_down(incident)]
    if incident.recovery is not None:
        found.append(Figure(name="Trigger to recovered", value=length(incident.recovery)))
    elif incident.moment("triggered") is not None:
        watched = f"watched for {length(_end(incident))}"
        found.append(Figure(name="Trigger to recovered", value="not recovered", note=watched))
    if incident.choice.revision:
        value = f"{source(incident)} → {incident.choice.revision}"
        found.append(Figure(name="Revision", value=value))
    if incident.ended.health:
        found.append(Figure(name="Health", value=incident.ended.health))
    return found


def facts(incident: Incident) -> list[tuple[str, str]]:
    """Return why, what, where and by whom: names and values, none of them empty."""
    about = incident.object
    places = (("namespace", about.get("namespace")), ("cluster", about.get("cluster")))
    found = [
        ("Reason", incident.reason),
        *images(incident),
        ("By", "; ".join(dict.fromkeys(_by(one) for one in incident.commands if one.actor))),
        ("Where", ", ".join(f"{name} {value}" for name, value in places if value)),
    ]
    return [(name, value) for name, value in found if value]


def commands(incident: Incident) -> list[str]:
    """Return the command lines, the rollback's first."""
    lines = [
        one.line or (f"backout {one.command}" if one.command else "") for one in incident.commands
    ]
    return [line for line in lines if line]


def images(incident: Incident) -> list[tuple[str, str]]:
    """Return each container's image before and after, as people call them; equal ones once."""
    before, after = incident.choice.source_images, incident.choice.images
    found = []
    for name in dict.fromkeys([*after, *before]):
        old, new = short(before.get(name, "")), short(after.get(name, ""))
        is_kept = not after or not before or old == new
        words = new or old if is_kept else f"{old or 'none'} → {new or 'none'}"
        found.append((f"Image of {name}", words))
    return found


def story(incident: Incident) -> list[JournalLine]:
    """Return the lines that tell what happened; of a cause of many Pods the first alone."""
    found: dict[object, JournalLine] = {}
    for place, row in enumerate(incident.rows):
        cause = halves(row.message)[1] if row.kind == "cause" else ""
        if row.kind in _KEY:
            found.setdefault(cause or place, row)
    return list(found.values())


def told(incident: Incident) -> list[JournalLine]:
    """Return the lines that are for people: neither counts nor repeated answers."""
    return [row for row in incident.rows if row.kind not in _SAMPLES]


def ids(incident: Incident) -> list[tuple[str, str]]:
    """Return what finds this run elsewhere; names and values, none of them empty."""
    digests = incident.digests.items()
    traces = dict.fromkeys([incident.trace_id, *(one.trace_id for one in incident.commands)])
    found = [
        *(("Trace id", trace) for trace in traces),
        ("Operation", incident.operation),
        ("Object", incident.title),
        ("Context", incident.context),
        ("API server", incident.server),
        *((f"Image of {name}", image) for name, image in incident.choice.images.items()),
        *((f"Digest of {name}", digest) for name, digest in digests),
        ("Exit code", "" if incident.ended.exit is None else str(incident.ended.exit)),
        ("Version", incident.version),
    ]
    return [(name, value) for name, value in found if value]


def clock(at: str) -> str:
    """Return the time of day of a moment in RFC 3339, to the second."""
    return at[11:19]


def when(incident: Incident) -> str:
    """Return when it began, to the second."""
    return f"{incident.moments[0].at[:19].replace('T', ' ')} UTC"


def _moment(text: str) -> str:
    """Return a moment as Prometheus writes it, to the second; what is none as it is."""
    is_one = len(text) > len("2026-01-01T00:00:00") and text[10] == "T" and text.endswith("Z")
    return f"{text[:19].replace('T', ' ')} UTC" if is_one else text


def _by(one: CommandRow) -> str:
    where = f" on {one.host}" if one.host else ""
    return f"{one.actor}{where}"


def _end(incident: Incident) -> float:
    closed = incident.moment("closed")
    return closed.seconds if closed is not None else incident.rows[-1].seconds


def _down(incident: Incident) -> Iterator[Figure]:
    """Give how long the service was down, as far as it was looked at."""
    seen = outage(incident)
    if seen is None:
        return
    name = "Service down" if seen.is_asked else "Without a Ready Pod"
    if not seen.down:
        yield Figure(name=name, value="not seen" if seen.is_asked else "never")
        return
    note = "as far as seen" if seen.is_over else "as far as seen; not up again"
    yield Figure(name=name, value=length(seen.down), note=note)
