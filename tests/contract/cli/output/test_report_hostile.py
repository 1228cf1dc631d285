"""A hostile cluster's words in a report, in every format: nothing in them acts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from backout.cli.output.reports import markdown, wall
from backout.cli.output.reports.page import incident_page
from backout.core.events.lines import Line, read
from backout.core.events.planning import WorkloadFinding
from backout.core.report import timeline

SAYS = "</script><script>alert(1)</script>\"'><img src=x onerror=a> \u202e\x1b[31m {{7*7}} ${x}"
SHOWN = (
    "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;&lt;img src=x onerror=a&gt; "
    r"\u202e\x1b[31m {{7*7}} ${x}"
)
MARKDOWN = "a|b `code` <b> [x](http://evil) @root #1 *b* _c_ www.evil.org \u202e\x1b[0m\n# title"
MARKDOWN_SHOWN = (
    r"`` a|b `code` <b> [x](http://evil) @root #1 *b* _c_ www.evil.org \u202e\x1b[0m\n# `` title"
)
KINDS: dict[str, dict[str, Any]] = {
    "context": {
        **dict.fromkeys(("actor", "host", "server", "context", "version", "line", "reason"), SAYS)
    },
    "workload": {"revision": 3, "images": {SAYS: SAYS}},
    "baseline": {"subject": SAYS, "answer": "unwell"},
    "alerts": {"alerts": [{"name": SAYS, "since": SAYS, "labels": {SAYS: SAYS}}]},
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


def outside_code(page: str) -> str:
    """What Markdown would make something of: neither in fences nor in spans of code."""
    prose = re.sub(r"^(`{3,})\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)


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


def wall_row(words: str, state: wall.Readiness, *, namespace: str = "shop") -> wall.WallRow:
    finding = WorkloadFinding(
        id=words, severity="BLOCK", message=words, detail=words, remedy=words, refuses=True
    )
    return wall.WallRow(
        namespace=namespace,
        workload=words,
        state=state,
        now=4,
        now_images=[words],
        back_to=3,
        back_to_images=[words],
        blocks=[finding] if state is wall.BLOCKED else [],
        others=[finding] if state is wall.WARNINGS else [],
        skipped=[words],
        error=words,
        remedy=words,
    )


def standing() -> str:
    rows = [wall_row(SAYS, wall.BLOCKED), wall_row(SAYS, wall.WARNINGS, namespace=SAYS)]
    about = {"cluster": SAYS, "namespace": SAYS}
    return wall.wall_page(rows, about=about, where=SAYS, time=SAYS, gaps=[SAYS])


@pytest.mark.parametrize("of_incident", [True, False])
def test_html_shows_it_and_runs_and_fetches_nothing(*, of_incident: bool) -> None:
    page = incident_page(timeline.incident(journal(SAYS), (SAYS,))) if of_incident else standing()
    found = Elements(page)

    assert SHOWN in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert not found.names & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not [n for n, _ in found.attributes if n.startswith("on") or n == "src"]
    assert all(re.fullmatch(r"#[a-z0-9.-]+", v) for n, v in found.attributes if n == "href")
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
    assert "\u202e" not in page
    assert not set("|<>@*_\\[]") & set(outside_code(page))
    assert "://" not in outside_code(page)


@pytest.mark.parametrize(
    ("word", "is_code"),
    [
        ("rollback", False),
        ("deployment/shop", False),
        ("shop:v1", False),
        ("14:02:30", False),
        ("PROBE_READINESS", False),
        ("v1.2", False),
        ("3.", True),
        ("-", True),
        ("_soon_", True),
        (":tada:", True),
        ("GH-1", True),
        ("#1", True),
        ("you@example", True),
        ("https://a", True),
        ("evil.org", True),
        ("{color:red}", True),
        ("~~a~~", True),
        ("a\\b", True),
    ],
)
def test_in_markdown_a_word_that_would_act_stands_as_code(word: str, *, is_code: bool) -> None:
    page = markdown.page(timeline.incident(journal(word)))

    assert page.splitlines()[2] == (f"`{word}`" if is_code else word)


def test_a_log_closes_no_fence_of_markdown() -> None:
    page = markdown.page(timeline.incident(journal("x")))

    assert "\n````\n" in page
    assert page.count("\n````") == 2
