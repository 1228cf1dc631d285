"""`--color`, NO_COLOR and FORCE_COLOR where there is no terminal; `-q` leaves out progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

UNDO = ("undo", "deploy/web", "--dry-run")


@pytest.mark.parametrize(
    ("environment", "words", "is_coloured"),
    [
        ({}, (), False),
        ({}, ("--color=auto",), False),
        ({}, ("--color=always",), True),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "0"}, (), False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("--color=never",), False),
        ({"NO_COLOR": "1"}, ("--color=always",), True),
    ],
)
async def test_colours_are_where_they_were_asked_for(
    backout: Command,
    api: ApiServer,
    environment: dict[str, str],
    words: tuple[str, ...],
    *,
    is_coloured: bool,
) -> None:
    assert api.url
    backout.environment = environment
    done = await backout(*UNDO, *words)

    assert done.code == 0, done.err
    assert ("\x1b[" in done.out) == is_coloured


async def test_quiet_leaves_out_progress_and_keeps_the_outcome(
    backout: Command, api: ApiServer
) -> None:
    loud = await backout(*UNDO)
    quiet = await backout(*UNDO, "-q")
    left = [line for line in loud.out.splitlines() if line not in quiet.out.splitlines()]

    assert api.url
    assert quiet.code == loud.code == 0
    assert quiet.out.splitlines()[-1] == loud.out.splitlines()[-1]
    assert any(line.startswith("context test") for line in left)
    assert "context test" not in quiet.out


async def test_quiet_keeps_what_refuses(backout: Command, api: ApiServer) -> None:
    api.edit("deployments", "web", lambda web: web["spec"].update(paused=True))
    loud, quiet = await backout("undo", "deploy/web", "-y"), await backout(*UNDO[:2], "-yq")

    assert (quiet.code, loud.code) == (3, 3)
    assert next(line for line in loud.lines if line.startswith("✗ ")) in quiet.lines
