from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.errors import ConfigError
from backout.kube.config.flags import Flags
from backout.kube.config.kubeconfig import load
from backout.kube.connection import Connection, Impersonation
from tests.contract.kube.kubeconfigs import SERVER, config, loaded, written

if TYPE_CHECKING:
    from pathlib import Path


def loaded_from(environ: dict[str, str], home: Path, **flags: Any) -> Connection:
    return load(**{"path": None, "context": None, "environ": environ, "home": home, **flags})


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_current_context_says_where_and_as_whom(tmp_path: Path) -> None:
    content = config(user={"token": "hunter2"}, context={"namespace": "shop"})
    connection = loaded(tmp_path, content)

    assert connection.server == SERVER
    assert (connection.context, connection.cluster, connection.user) == ("test", "test", "test")
    assert connection.namespace == "shop"
    assert connection.credentials.token == "hunter2"
    assert connection.notes == ()
    assert "hunter2" not in repr(connection)


def test_without_a_namespace_it_is_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, config()).namespace == "default"


def test_flags_outrank_the_context(tmp_path: Path) -> None:
    content = config(context={"namespace": "shop"})
    other = config(name="other", cluster={"server": "https://other"}, user={"token": "o"})
    for kind in ("clusters", "users", "contexts"):
        content[kind] += other[kind]

    connection = loaded(tmp_path, content, cluster="other", user="other", namespace="x")
    assert (connection.context, connection.cluster, connection.user) == ("test", "other", "other")
    assert (connection.server, connection.namespace) == ("https://other", "x")
    assert loaded(tmp_path, content, context="other").namespace == "default"


def test_the_first_file_wins_each_entry_and_the_current_context(tmp_path: Path) -> None:
    first = config(cluster={"server": "https://first"}, current=None)
    second = config(
        cluster={"server": "https://second", "tls-server-name": "x"}, user={"token": "t"}
    )
    second["contexts"].append(
        {"name": "two", "context": {"cluster": "test", "user": "test", "namespace": "n2"}}
    )
    second["current-context"] = "two"
    third = config(current="test")
    paths = [written(tmp_path / str(i), c) for i, c in enumerate([first, second, third])]

    connection = loaded_from({"KUBECONFIG": os.pathsep.join(paths)}, tmp_path)
    assert connection.server == "https://first"
    assert connection.trust.server_name is None
    assert (connection.context, connection.namespace) == ("two", "n2")
    assert connection.credentials.token == ""


def test_missing_files_of_the_list_are_skipped(tmp_path: Path) -> None:
    there = written(tmp_path / "there", config())
    listed = os.pathsep.join([str(tmp_path / "missing"), "", there, there])

    assert loaded_from({"KUBECONFIG": listed}, tmp_path).server == SERVER


def test_the_default_file_is_used_where_none_is_named(tmp_path: Path) -> None:
    written(tmp_path / ".kube" / "config", config())

    assert loaded_from({"KUBECONFIG": ""}, tmp_path).server == SERVER


def test_the_flag_outranks_the_list(tmp_path: Path) -> None:
    listed = written(tmp_path / "listed", config(cluster={"server": "https://listed"}))

    assert loaded(tmp_path, config(), environ={"KUBECONFIG": listed}).server == SERVER


def test_no_file_of_the_working_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "kubeconfig", "kubeconfig.yaml", ".kube/config"):
        written(tmp_path / "work" / name, config())
    monkeypatch.chdir(tmp_path / "work")

    with pytest.raises(ConfigError, match="no kubeconfig"):
        loaded_from({}, tmp_path / "home")


def test_no_kubeconfig_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no kubeconfig: .*/a, .*/b") as caught:
        loaded_from({"KUBECONFIG": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"}, tmp_path)

    assert "KUBECONFIG" in caught.value.remedy


def test_paths_are_relative_to_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "tls.crt").write_text("CERT")
    (tmp_path / "tls.key").write_text("KEY")
    user = {
        "client-certificate": "tls.crt",
        "client-key": "./tls.key",
        "tokenFile": "sub/token",
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": "bin/login",
        },
    }
    login = {"exec": user.pop("exec")}
    connection = loaded(tmp_path, config(cluster={"certificate-authority": "ca.pem"}, user=user))

    assert connection.trust.ca == b"CA"
    assert connection.credentials.token_file == tmp_path / "sub" / "token"
    pair = connection.credentials.key_pair
    plugin = loaded(tmp_path, config(user=login)).credentials.plugin
    assert pair is not None
    assert (pair.certificate, pair.key) == (b"CERT", b"KEY")
    assert plugin is not None
    assert plugin.command == str(tmp_path / "bin" / "login")


def test_inline_files_are_base64(tmp_path: Path) -> None:
    user = {
        "client-certificate-data": base64_of("CERT"),
        "client-key-data": base64_of("KEY"),
    }
    cluster = {"certificate-authority-data": base64_of("CA")[:2] + "\n" + base64_of("CA")[2:]}
    connection = loaded(tmp_path, config(cluster=cluster, user=user))

    assert connection.trust.ca == b"CA"
    assert connection.credentials.key_pair is not None
    assert "KEY" not in repr(connection)


def test_the_servers_name_and_proxy_are_taken_over(tmp_path: Path) -> None:
    cluster = {"tls-server-name": "kubernetes", "proxy-url": "http://user:hunter2@proxy:3128"}
    connection = loaded(tmp_path, config(cluster=cluster))

    assert connection.trust.server_name == "kubernetes"
    assert connection.proxy == "http://user:hunter2@proxy:3128"
    assert "hunter2" not in repr(connection)


def test_the_environments_proxy_is_used_unless_excepted(tmp_path: Path) -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128"}

    assert loaded(tmp_path, config(), environ=environ).proxy == "http://proxy:3128"
    excepted = {**environ, "NO_PROXY": ".example"}
    assert loaded(tmp_path, config(), environ=excepted).proxy is None


def test_an_unverified_certificate_is_said_aloud(tmp_path: Path) -> None:
    connection = loaded(tmp_path, config(cluster={"insecure-skip-tls-verify": True}))

    assert connection.trust.insecure
    assert len(connection.notes) == 1
    assert "not verified" in connection.notes[0]


def test_credentials_are_not_sent_without_tls_and_that_is_said(tmp_path: Path) -> None:
    content = config(cluster={"server": "http://kube:8080"}, user={"token": "t"})
    connection = loaded(tmp_path, content)

    assert connection.credentials.token == ""
    assert "no credentials" in connection.notes[0]


@pytest.mark.parametrize(
    ("server", "more", "url"),
    [
        ("https://kube/k8s/clusters/c-1/", {}, "https://kube/k8s/clusters/c-1"),
        ("kube:6443", {"certificate-authority-data": base64_of("CA")}, "http://kube:6443"),
        ("HTTPS://kube//a/../k8s%2Fc/?x=1#y", {}, "https://kube/k8s/c"),
        ("kube:8080", {}, "http://kube:8080"),
        ("https://[::1]:6443", {}, "https://[::1]:6443"),
    ],
)
def test_the_server_is_a_url(tmp_path: Path, server: str, more: dict[str, str], url: str) -> None:
    assert loaded(tmp_path, config(cluster={"server": server, **more})).server == url


def test_a_user_may_be_missing_from_a_context(tmp_path: Path) -> None:
    connection = loaded(tmp_path, config(context={"user": ""}))

    assert connection.user == ""


def test_a_cluster_alone_is_enough(tmp_path: Path) -> None:
    connection = loaded(tmp_path, config(current=None), cluster="test", user="test")

    assert (connection.context, connection.server) == ("", SERVER)


def test_impersonation_comes_from_the_flags_else_from_the_file(tmp_path: Path) -> None:
    user = {"as": "jane", "as-groups": ["dev"], "as-uid": "7", "as-user-extra": {"a": ["b"]}}

    assert loaded(tmp_path, config(user=user)).impersonation == Impersonation(
        user="jane", groups=("dev",), uid="7", extra={"a": ("b",)}
    )
    flags = Flags(impersonate="joe", impersonate_groups=("ops", "x"))
    assert loaded(tmp_path, config(), flags=flags).impersonation == Impersonation(
        user="joe", groups=("ops", "x")
    )
    with pytest.raises(ConfigError, match="without a user"):
        loaded(tmp_path, config(), flags=Flags(impersonate_groups=("ops",)))


@pytest.mark.parametrize(
    ("user", "named", "remedy"),
    [
        ({"auth-provider": {"name": "oidc"}}, "auth-provider (oidc)", "kubelogin"),
        ({"username": "u", "password": "p"}, "username and password", "token"),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}},
            "v1alpha1",
            "/v1",
        ),
        ({"exec": {"command": "x"}}, "apiVersion missing", "/v1"),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x"}},
            "interactiveMode is missing",
            "IfAvailable",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    tmp_path: Path, user: dict[str, Any], named: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, config(user=user))

    assert named in caught.value.message
    assert 'user "test"' in caught.value.message
    assert remedy in caught.value.remedy


def test_what_another_user_has_is_no_matter(tmp_path: Path) -> None:
    content = config()
    content["users"].append({"name": "old", "user": {"username": "u", "auth-provider": {}}})

    assert loaded(tmp_path, content).server == SERVER


def test_a_proxy_may_be_a_socks_proxy_as_for_kubectl_and_of_no_other_kind(tmp_path: Path) -> None:
    url = "socks5://u:hunter2@proxy:1080"
    assert loaded(tmp_path, config(cluster={"proxy-url": url})).proxy == url
    with pytest.raises(ConfigError, match="not an http, https or socks5 address") as caught:
        loaded(tmp_path, config(cluster={"proxy-url": "socks4://u:hunter2@proxy:1080"}))

    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "part",
    [
        {"cluster": {"server": ""}},
        {"cluster": {"server": "ftp://x"}},
        {"cluster": {"server": "https://u:hunter2@x"}},
        {"cluster": {"server": "https://x:99999"}},
        {"cluster": {"server": 7}},
        {"cluster": {"proxy-url": "hunter2"}},
        {"cluster": {"certificate-authority": "missing.pem"}},
        {"cluster": {"certificate-authority-data": "%hunter2"}},
        {"cluster": {"insecure-skip-tls-verify": "yes"}},
        {
            "cluster": {
                "insecure-skip-tls-verify": True,
                "certificate-authority-data": base64_of("x"),
            }
        },
        {"user": {"token": 12345}},
        {"user": {"client-certificate-data": base64_of("x")}},
        {"user": {"client-certificate-data": "eA==", "client-certificate": "hunter2"}},
        {"user": {"as-groups": "dev", "as": "x"}},
        {"user": {"exec": "login"}},
        {"context": {"cluster": "none"}},
        {"context": {"user": "none"}},
        {"current": "none"},
        {"current": ""},
        {"current": None},
    ],
)
def test_what_cannot_be_used_is_a_clear_error_without_its_value(
    tmp_path: Path, part: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, config(**part))

    text = f"{caught.value.message} {caught.value.remedy}"
    assert str(tmp_path / "config") in text
    assert "12345" not in text
    assert "%hunter2" not in text
    assert "u:hunter2" not in text


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    content = config()
    content["users"] *= 2
    with pytest.raises(ConfigError, match='user "test" is there twice'):
        loaded(tmp_path, content)


def test_an_unknown_context_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='context "nope" does not exist') as caught:
        loaded(tmp_path, config(), context="nope")

    assert caught.value.remedy == "choose one of: test"


def test_v1beta1_needs_no_interactive_mode(tmp_path: Path) -> None:
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "login",
            "args": ["a", "b"],
            "env": [{"name": "REGION", "value": "eu"}],
            "provideClusterInfo": True,
            "installHint": "brew install login",
        }
    }
    plugin = loaded(tmp_path, config(user=user), environ={"PATH": "/bin"}).credentials.plugin

    assert plugin is not None
    assert (plugin.command, plugin.arguments) == ("login", ("a", "b"))
    assert plugin.environment == {"PATH": "/bin", "REGION": "eu"}
    assert plugin.interactive_mode == "IfAvailable"
    assert plugin.cluster == {"server": SERVER, "config": None}
    assert plugin.install_hint == "brew install login"
