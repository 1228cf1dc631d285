"""A hostile cluster's words in a report, in every format: nothing in them acts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from backout.cli.output.reports import markdown
from backout.cli.output.reports.page import incident_page, standing_page
from backout.core.events.lines import Line, read
from backout.core.report import timeline

SAYS = "</script><script>alert(1)</script>\"'><img src=x onerror=a> \u202e\x1b[31m {{7*7}} ${x}"
SHOWN = (
    "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;&lt;img src=x onerror=a&gt; "
    r"\u202e\x1b[31m {{7*7}} ${x}"
)
MARKDOWN = "a|b `code` <b> [x](http://evil) @root #1 *b* _c_ www.evil.org \u202e\x1b[0m\n# title"
MARKDOWN_SHOWN = (
    r"a\|b \`code\` &lt;b&gt; \[x\](http:<!-- -->//evil) @<!-- -->root #<!-- -->1 \*b\* \_c\_ "
    r"www<!-- -->.evil.org \\u202e\\x1b\[0m\\n# title"
)
KINDS: dict[str, dict[str, Any]] = {
    "context": {"actor": SAYS, "host": SAYS, "server": SAYS, "context": SAYS, "version": SAYS},
    "workload": {"revision": 3},
    "target": {"revision": 1, "why": SAYS, "images": {SAYS: SAYS}},
    "passed_over": {},
    "finding": {"id": SAYS, "severity": SAYS, "detail": SAYS, "remedy": SAYS, "accepted": True},
    "skipped": {"ids": [SAYS]},
    "triggered": {},
    "replicas": {"wanted": 2, "updated": 1, "ready": 1, "old": 1, "old_ready": 1},
    "health": {"subject": SAYS, "answer": SAYS},
    "metric": {"metric": SAYS, "value": 1, "threshold": 2},
    "cause": {"code": SAYS, "evidence": SAYS, "remedy": SAYS, "final": True},
    "logs": {"lines": [SAYS, "```", "~~~"]},
    "a kind of tomorrow's": {"x": SAYS},
    "rolled_out": {"images": {SAYS: SAYS}},
    "outcome": {"result": SAYS, "remedy": SAYS, "health": SAYS, "verdict": SAYS, "exit": 4},
}


def journal(words: str) -> list[Line]:
    about = {"kind": words, "name": words, "namespace": words, "cluster": words}
    shared = {"traceID": words, "op": words, "object": about, "message": words}
    time = "2026-01-01T00:00:00.{:03}+00:00"
    return [
        read({"time": time.format(n), "event": kind, **shared, **fields})
        for n, (kind, fields) in enumerate(KINDS.items())
    ]


class Elements(HTMLParser):
    """The names of all elements, and all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def standing() -> str:
    finding = {"id": SAYS, "severity": SAYS, "message": SAYS, "remedy": SAYS}
    row = {
        "workload": SAYS,
        "namespace": SAYS,
        "revision": SAYS,
        "worst": SAYS,
        "findings": [finding],
        "skipped": [SAYS],
    }
    return standing_page([row], cluster=SAYS, time=SAYS, gaps=[SAYS])


@pytest.mark.parametrize("of_incident", [True, False])
def test_html_shows_it_and_runs_and_fetches_nothing(*, of_incident: bool) -> None:
    page = incident_page(timeline.incident(journal(SAYS), (SAYS,))) if of_incident else standing()
    found = Elements(page)

    assert SHOWN in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert not found.names & {"script", "img", "link", "iframe", "object", "form", "a", "base"}
    assert not [n for n, _ in found.attributes if n.startswith("on") or n in {"src", "href"}]
    assert "url(" not in page
    assert "@import" not in page


def test_the_page_forbids_scripts_and_every_fetch_itself() -> None:
    page = incident_page(timeline.incident(journal("x")))

    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page


def test_headings_and_captions_lead_through_the_page() -> None:
    page = incident_page(timeline.incident(journal("x")))

    assert page.count("<h1>") == 1
    assert page.count("<table") == page.count("<caption>")
    assert re.search(r'<figure [^>]*role="img" aria-label="Pods over time\.', page)
    assert '<html lang="en">' in page


def test_markdown_is_as_written_here() -> None:
    page = markdown.page(timeline.incident(journal(MARKDOWN)))

    assert MARKDOWN_SHOWN in page
    assert "@root" not in page
    assert "://" not in page
    assert "\u202e" not in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {3, 4, 5}


def test_a_log_closes_no_fence_of_markdown() -> None:
    page = markdown.page(timeline.incident(journal("x")))

    assert "\n````text\n" in page
    assert page.count("\n````") == 2


def test_a_healthy_standing_says_so_and_puts_the_worst_first() -> None:
    def row(name: str, worst: str) -> dict[str, Any]:
        finding = {"id": "PF301", "severity": worst, "message": "the image is gone", "remedy": "r"}
        return {
            "workload": name,
            "namespace": "shop",
            "revision": 3,
            "worst": worst,
            "findings": [finding] if worst else [],
            "skipped": [],
        }

    rows = [row("deployment/a", ""), row("deployment/b", "WARN"), row("deployment/c", "BLOCK")]
    page = standing_page(rows, cluster="prod", time="2026-01-01 00:00 UTC")
    good = standing_page(rows[:1], cluster="prod", time="2026-01-01 00:00 UTC")

    assert "2 of 3 workloads could be rolled back now." in page
    assert page.index("deployment/c") < page.index("deployment/b") < page.index("deployment/a")
    assert "1 of 1 workloads could be rolled back now." in good
    assert "all ready" in good
