"""The line that goes on: what was understood, quoted, under the name that was called; no secret."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from backout.cli.commands.undo import undo
from backout.cli.main import cli
from backout.cli.options import again
from backout.cli.program import program
from tests.contract.steps.shop import image

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command


async def line(backout: Command, *words: str) -> str:
    """Return the line that goes on anyway, of a target that is refused."""
    done = await backout(*words, "--trace-id", "0" * 31 + "1")
    assert done.code == 3, done.err
    (found,) = [
        one for one in (*done.lines, *done.out.splitlines()) if "to roll back anyway: " in one
    ]
    return found.split("to roll back anyway: ")[1]


@pytest.fixture
def refused(api: ApiServer) -> ApiServer:
    api.edit("deployments", "web", lambda web: web["spec"].update(paused=True))
    return api


@pytest.mark.usefixtures("refused")
async def test_it_says_what_was_asked_wherever_it_stood_and_not_how_it_is_told(
    backout: Command,
) -> None:
    assert await line(
        backout, *("--context", "test", "undo", "--health-timeout=1m", "deploy/web", "-v"), "-nshop"
    ) == ("backout undo deploy/web --context test --health-timeout 60s -n shop --unpause")


@pytest.mark.usefixtures("refused")
async def test_of_a_check_it_is_the_undo(backout: Command) -> None:
    text = ("--health-text", "a b", "--strict")
    words = ("check", "deploy", "web", *text, "--health", "/a", "--health", "/c", "-o", "text")
    found = await line(backout, *words)

    assert found.startswith("backout undo deploy web --health /a --health /c --health-text 'a b'")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--notify", "http://127.0.0.1:1/T0/s3cr3t"), '--notify "$BACKOUT_NOTIFY"'),
        (
            ("--health-command", "curl -H 'Authorization: Bearer s3cr3t'"),
            '--health-command "$BACKOUT_HEALTH_COMMAND"',
        ),
        (("--token", "s3cr3t"), '--token "$BACKOUT_TOKEN"'),
        (("--reason", "token=s3cr3t"), "--reason 'token=***'"),
    ],
)
async def test_a_secret_is_named_by_its_variable(
    backout: Command, refused: ApiServer, given: tuple[str, ...], told: str
) -> None:
    found = await line(backout, "undo", "deploy/web", *given)

    assert told in found
    assert "s3cr3t" not in found
    assert image(refused).endswith("bad")


def test_the_password_of_a_proxy_is_masked() -> None:
    root = click.Context(cli)
    words = ["deploy/web", "--proxy-url", "http://ann:s3cr3t@proxy:1"]
    with undo.make_context("undo", words, parent=root) as ctx:
        found = " ".join(again.words(ctx, ("deploy/web",), "undo"))

    assert "--proxy-url http://" in found
    assert "s3cr3t" not in found


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/usr/bin/backout", "backout"),
        ("/opt/bin/kubectl-backout", "kubectl backout"),
        ("/x/__main__.py", "backout"),
    ],
)
def test_it_is_called_as_the_user_called_it(
    monkeypatch: pytest.MonkeyPatch, called: str, name: str
) -> None:
    monkeypatch.setattr("sys.argv", [called, "undo"])

    assert program() == name


@pytest.mark.parametrize(
    ("given", "told"), [(("--heal",), ["--heal"]), (("--no-heal",), ["--no-heal"]), ((), [])]
)
def test_a_switch_is_told_as_it_was_set(given: tuple[str, ...], told: list[str]) -> None:
    with undo.make_context("undo", ["deploy/web", *given], parent=click.Context(cli)) as ctx:
        assert list(again.words(ctx, ("deploy/web",), "undo")) == ["undo", "deploy/web", *told]


async def test_the_journal_has_the_whole_command_and_the_reason_without_a_secret(
    backout: Command, refused: ApiServer
) -> None:
    command = "curl -H 'Authorization: Bearer s3cr3t'"
    given = ("--reason", "INC-7: it's down", "--health-command", command)
    journal = backout.home / "journal.jsonl"

    await backout("--context", "test", "undo", "deploy/web", *given, "--journal", str(journal))
    began = next(e for e in map(json.loads, journal.read_text().splitlines()) if "server" in e)

    assert began["line"].startswith("backout undo deploy/web --context test --reason ")
    assert {"INC-7: it's down", "--yes", "--journal"} <= {*shlex.split(began["line"])}
    assert '--health-command "$BACKOUT_HEALTH_COMMAND"' in began["line"]
    assert began["reason"] == "INC-7: it's down"
    assert "s3cr3t" not in journal.read_text()
    assert image(refused).endswith("bad")
