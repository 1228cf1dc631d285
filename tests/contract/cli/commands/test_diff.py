"""`diff`: what an undo would change, in words, field by field, as a JSON Patch, as a diff."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import yaml

from backout.core.kubernetes import template
from tests.contract.cli.commands.test_history import plant
from tests.contract.cli.output.test_terminal import COLOURS, shown
from tests.contract.steps.shop import GOOD
from tests.core.difference.test_json_patch import applied
from tests.packaging.terminal import ESCAPE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

DIFF = ("diff", "deploy/web")


async def test_the_words_come_first_and_then_each_field_below_a_header(
    backout: Command, api: ApiServer
) -> None:
    plant(api, env=[{"name": "CRASH", "value": "hunter2"}])
    done = await backout(*DIFF)
    lines = done.out.splitlines()

    assert done.code == 0
    assert lines[2:4] == ["  image app:bad -> app:good", "  env CRASH removed"]
    assert lines[5].startswith("--- revision 3 (now)")
    assert lines[6].startswith("+++ revision 1")
    assert lines[7:] == [
        " spec.containers[app].env[CRASH]",
        '- {"name": "CRASH", "value": "***"}',
        " spec.containers[app].image",
        "- 127.0.0.1:1/app:bad",
        f"+ {GOOD}",
    ]
    assert "--show-values" in done.err
    assert "hunter2" in (await backout(*DIFF, "--show-values")).out
    assert {line.split()[0] for line in api.lines} == {"GET", "LIST"}


async def test_the_json_patch_makes_the_template_of_the_target(
    backout: Command, api: ApiServer
) -> None:
    plant(api, env=[{"name": "CRASH", "value": "hunter2"}])
    hidden = await backout(*DIFF, "-o", "json")
    done = await backout(*DIFF, "-o", "json", "--show-values")
    web, good = api.get("deployments", "web"), api.all("replicasets")[0]

    assert "hunter2" not in hidden.out
    made = applied(web, tuple(json.loads(done.out)))
    assert template.same(made["spec"]["template"], good["spec"]["template"])


async def test_patch_makes_one_template_of_the_other(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    plant(api, env=[{"name": "CRASH", "value": "hunter2"}])
    flags = ("--from", "1", "--to-revision", "3")
    found = await backout(*DIFF, *flags, "-o", "patch", "--show-values")
    before = await backout("history", "deploy/web", "--revision", "1", "--show-values")
    (tmp_path / "template.yaml").write_text(before.out)
    (tmp_path / "found.patch").write_text(found.out)
    argv = ("patch", "--silent", "-d", str(tmp_path), "-i", "found.patch", "template.yaml")
    process = await asyncio.create_subprocess_exec(*argv)
    assert await process.wait() == 0
    made = yaml.safe_load((tmp_path / "template.yaml").read_text())

    assert template.same(made, api.get("deployments", "web")["spec"]["template"])
    assert "hunter2" not in (await backout(*DIFF, *flags, "-o", "patch")).out


async def test_a_hidden_value_that_differs_is_seen_to_differ(
    backout: Command, api: ApiServer
) -> None:
    plant(api, env=[{"name": "TOKEN", "value": "hunter2"}])
    plant(api, env=[{"name": "TOKEN", "value": "hunter3"}])
    done = await backout(*DIFF, "--from", "3", "--to-revision", "4", "-o", "patch")

    assert "-      value: '*** (1)'" in done.out
    assert "+      value: '*** (2)'" in done.out


@pytest.mark.usefixtures("api")
async def test_a_terminal_gets_colours_and_equal_templates_no_fields(backout: Command) -> None:
    _, text = await shown(backout, *DIFF, environment=COLOURS)
    same = await backout(*DIFF, "--to-revision", "2")

    assert f"{ESCAPE}[31m- 127.0.0.1:1/app:bad{ESCAPE}[0m" in text
    assert f"{ESCAPE}[32m+ {GOOD}{ESCAPE}[0m" in text
    assert same.out.splitlines()[1:] == ["  nothing that runs"]


async def test_where_undo_would_go_nowhere_it_says_why(backout: Command, api: ApiServer) -> None:
    api.remove("replicasets", api.all("replicasets")[0]["metadata"]["name"])
    done = await backout(*DIFF)

    assert done.code == 1
    assert "undo would not choose any revision: nothing to go back to" in done.err
