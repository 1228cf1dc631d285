"""`backout report`: no cluster, no network; what is asked for, what is missing, what is damaged."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.cli.command import Command

JOURNALS = Path(__file__).parents[3] / "core" / "report" / "journals"
NAMES = ("healthy", "refused", "failed", "interrupted")
BADGES = ("rolled back", "refused", "failed", "interrupted")


def together(backout: Command, *more: str) -> str:
    """All recorded runs in one journal, the interrupted one last but for `more`."""
    journal = backout.home / "journal.jsonl"
    journal.write_bytes(b"".join((JOURNALS / f"{n}.jsonl").read_bytes() for n in (*NAMES, *more)))
    return str(journal)


@pytest.mark.parametrize(("name", "badge"), [*zip(NAMES, BADGES, strict=True)])
async def test_each_end_is_told_in_each_format(backout: Command, name: str, badge: str) -> None:
    journal = str(JOURNALS / f"{name}.jsonl")

    markdown = await backout("report", "--journal", journal)
    html = await backout("report", "--journal", journal, "-o", "html")
    document = await backout("report", "--journal", journal, "-o", "json")

    assert [(d.code, d.err) for d in (markdown, html, document)] == [(0, "")] * 3
    assert markdown.out.startswith(f"# deployment/shop: {badge}\n")
    assert f"<title>deployment/shop: {badge}</title>" in html.out
    assert json.loads(document.out)["schema"] == "backout.dev/incident/v1"


async def test_without_an_argument_it_is_the_newest_run_that_changed_something(
    backout: Command,
) -> None:
    journal = together(backout, "refused")

    plain = await backout("report", "--journal", journal)
    last = await backout("report", "--last", "--journal", journal)

    assert plain.out.startswith("# deployment/shop: interrupted\n")
    assert last.out.startswith("# deployment/shop: refused\n")


async def test_the_list_has_a_line_a_run_the_newest_first(backout: Command) -> None:
    journal = together(backout)

    done = await backout("report", "--list", "--journal", journal)
    rows = await backout("report", "deploy/shop", "--list", "--journal", journal, "-o", "json")
    none = await backout("report", "deploy/other", "--list", "--journal", journal)

    header, *lines = done.out.splitlines()
    assert header.split("   ")[0] == "WHEN (UTC)"
    assert [next(b for b in BADGES if b in line) for line in lines] == [*reversed(BADGES)]
    told = re.split(" {2,}", lines[-1])
    assert (told[1], *told[3:6]) == ("deployment/shop", "undo", "3 -> 1", "rolled back")
    assert [row["trace_id"][:12] for row in rows.events] == [x.split()[-1] for x in lines]
    assert rows.events[-1]["revision"] == "1"
    assert none.out == "no runs\n"


async def test_a_run_of_the_list_is_told_by_the_id_that_stands_there(backout: Command) -> None:
    journal = together(backout)
    listed = await backout("report", "--list", "--journal", journal)

    done = await backout("report", listed.out.split()[-1], "--journal", journal)

    assert done.out.startswith("# deployment/shop: rolled back\n")


@pytest.mark.parametrize("key", ["trace_id", "operation"])
async def test_a_run_is_found_by_its_ids(backout: Command, key: str) -> None:
    journal = together(backout)
    alone = await backout("report", "--journal", str(JOURNALS / "failed.jsonl"), "-o", "json")
    wanted = json.loads(alone.out)

    done = await backout("report", wanted[key], "--journal", journal, "-o", "json")

    assert json.loads(done.out) == wanted


async def test_a_workload_is_found_in_its_namespace(backout: Command) -> None:
    journal = together(backout)
    first = json.loads((JOURNALS / "healthy.jsonl").read_text().splitlines()[0])
    namespace = first["object"]["namespace"]

    here = await backout("report", "deploy/shop", "-n", namespace, "--journal", journal)
    before = await backout("-n", namespace, "report", "deploy", "shop", "--journal", journal)
    nowhere = await backout("report", "deploy/shop", "-n", "nowhere", "--journal", journal)

    assert here.out.startswith("# deployment/shop: rolled back\n")
    assert before.out == here.out
    assert nowhere.code == 1
    assert "holds no such run" in nowhere.err


async def test_the_usual_journal_is_read(backout: Command) -> None:
    folder = backout.home / "state" / "backout"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes((JOURNALS / "healthy.jsonl").read_bytes())
    backout.environment["XDG_STATE_HOME"] = str(backout.home / "state")

    assert (await backout("report")).out.startswith("# deployment/shop: rolled back\n")


async def test_no_journal_is_an_error_with_its_remedy(backout: Command) -> None:
    done = await backout("report", "--journal", str(backout.home / "none.jsonl"))

    assert done.code == 1
    assert "none.jsonl cannot be read: No such file or directory" in done.err
    assert "fix: name another: --journal FILE" in done.err


async def test_a_journal_that_is_a_pipe_is_no_wait_for_ever(backout: Command) -> None:
    os.mkfifo(backout.home / "pipe")

    done = await backout("report", "--journal", str(backout.home / "pipe"))

    assert done.code == 1
    assert "no regular file" in done.err


async def test_an_empty_journal_holds_no_run(backout: Command) -> None:
    (backout.home / "empty").touch()

    done = await backout("report", "--journal", str(backout.home / "empty"))

    assert (done.code, done.out) == (1, "")
    assert "holds no such run" in done.err


async def test_where_pods_could_not_be_watched_the_page_says_why_it_has_no_plot(
    backout: Command,
) -> None:
    lines = (JOURNALS / "healthy.jsonl").read_text().splitlines()
    one = json.loads(next(s for s in lines if '"event": "replicas"' in s))
    note = {"event": "note", "message": "pods cannot be watched: forbidden", "unwatched": "pods"}
    others = [s for s in lines if '"event": "replicas"' not in s]
    journal = backout.home / "unwatched.jsonl"
    told = {key: one[key] for key in ("time", "traceID", "object", "op") if key in one} | note
    journal.write_text("\n".join([*others[:-1], json.dumps(told), others[-1]]) + "\n")

    done = await backout("report", "--journal", str(journal), "-o", "html")
    drawn = await backout("report", "--journal", str(JOURNALS / "healthy.jsonl"), "-o", "html")

    assert "There is no plot: pods cannot be watched: forbidden" in done.out
    assert "There is no plot" not in drawn.out


@pytest.mark.parametrize("output", ["md", "html", "json"])
async def test_a_journal_that_a_kill_cut_off_is_told_and_says_so(
    backout: Command, output: str
) -> None:
    whole = (JOURNALS / "healthy.jsonl").read_bytes()
    journal = backout.home / "cut.jsonl"
    journal.write_bytes(b"\x00damaged\n" + whole[:-100])

    done = await backout("report", "--journal", str(journal), "-o", output)

    assert (done.code, done.err) == (0, "")
    assert "the last line of the journal was cut off" in done.out
    assert "1 line of the journal cannot be read (the first is line 1)" in done.out
    if output != "json":
        assert "no end was recorded: the run was killed, or is still under way" in done.out


async def test_without_the_extra_html_says_how_to_install_it_and_the_rest_works(
    backout: Command,
) -> None:
    blocked = backout.home / "blocked"
    blocked.mkdir()
    (blocked / "jinja2.py").write_text("raise ImportError")
    backout.environment["PYTHONPATH"] = str(blocked)
    journal = str(JOURNALS / "healthy.jsonl")

    html = await backout("report", "--journal", journal, "-o", "html")
    others = [await backout("report", "--journal", journal, "-o", o) for o in ("md", "json")]

    assert (html.code, html.out) == (1, "")
    assert "uv tool install 'backout[report]'" in html.err
    assert [o.code for o in others] == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "--last", "0" * 32), "RECORD names one run"),
        (("report", "--list", "-o", "md"), "report --list has -o json, or text"),
        (("report", "job/db"), "not a kind"),
        (("report", "a", "b", "c"), "name one workload"),
        (("report", "-o", "text"), "takes md, html or json; got 'text'"),
        (("-o", "text", "report"), "report has -o html, md and json"),
    ],
)
async def test_usage(backout: Command, arguments: tuple[str, ...], said: str) -> None:
    done = await backout(*arguments)

    assert done.code == 2
    assert said in done.err
