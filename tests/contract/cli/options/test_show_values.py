"""`--show-values`: without it paths alone are told, with it values, and never a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.commands.test_history import plant

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

ENV = [
    {"name": "GREETING", "value": "good-morning"},
    {"name": "DB_PASSWORD", "value": "hunter2"},
]
TRIAL = ("undo", "deploy/web", "--dry-run", "--health-successes", "1")


@pytest.mark.parametrize("output", ["text", "json"])
async def test_a_dry_run_tells_values_only_where_they_are_asked_for(
    backout: Command, api: ApiServer, output: str
) -> None:
    plant(api, env=ENV)
    silent = await backout(*TRIAL, "-o", output)
    told = await backout(*TRIAL, "-o", output, "--show-values")

    for done in (silent, told):
        assert done.code == 0
        assert "env[GREETING]" in done.out
        assert "hunter2" not in done.out + done.err
    assert "good-morning" not in silent.out + silent.err
    assert "good-morning" in told.out


async def test_the_journal_keeps_what_was_told_and_no_more(
    backout: Command, api: ApiServer
) -> None:
    plant(api, env=ENV)
    journal = backout.home / "journal.jsonl"
    await backout(*TRIAL, "--journal", str(journal))
    silent = journal.read_text()
    await backout(*TRIAL, "--journal", str(journal), "--show-values")
    told = journal.read_text().removeprefix(silent)

    assert "env[GREETING]" in silent
    assert "good-morning" not in silent
    assert "good-morning" in told
    assert "hunter2" not in silent + told


async def test_a_webhook_that_rewrites_the_template_shows_no_value_unasked(
    backout: Command, api: ApiServer
) -> None:
    def admitted(resource: str, obj: dict[str, object]) -> dict[str, object]:
        if resource == "deployments":
            container = obj["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index]
            container["env"] = ENV
        return obj

    api.admitted = admitted
    silent = await backout("check", "deploy/web")
    told = await backout("check", "deploy/web", "--show-values")

    assert "PF502" in silent.out + silent.err
    assert "good-morning" not in silent.out + silent.err
    assert "good-morning" in told.out + told.err
    assert "hunter2" not in silent.out + silent.err + told.out + told.err
