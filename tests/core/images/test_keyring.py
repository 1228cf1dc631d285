"""Vectors: kubernetes/kubernetes pkg/credentialprovider keyring_test.go and config_test.go."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.images.docker_config import from_auths, from_docker_config
from backout.core.images.keyring import (
    Keyring,
    Secret,
    is_default_registry,
    key_matches,
    normalise_key,
)

FOO_BAR = base64.b64encode(b"foo:bar").decode()
BASIC_FOO_BAR = f"Basic {FOO_BAR}"


def keyring(*keys: str) -> Keyring:
    return from_auths({key: {"auth": FOO_BAR} for key in keys}, source="a test")


@pytest.mark.parametrize(
    ("key", "name", "matches"),
    [
        ("*.kubernetes.io", "prefix.kubernetes.io", True),
        ("prefix.*.io", "prefix.kubernetes.io", True),
        ("prefix.kubernetes.*", "prefix.kubernetes.io", True),
        ("*-good.kubernetes.io", "prefix-good.kubernetes.io", True),
        ("*.kubernetes.io/blah", "prefix.kubernetes.io/blah", True),
        ("prefix.*.io/foo", "prefix.kubernetes.io/foo/bar", True),
        ("*.kubernetes.io:1111/blah", "prefix.kubernetes.io:1111/blah", True),
        ("prefix.*.io:1111/foo", "prefix.kubernetes.io:1111/foo/bar", True),
        ("*.kubernetes.io", "kubernetes.io", False),
        ("*.*.kubernetes.io", "prefix.kubernetes.io", False),
        ("*.*.kubernetes.io", "kubernetes.io", False),
        ("kubernetes.io", "kubernetes.com", False),
        ("k*.io", "quay.io", False),
        ("*.kubernetes.io:1234/blah", "prefix.kubernetes.io:1111/blah", False),
        ("prefix.*.io/foo", "prefix.kubernetes.io:1111/foo/bar", False),
        # the path is a plain prefix, the host is not
        ("reg.io/foo", "reg.io/foobar", True),
        ("reg.io", "reg.io.evil.com/x", False),
        ("reg.io", "evilreg.io/x", False),
        ("reg.io", "reg.io:443/x", False),
        ("[::1]:5000", "[::1]:5000/x", True),
    ],
)
def test_a_key_is_for_an_image_as_the_kubelet_decides(
    key: str, name: str, *, matches: bool
) -> None:
    assert key_matches(key, name) is matches


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("https://hello.kubernetes.io", "hello.kubernetes.io"),
        ("https://*.docker.io", "prefix.docker.io"),
        ("https://prefix.*.io", "prefix.docker.io"),
        ("https://prefix.docker.*", "prefix.docker.io"),
        ("https://*.docker.io/path", "prefix.docker.io/path"),
        ("https://prefix.*.io/path", "prefix.docker.io/path/subpath"),
        ("https://prefix.docker.*/path", "prefix.docker.io/path"),
        ("https://*.docker.io:8888", "prefix.docker.io:8888"),
        ("https://prefix.*.io:8888", "prefix.docker.io:8888"),
        ("https://prefix.docker.*:8888", "prefix.docker.io:8888"),
        ("https://*.docker.io/path:1111", "prefix.docker.io/path:1111"),
        ("https://*.docker.io/v1/", "prefix.docker.io/path:1111"),
        ("https://*.docker.io/v2/", "prefix.docker.io/path:1111"),
        ("https://prefix.docker.*/path:1111", "prefix.docker.io/path:1111"),
        ("prefix.docker.io:1111", "prefix.docker.io:1111/path"),
        ("*.docker.io:1111", "prefix.docker.io:1111/path"),
    ],
)
def test_a_glob_key_gives_its_credential(key: str, target: str) -> None:
    (found,) = keyring(key).credentials_for(f"{target}/foo/bar")

    assert found.basic.reveal() == BASIC_FOO_BAR


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("https://hello.kubernetes.io", "world.mesos.org/foo/bar"),
        ("https://*.docker.com", "prefix.docker.io"),
        ("https://suffix.*.io", "prefix.docker.io"),
        ("https://prefix.docker.c*", "prefix.docker.io"),
        ("https://prefix.*.io/path:1111", "prefix.docker.io/path/subpath:1111"),
        ("suffix.*.io", "prefix.docker.io"),
        ("https://index.docker.io/v1/", "world.mesos.org/foo/bar"),
        ("https://index.docker.io/v1", "docker.io/library/nginx"),
        ("registry-1.docker.io", "docker.io/library/nginx"),
        ("*.docker.io", "docker.io/library/nginx"),
    ],
)
def test_another_registry_gets_no_credential(key: str, target: str) -> None:
    assert keyring(key).credentials_for(f"{target}/foo/bar") == ()


@pytest.mark.parametrize(
    "name",
    ["docker.io/library/nginx", "docker.io/google/docker-registry", "jenkins", "google/registry"],
)
def test_docker_hub_falls_back_to_its_old_name(name: str) -> None:
    found = keyring("https://index.docker.io/v1/").credentials_for(name)

    assert [credential.key for credential in found] == ["index.docker.io"]


def test_docker_hub_falls_back_only_when_nothing_else_matches() -> None:
    found = keyring("https://index.docker.io/v1/", "docker.io").credentials_for("docker.io/a/b")

    assert [credential.key for credential in found] == ["docker.io"]


@pytest.mark.parametrize(
    ("name", "is_default"),
    [
        ("foo/bar", True),
        ("docker.io/foo/bar", True),
        ("index.docker.io/foo/bar", True),
        ("foo", True),
        ("", False),
        ("registry.tld/foo/bar", False),
        ("registry:5000/foo/bar", False),
        ("myhostdocker.io/foo/bar", False),
    ],
)
def test_docker_hub_is_known_by_its_names(name: str, *, is_default: bool) -> None:
    assert is_default_registry(name) is is_default


def test_all_matching_credentials_come_longer_keys_first() -> None:
    found = keyring("quay.io", "quay.io/coreos/etcd", "*.io", "quay.io/coreos", "quay.io/other")

    assert [c.key for c in found.credentials_for("quay.io/coreos/etcd")] == [
        "quay.io/coreos/etcd",
        "quay.io/coreos",
        "quay.io",
        "*.io",
    ]


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ("https://index.docker.io/v1/", "index.docker.io"),
        ("http://reg.io:5000/", "reg.io:5000"),
        ("reg.io/v2/team", "reg.io/team"),
        ("https://user:secret@reg.io/team", "reg.io/team"),
        ("reg.io?x#y", "reg.io"),
        ("reg io", None),
        ("reg.io:port", None),
        ("[!a]reg.io", None),
        ("[::1]:5000", "[::1]:5000"),
        ("[::1]:x", None),
    ],
)
def test_a_key_is_host_and_path(location: str, key: str | None) -> None:
    assert normalise_key(location) == key


@pytest.mark.parametrize(
    ("entry", "basic"),
    [
        ({"username": "foo", "password": "bar", "email": "foo@example.com"}, b"foo:bar"),
        ({"auth": "Zm9vOmJhcg=="}, b"foo:bar"),
        ({"auth": "Zm9vOmJhcg"}, b"foo:bar"),
        ({"auth": "Zm9vOm\nJhcg==\n"}, b"foo:bar"),
        ({"username": "foo", "password": "bar", "auth": "cGluZzpwb25n"}, b"ping:pong"),
        ({"auth": base64.b64encode(b"a:b:c").decode()}, b"a:b:c"),
        ({"auth": base64.b64encode(b"a:\xff").decode()}, b"a:\xff"),
        ({"username": "foo", "password": ""}, b"foo:"),
    ],
)
def test_an_entry_gives_name_and_password(entry: dict[str, str], basic: bytes) -> None:
    (found,) = from_auths({"reg.io": entry}, source="a test").credentials_for("reg.io/x")

    assert found.basic.reveal() == f"Basic {base64.b64encode(basic).decode()}"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"auth": "pants"}, "auth that is not base64"),
        ({"auth": "cGFudHM="}, "auth that is not base64"),
        ({"auth": "Zm9vOmJhcg== "}, "auth that is not base64"),
        ({"auth": 1}, "no text"),
        ({"username": "\ud800", "password": "x"}, "no Unicode"),
        ({"identitytoken": "hunter2"}, "identitytoken, not supported yet"),
        ("hunter2", "no object"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_never_shown(entry: object, words: str) -> None:
    found = from_auths({"reg.io": entry}, source="a test")

    (unusable,) = found.unusable_for("reg.io/x")
    assert found.credentials_for("reg.io/x") == ()
    assert words in unusable.reason
    assert "'reg.io'" in unusable.reason
    assert "hunter2" not in repr(found)


def test_an_entry_that_a_credential_store_left_empty_is_no_entry() -> None:
    config = {"auths": {"reg.io": {}}, "credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud"}}
    found = from_docker_config(config, source="config.json")

    assert found.entries == ()
    assert found.notes == (
        "config.json: credsStore is not run; credentials it keeps are not used",
        "config.json: credHelpers are not run; credentials for gcr.io are not used",
    )


def test_a_key_that_is_no_address_is_said() -> None:
    assert keyring("reg io").notes == ("a test: 'reg io' is no registry's address: ignored",)


def test_two_keyrings_join_in_order() -> None:
    first = from_auths({"reg.io": {"username": "a", "password": "1"}}, source="one")
    second = from_auths({"reg.io": {"username": "b", "password": "2"}}, source="two")

    found = first.joined(second).credentials_for("reg.io/x")

    assert [credential.source for credential in found] == ["one", "two"]


def test_nothing_secret_shows_in_a_repr() -> None:
    found = from_auths({"reg.io": {"username": "robot", "password": "hunter2"}}, source="a test")
    (credential,) = found.credentials_for("reg.io/x")

    shown = f"{found} {credential!r} {credential.password} {credential.basic!r} {Secret('hunter2')}"
    assert "hunter2" not in shown
    assert "robot" not in shown
    assert credential.basic.reveal().removeprefix("Basic ") not in shown


@given(st.text(max_size=40), st.text(max_size=40))
def test_matching_never_raises(key: str, name: str) -> None:
    normalised = normalise_key(key)
    if normalised is not None:
        key_matches(normalised, name)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_object_gives_a_keyring(value: object) -> None:
    from_docker_config({"auths": value, "credHelpers": value, "credsStore": value}, source="a test")
    from_auths({"reg.io": value}, source="a test")
