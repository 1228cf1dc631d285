"""What a report says at its top, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.output.reports.plot import length
from backout.core.value import dataclass

if TYPE_CHECKING:
    from backout.core.report.incident import Incident

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


@dataclass(frozen=True, kw_only=True)
class Badge:
    """The outcome in a word, and how it is coloured: good, warn, bad or plain."""

    word: str
    tone: str


def badge(incident: Incident) -> Badge:
    """Return the outcome in a word."""
    result = incident.ended.result
    if not result:
        return Badge(word="no end recorded", tone="warn")
    is_undo = incident.command in {"undo", "resume", "guard", ""}
    word = "rolled back" if result == "succeeded" and is_undo else result
    return Badge(word=word, tone=_TONES.get(result, "plain"))


def says(incident: Incident) -> str:
    """Return the last word, or that there is none."""
    return incident.ended.message or NO_END


def figures(incident: Incident) -> list[tuple[str, str]]:
    """Return what is read first: names and values."""
    found = []
    if incident.recovery is not None:
        found.append(("Trigger to recovered", length(incident.recovery)))
    elif incident.moment("triggered") is not None:
        closed = incident.moment("closed")
        last = closed.seconds if closed is not None else incident.rows[-1].seconds
        found.append(("Trigger to recovered", f"not seen in {length(last)}"))
    if incident.choice.revision:
        source = incident.choice.source or "?"
        found.append(("Revision", f"{source} → {incident.choice.revision}"))
    if incident.ended.health:
        found.append(("Health", incident.ended.health))
    if incident.ended.exit is not None:
        found.append(("Exit code", str(incident.ended.exit)))
    return found


def ids(incident: Incident) -> list[tuple[str, str]]:
    """Return what finds this run elsewhere; names and values, none of them empty."""
    about = incident.object
    found = [
        ("Trace id", incident.trace_id),
        ("Operation", incident.operation),
        ("Object", incident.title),
        ("Namespace", about.get("namespace", "")),
        ("Cluster", about.get("cluster", "")),
        ("Context", incident.context),
        ("API server", incident.server),
        ("By", f"{incident.actor} on {incident.host}" if incident.actor else ""),
        ("Command", f"backout {incident.command}" if incident.command else ""),
        ("Version", incident.version),
        *((f"Image of {name}", image) for name, image in incident.choice.images.items()),
        *((f"Digest of {name}", digest) for name, digest in incident.digests.items()),
    ]
    return [(name, value) for name, value in found if value]


def clock(at: str) -> str:
    """Return the time of day of a moment in RFC 3339."""
    return at[11:23]


def when(incident: Incident) -> str:
    """Return when it began, to the second."""
    return f"{incident.moments[0].at[:19].replace('T', ' ')} UTC"
