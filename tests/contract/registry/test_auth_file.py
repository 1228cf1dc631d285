from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from backout.core.errors import ConfigError
from backout.registry.auth_file import SIZE_LIMIT, load

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2"


def test_a_docker_config_gives_its_credentials(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": {"reg.io": {"username": "a", "password": SECRET}}}))

    (found,) = load(path).credentials_for("reg.io/x")

    assert (found.key, found.source) == ("reg.io", str(path))
    assert found.password.reveal() == SECRET


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON object"),
        (b'{"auths": {"reg.io": {"password": "hunter2"', "is no JSON object"),
        (b"\xff\xfe\x00hunter2", "is no JSON object"),
        (b"[" * 100_000, "is no JSON object"),
        (b'["hunter2"]', "is no JSON object"),
        (b'{"auths": "hunter2"}', "`auths` in"),
        (b'{"x": "' + b"hunter2" * SIZE_LIMIT + b'"}', "is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_docker_config_is_refused_and_not_shown(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=words) as caught:
        load(path)

    assert SECRET not in caught.value.message + caught.value.remedy
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.json", "No such file or directory"),
        (".", "Is a directory"),
        ("a\0b", "no such path"),
        ("\x1b[2J", r"\\x1b\[2J: No such file"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, path: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        load(f"{tmp_path}/{path}")
