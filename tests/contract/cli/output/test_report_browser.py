"""A report in a real browser: it fits a telephone, and there is something to see."""

from __future__ import annotations

import html
import re
import struct
import subprocess
import zlib
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from backout.cli.output.reports.page import incident_page
from backout.cli.output.reports.wall import READY, STATES, Readiness, WallRow, wall_page
from backout.core.events.planning import WorkloadFinding
from backout.core.events.told import Noted
from backout.core.report import incidents, runs, timeline

ROOT = Path(__file__).parents[4]
JOURNALS = ROOT / "tests" / "core" / "report" / "journals"
NARROW = 360
LONG = "registry.example.org/" + "a-long-name-without-a-blank" * 8
FRAME = """<iframe style="width:{width}px;height:4000px;border:0" srcdoc="{page}"
onload="document.body.setAttribute('data-{name}',
this.contentDocument.documentElement.scrollWidth)"></iframe>"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def browser() -> str:
    """The path of a Chromium, which is installed where it is missing and may be."""
    done = subprocess.run(
        [ROOT / "scripts" / "browser"], capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def incident(name: str) -> str:
    told = runs.runs(runs.parse((JOURNALS / f"{name}.jsonl").read_bytes()).lines)
    [run] = incidents.incidents(told)
    long = replace(run[-1], event=Noted(message=LONG))
    return incident_page(timeline.incident([*run, long], (LONG,)))


def row(number: int, state: Readiness, name: str = "") -> WallRow:
    finding = WorkloadFinding(
        id="PF301", severity="WARN", message=LONG, detail="", remedy=LONG, refuses=False
    )
    return WallRow(
        namespace="shop",
        workload=f"deployment/{name or f'web-{number}'}",
        state=state,
        now=number + 1,
        now_images=[f"shop:v{number + 1}", LONG],
        back_to=number,
        back_to_images=[f"shop:v{number}"],
        blocks=[finding],
        others=[finding, finding],
        skipped=["PF303"],
    )


def standing() -> str:
    rows = [row(number, state) for number, state in enumerate(STATES)]
    about = {"cluster": LONG, "namespace": ""}
    return wall_page([*rows, row(9, READY, LONG)], about=about, where=LONG, time="2026-01-01")


@cache
def pages() -> dict[str, str]:
    """Return each page by its name: made once, and not where tests are only collected."""
    incidents = {name: incident(name) for name in ("healthy", "refused", "failed", "resumed")}
    return {**incidents, "standing": standing()}


def run(browser: str, profile: Path, *arguments: str) -> str:
    # Root may not have Chromium's sandbox; the page is ours.
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    argv += [f"--user-data-dir={profile}", "--disable-dev-shm-usage", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_page_is_wider_than_a_telephone(browser: str, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper.html"
    frames = [
        FRAME.format(width=NARROW, name=name, page=html.escape(page))
        for name, page in pages().items()
    ]
    wrapper.write_text(f"<!doctype html><body>{''.join(frames)}")

    dom = run(browser, tmp_path / "profile", "--dump-dom", f"file://{wrapper}")
    widths = dict(re.findall(r'data-(\w+)="(\d+)"', dom.partition("<iframe")[0]))

    assert widths.keys() == pages().keys()
    assert [name for name, width in widths.items() if int(width) > NARROW] == []


def test_the_wall_shows_only_the_state_that_was_chosen(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "wall.html"
    # The test's own script asks the browser what is shown; the page itself forbids scripts.
    asks = """<script>document.getElementById("show-blocked").checked = true;
    for (const row of document.querySelectorAll("tbody tr"))
      document.body.setAttribute("data-" + row.className, getComputedStyle(row).display);
    </script>"""
    whole = re.sub(r"<meta http-equiv=[^>]*>", "", pages()["standing"])
    page.write_text(whole.replace("</body>", f"{asks}</body>"))

    dom = run(browser, tmp_path / "profile", "--dump-dom", f"file://{page}")
    shown = dict(re.findall(r'data-(blocked|unknown|warnings|part|ready)="([\w-]+)"', dom))

    assert shown.keys() == {state.key for state in STATES}
    assert [key for key, display in shown.items() if display != "none"] == ["blocked"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screenshot_shows_something(browser: str, tmp_path: Path, scheme: str) -> None:
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    page.write_text(pages()["healthy"])
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []

    run(
        browser,
        tmp_path / "profile",
        f"--screenshot={shot}",
        "--window-size=1280,900",
        *dark,
        f"file://{page}",
    )
    pixels = raw(shot.read_bytes())

    assert len(set(pixels)) > 100
    assert (min(corner(pixels)) > 200) is (scheme == "light")


def raw(png: bytes) -> bytes:
    """The rows of a PNG as they are packed: a filter byte, then the pixels less their guess."""
    found, place = b"", 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        found += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    return zlib.decompress(found)


def corner(pixels: bytes) -> bytes:
    """The first pixel, which no guess changes: nothing stands before it."""
    return pixels[1:4]
