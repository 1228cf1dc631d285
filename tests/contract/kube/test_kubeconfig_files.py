from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backout.core.errors import ConfigError
from backout.kube.config import go_yaml
from backout.kube.config.kubeconfig import load
from backout.kube.config.yaml_file import FILE_CAP
from tests.contract.kube.kubeconfigs import SERVER, loaded

if TYPE_CHECKING:
    from pathlib import Path

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "content",
    [
        "- a\n",
        "just text",
        "a: [",
        "a: b: c",
        "a: !!python/object/apply:os.system [touch /tmp/hunter2]",
        "a: " + "[" * 100_000,
        "- " * 100_000,
        BOMB,
        "a: &a [*a]",
        "a: *nobody",
        "\x00",
        "clusters: 7",
        "clusters: [7]",
        "clusters: [{name: [x]}]",
        "kind: Pod\napiVersion: v1\n",
        "apiVersion: v2\n",
        "current-context: [x]\n",
    ],
)
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, content)

    assert "config" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        loaded(tmp_path, "#" * (FILE_CAP + 1))


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*: is a directory"):
        load(path=str(tmp_path), context=None, environ={}, home=tmp_path)


def test_dates_are_text_aliases_work_and_the_last_of_two_keys_counts(tmp_path: Path) -> None:
    content = f"""
apiVersion: v1
kind: Config
current-context: 2024-01-01
clusters:
- name: c
  cluster: &c
    server: https://first
    server: {SERVER}
- {{name: d, cluster: *c}}
contexts:
- name: 2024-01-01
  context: {{cluster: d, user: null}}
"""
    connection = loaded(tmp_path, content)

    assert (connection.context, connection.server) == ("2024-01-01", SERVER)


def test_an_empty_file_has_no_context(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no context"):
        loaded(tmp_path, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:34:56", "12:34:56"),
        ("2024-01-01", "2024-01-01"),
        ("y", True),
        ("Off", False),
        ("1_0", 10),
        ("010", 8),
        ("0o10", 8),
        ("08", 8.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("=", "="),
        ("~", None),
        ("!!str 1", "1"),
        ("!!binary eA==", "x"),
        ("!unknown {a: 1}", {"a": 1}),
        ("99999999999999999999", 1e20),
    ],
)
def test_plain_text_is_what_go_makes_of_it(text: str, value: object) -> None:
    found = go_yaml.parse(f"a: {text}".encode())["a"]

    assert (type(found), found) == (type(value), value)


def test_a_merged_key_is_overwritten_by_what_comes_later_only() -> None:
    text = b"x: &x {a: 1, b: 1}\ny: &y {a: 2}\nz: {b: 0, <<: [*x, *y], a: 3}"

    assert go_yaml.parse(text)["z"] == {"a": 3, "b": 1}
