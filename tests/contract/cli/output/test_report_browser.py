"""A report in a real browser: it fits a telephone, and there is something to see."""

from __future__ import annotations

import html
import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from backout.cli.output.reports.page import incident_page, standing_page
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


def standing() -> str:
    finding = {"id": "PF301", "severity": "BLOCK", "message": LONG, "remedy": LONG}
    row = {
        "workload": f"deployment/{LONG}",
        "namespace": "shop",
        "revision": 3,
        "worst": "BLOCK",
        "findings": [finding],
        "skipped": ["PF303"],
    }
    return standing_page([row], cluster=LONG, time="2026-01-01 00:00 UTC")


PAGES = {
    **{name: incident(name) for name in ("healthy", "refused", "failed", "resumed")},
    "standing": standing(),
}


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
        for name, page in PAGES.items()
    ]
    wrapper.write_text(f"<!doctype html><body>{''.join(frames)}")

    dom = run(browser, tmp_path / "profile", "--dump-dom", f"file://{wrapper}")
    widths = dict(re.findall(r'data-(\w+)="(\d+)"', dom.partition("<iframe")[0]))

    assert widths.keys() == PAGES.keys()
    assert [name for name, width in widths.items() if int(width) > NARROW] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screenshot_shows_something(browser: str, tmp_path: Path, scheme: str) -> None:
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    page.write_text(PAGES["healthy"])
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
