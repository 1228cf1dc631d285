"""`-f FILE`: the workloads that a manifest names stand for TYPE/NAME."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.contract.steps.shop import image

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
ABSENT = WEB.replace("name: web", "name: absent")


def manifest(backout: Command, *documents: str, name: str = "manifest.yaml") -> str:
    path = backout.home / name
    path.write_text("---\n".join(documents))
    return str(path)


@pytest.mark.slow
async def test_undo_rolls_back_what_the_manifest_names_in_its_namespace(
    backout: Command, api: ApiServer
) -> None:
    backout.point_to(api.url, namespace="elsewhere")
    journal = backout.home / "journal.jsonl"
    before = image(api)

    file = manifest(backout, SERVICE, WEB)
    done = await backout("undo", "-f", file, "--journal", str(journal), "-o", "json")

    assert done.code == 0, done.err
    assert image(api) != before
    began = next(e for e in done.events if e["event"] == "context")
    assert began["line"].startswith("backout undo deployment/web --yes --journal ")
    assert " -n shop" in began["line"]
    assert "manifest.yaml" not in began["line"]


@pytest.mark.usefixtures("api")
async def test_it_is_read_from_a_folder_from_several_files_and_from_stdin(
    backout: Command,
) -> None:
    folder = backout.home / "folder"
    folder.mkdir()
    (folder / "web.yml").write_text(WEB)
    (folder / "notes.txt").write_text("no manifest")
    file = manifest(backout, WEB)
    with open(file, "rb") as opened:  # noqa: ASYNC230, PTH123 (a file to be the child's stdin)
        piped = await backout("history", "-f", "-", "-o", "json", stdin=opened)
    plain = await backout("history", "deploy/web", "-n", "shop", "-o", "json")
    others = [
        await backout("history", *words, "-o", "json")
        for words in (("-f", str(folder)), ("-f", file, "--filename", str(folder)))
    ]

    assert plain.code == 0
    assert [(one.code, len(one.events)) for one in (piped, *others)] == [
        (0, len(plain.events)),
    ] * 3


@pytest.mark.usefixtures("api")
async def test_of_several_it_stops_at_the_first_that_does_not_end_well(backout: Command) -> None:
    first = await backout("history", "-f", manifest(backout, WEB, ABSENT), "-o", "json")
    second = await backout("history", "-f", manifest(backout, ABSENT, WEB), "-o", "json")

    assert (first.code, second.code) == (1, 1)
    assert first.last
    assert second.out == ""
    assert "left out" not in first.err
    assert "left out, because of that: deployment/web" in second.err


@pytest.mark.parametrize("before", [True, False])
async def test_a_namespace_that_was_demanded_is_the_object_s(
    backout: Command, *, before: bool
) -> None:
    words = ("history", "-f", manifest(backout, WEB))
    flag = ("-n", "other")

    done = await backout(*((*flag, *words) if before else (*words, *flag)))

    assert done.code == 2
    assert "is in namespace shop, not other: pass --namespace=shop" in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("deploy/web", "-f", "manifest.yaml"), 2, "TYPE/NAME and -f contradict each other"),
        ((), 2, "name one workload: TYPE/NAME"),
        (("-f", "service.yaml"), 2, "names no Deployment, StatefulSet or DaemonSet"),
        (("-f", "none.yaml"), 1, "cannot read none.yaml: no such file"),
        (("-f", "text.yaml"), 1, "text.yaml is no manifest: an object is a mapping"),
        (("-f", "broken.yaml"), 1, "broken.yaml is no manifest: it is not valid YAML"),
        (("-f", "bomb.yaml"), 1, "bomb.yaml is no manifest"),
    ],
)
async def test_what_cannot_be_meant_is_said(
    backout: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(backout.home)
    grown = [f"{n}: &{n} [{', '.join(['*' + p] * 9)}]\n" for p, n in pairwise("abcdefghi")]
    bomb = "a: &a [x, x]\n" + "".join(grown)
    broken, text = "a: [", "only text"
    for name, content in {"manifest": WEB, "service": SERVICE, "text": text}.items():
        manifest(backout, content, name=f"{name}.yaml")
    manifest(backout, WEB, broken, name="broken.yaml")
    manifest(backout, WEB, bomb, name="bomb.yaml")

    done = await backout("status", *words)

    assert (done.code, said in done.err) == (code, True), done.err


@pytest.mark.usefixtures("api")
async def test_check_takes_all_of_a_file_at_once(backout: Command) -> None:
    done = await backout("check", "-f", manifest(backout, SERVICE, WEB, ABSENT), "-o", "json")
    alone = await backout("check", "-f", manifest(backout, WEB), "-o", "json")

    rows = [e["workload"]["name"] for e in done.events if e["event"] == "workload_checked"]
    assert sorted(rows) == ["absent", "web"]
    assert alone.code == 0, alone.err
    assert alone.last["message"].startswith("deployment/web could be rolled back to revision 1")


async def test_check_of_a_file_is_of_one_namespace(backout: Command) -> None:
    elsewhere = WEB.replace("namespace: shop", "namespace: other")
    done = await backout("check", "-f", manifest(backout, WEB, elsewhere))

    assert done.code == 2
    assert "the files name several namespaces (other, shop): pass one at a time" in done.err


@pytest.mark.usefixtures("api")
async def test_ledger_shows_and_marks_what_a_file_names(backout: Command) -> None:
    file = manifest(backout, WEB)
    marked = await backout("ledger", "mark", "-f", file, "--bad", "--reason", "leaks")
    shown = await backout("ledger", "-f", file)

    assert marked.code == 0, marked.err
    assert "revision 2 app:bad is bad: " in shown.out
    assert (await backout("ledger", "x", "-f", file)).code == 2
