"""Health by flag, environment and file: secrets stay where they belong, wrong files are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trustme

from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.meaning.limits import limits
from backout.core.errors import ConfigError
from backout.session import small_file
from backout.session.headers import headers
from tests.contract.scripted_server import Answer, ScriptedServer, server_tls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command, Finished

SECRET = "s3cr3t-t0ken"
ONCE = ("--health-successes", "1")


async def undone(backout: Command, *flags: str) -> Finished:
    return await backout("undo", "deploy/web", *ONCE, *flags)


def header_file(folder: Path, text: str) -> str:
    file = folder / "headers"
    file.write_text(text)
    return str(file)


async def test_a_header_of_a_file_reaches_the_url_and_nothing_else(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    file = header_file(tmp_path, f"Authorization: Bearer {SECRET}\n\nX-Team: checkout\n")
    journal = tmp_path / "journal.jsonl"
    async with ScriptedServer(lambda _: Answer()) as server:
        done = await undone(
            backout,
            *("--health", f"{server.url}/up", "--health-header-file", file),
            *("--journal", str(journal), "-o", "json", "-v"),
        )

    assert done.code == 0, done.err
    assert server.requests[-1].headers["authorization"] == f"Bearer {SECRET}"
    assert server.requests[-1].headers["x-team"] == "checkout"
    assert SECRET not in done.out + done.err + journal.read_text()
    assert not any(SECRET in str(r.pairs) for r in api.requests)


async def test_a_header_of_the_environment_stays_away_from_where_a_redirect_leads(
    backout: Command, api: ApiServer
) -> None:
    assert api.url
    backout.environment["BACKOUT_HEALTH_HEADER"] = f"X-Api-Key: {SECRET}"
    async with ScriptedServer(lambda _: Answer()) as other:
        away = Answer(status=302, headers={"Location": f"{other.url}/steal"})
        async with ScriptedServer(lambda _: away) as server:
            flags = ("--health", f"{server.url}/up", "--health-timeout", "1s")
            done = await undone(backout, *flags)

    assert done.code == 5, done.err
    assert server.requests[-1].headers["x-api-key"] == SECRET
    assert other.requests == []
    assert SECRET not in done.out + done.err


async def test_headers_of_the_environment_do_not_go_to_two_hosts(backout: Command) -> None:
    backout.environment["BACKOUT_HEALTH_HEADER"] = f"X-Api-Key: {SECRET}"
    done = await undone(backout, "--health", "http://a.example/", "--health", "http://b.example/")

    assert done.code == 2
    assert "go to one host only" in done.err
    assert SECRET not in done.err


async def test_several_healths_may_stand_in_the_environment(
    backout: Command, api: ApiServer
) -> None:
    backout.environment["BACKOUT_HEALTH"] = "/a /b"
    done = await undone(backout)

    assert done.code == 0, done.err
    assert "healthy: service web:80/a, service web:80/b answered well" in done.out
    assert {r.path.rpartition("/")[2] for r in api.requests if "/services/" in r.path} == {"a", "b"}


async def test_a_url_with_a_certificate_of_an_own_ca(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    assert api.url
    ca, file = trustme.CA(), tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    async with ScriptedServer(lambda _: Answer(), tls=server_tls(ca)) as server:
        done = await undone(backout, "--health", f"{server.url}/up", "--health-ca", str(file))

    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "line",
    [
        "no colon " + SECRET,
        f"Bad Name: {SECRET}",
        f"X: {SECRET}\x00",
        "X: é" + SECRET,
        "X:",
        "Content-Length: 1",
        f"transfer-encoding: {SECRET}",
    ],
)
async def test_what_is_no_header_is_refused_before_anything_and_not_shown(
    backout: Command, api: ApiServer, tmp_path: Path, line: str
) -> None:
    file = header_file(tmp_path, f"X-Good: 1\n{line}\n")
    done = await undone(backout, "--health", "http://127.0.0.1:1/", "--health-header-file", file)

    assert done.code == 1
    assert "line 2 of" in done.err
    assert SECRET not in done.out + done.err
    assert api.writes == []


async def test_files_that_cannot_be_used_are_named(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    assert api.url
    missing = str(tmp_path / "missing")
    url = ("--health", "https://127.0.0.1:1/")
    headers = await undone(backout, *url, "--health-header-file", missing)
    ca = await undone(backout, *url, "--health-ca", missing)

    assert (headers.code, ca.code) == (1, 1)
    assert f"cannot read the header file {missing}" in headers.err
    assert f"cannot use the CA file {missing}" in ca.err


def test_a_header_file_without_an_end_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b"x" * (small_file.SIZE_LIMIT + 1))
    with pytest.raises(ConfigError, match="larger than 64 KiB"):
        headers(file, {})


def spans(**values: Any) -> tuple[float, float]:
    """Return the time-out and the soak of these options."""
    given: dict[str, Any] = {
        **dict.fromkeys(HealthOptions.__struct_fields__),
        "health_successes": 3,
        "health_command": "",
        "health_command_timeout": 30.0,
        **values,
    }
    found = limits(None, None, (HealthOptions(**given),))
    return found.health, found.health_soak


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (60.0, 5.0)),
        ({"health_successes": 1}, (60.0, 0.0)),
        ({"health_successes": 1, "soak": 20.0}, (80.0, 20.0)),
        ({"soak": 90.0}, (150.0, 90.0)),
        ({"health_timeout": 4.0}, (4.0, 2.0)),
        ({"health_timeout": 30.0, "soak": 20.0}, (30.0, 20.0)),
        ({"health_command": "./smoke.sh"}, (150.0, 5.0)),
        ({"health_command": "./smoke.sh", "health_successes": 1}, (90.0, 0.0)),
        ({"health_command": "./smoke.sh", "health_timeout": 20.0}, (20.0, 5.0)),
    ],
)
def test_how_long_it_is_asked_and_must_hold(
    values: dict[str, Any], expected: tuple[float, float]
) -> None:
    assert spans(**values) == expected
