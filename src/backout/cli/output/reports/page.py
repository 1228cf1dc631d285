"""Pages of HTML: one file, nothing fetched, nothing run, every value escaped.

Needs the extra `backout[report]`; whoever has not installed it is told how.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backout.cli.output.reports import words
from backout.cli.output.reports.causes import causes
from backout.cli.output.reports.plot import duration, plot, unplotted
from backout.core.errors import ConfigError
from backout.core.text import untrusted

if TYPE_CHECKING:
    from jinja2 import Environment

    from backout.core.report.incident import Incident

LONGEST = 4000
"""Characters of one value; a cluster's text may be endless."""
TEMPLATES = Path(__file__).with_name("templates")


def incident_page(incident: Incident) -> str:
    """Return the page of one incident; raise ConfigError where the extra is not installed."""
    drawn, why_not = plot(incident), unplotted(incident)
    return rendered(
        "incident.html",
        incident=incident,
        plot=drawn,
        unplotted=why_not,
        words=words,
        causes=causes(incident),
    )


def rendered(name: str, **values: Any) -> str:
    """Return a page; raise ConfigError where the extra is not installed."""
    return _environment().get_template(name).render(**values) + "\n"


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "-o html needs a template engine that is not installed",
            remedy="install it: uv tool install 'backout[report]' (or pipx install "
            "'backout[report]'); -o md and -o json work without it",
        ) from None
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    made.globals["duration"] = duration
    return made


def _visible(value: Any) -> Any:
    """Make what acts or hides visible in every value that is printed; markup of ours stays."""
    if hasattr(value, "__html__"):
        return value
    return untrusted(str(value), LONGEST)
