"""Registries that want something of us: credentials, our loopback, our memory, our time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from backout.core.errors import ConfigError, Unreachable
from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageState
from backout.http.addresses import ANY_ADDRESS, NO_LOCAL
from backout.http.client import HttpClient
from backout.registry import route as routes
from backout.registry.client import RegistryClient
from backout.registry.route import Route, is_loopback
from tests.contract.registry.scripts import (
    FOUND,
    HERE,
    basic,
    bearer,
    declared,
    keyring,
    registry_of,
)
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    ScriptedServer,
    Stream,
    client_tls,
    server_tls,
)

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_undeclared_registry_on_loopback_is_never_contacted(host: str) -> None:
    async with ScriptedServer([FOUND]) as server, RegistryClient(keyring=Keyring()) as client:
        answer = await client.ask(f"{host}:{server.port}/acme/web")

    assert server.connections == 0
    assert answer.state is ImageState.UNREACHABLE
    assert answer.detail.endswith(
        f"{host}:{server.port} is this machine's own loopback, not the node's; "
        f"--registry-plain-http {host}:{server.port} asks it anyway"
    )


async def test_a_declared_registry_is_compared_whole() -> None:
    async with ScriptedServer([FOUND]) as server:
        declared_others = frozenset({"127.0.0.1", f"localhost:{server.port}"})
        async with RegistryClient(keyring=Keyring(), plain_http=declared_others) as client:
            answer = await client.ask(f"{registry_of(server)}/acme/web")

    assert server.connections == 0
    assert answer.state is ImageState.UNREACHABLE


@pytest.mark.parametrize(
    "registry", ["169.254.169.254", "169.254.169.254:80", "0.0.0.0:5000", "[::ffff:7f00:1]:5000"]
)
async def test_a_registry_at_a_local_or_metadata_address_is_not_contacted(registry: str) -> None:
    async with RegistryClient(keyring=Keyring(), timeout=WITHIN) as client:
        answer = await client.ask(f"{registry}/acme/web")

    assert answer.state is ImageState.UNREACHABLE
    assert "will not connect" in answer.detail


HOSTILE_REALMS = [
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/token",
    "https://[fd00:ec2::254]/token",
    "https://[::ffff:169.254.169.254]/token",
    "https://0.0.0.0/token",
    "https://user:pass@127.0.0.1/token",
    "https://evil.test\\@127.0.0.1/token",
    "ftp://127.0.0.1/token",
    "file:///etc/passwd",
    "//127.0.0.1/token",
    "/token",
    "https://",
    "https://127.0.0.1:99999/token",
    "https://127.0.0.1/\x01",
    "https://evil.test/ü",
    "https://evil.test/" + "a" * 3000,
]


@pytest.mark.parametrize("realm", HOSTILE_REALMS)
async def test_a_realm_that_is_no_safe_address_is_not_followed(realm: str) -> None:
    routed = Route(
        registry="127.0.0.1:5000",
        is_plain=True,
        session=HttpClient(policy=ANY_ADDRESS),  # never entered: a request through it would raise
        guarded=HttpClient(policy=NO_LOCAL),
        timeout=WITHIN,
    )
    async with HttpClient(policy=NO_LOCAL) as guarded:
        routed._guarded = guarded
        with pytest.raises(Unreachable):
            await routed.token(realm, {"scope": "x"}, None)


@pytest.mark.parametrize(
    "realm",
    [
        "https://127.0.0.1:8080/token",
        "https://localhost/token",
        "https://a.localhost./token",
        "https://[::1]/token",
        "http://registry.test/token",
        "http://192.168.1.1/token",
    ],
)
async def test_a_registry_elsewhere_cannot_send_us_to_loopback_or_without_tls(realm: str) -> None:
    unused = HttpClient()
    routed = Route(
        registry="registry.test", is_plain=False, session=unused, guarded=unused, timeout=WITHIN
    )

    with pytest.raises(Unreachable, match="not followed"):
        await routed.token(realm, {"scope": "x"}, None)


async def test_a_declared_registry_elsewhere_cannot_send_us_to_loopback() -> None:
    unused = HttpClient()
    routed = Route(
        registry="192.168.1.1:5000", is_plain=True, session=unused, guarded=unused, timeout=WITHIN
    )

    with pytest.raises(Unreachable, match="own loopback: not followed"):
        await routed.token("http://127.0.0.1:8080/token", {"scope": "x"}, None)


async def test_no_credential_goes_to_another_host_without_tls() -> None:
    async with ScriptedServer(bearer(lambda: f"http://localhost:{server.port}/token")) as server:
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web")

    assert answer.state is ImageState.UNREACHABLE
    assert "not https: no credential is sent there" in answer.detail
    assert server.lines == ["HEAD /v2/acme/web/manifests/latest"]


async def test_a_token_realm_with_tls_gets_the_credential_and_the_registry_only_the_token(
    tmp_path: Path,
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    granted = Answer(json={"token": "granted"})
    async with (
        ScriptedServer([granted], tls=server_tls(ca)) as service,
        ScriptedServer(bearer(lambda: f"{service.url}/token")) as server,
    ):
        here = registry_of(server)
        keys = keyring((here, "robot"))
        async with declared(server, keys, ca_file=str(tmp_path / "ca.pem")) as client:
            answer = await client.ask(f"{here}/acme/web")

    assert answer.state is ImageState.EXISTS
    assert service.requests[0].headers["authorization"] == basic("robot")
    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, "Bearer granted"]


async def test_a_token_realm_whose_certificate_nobody_vouches_for_gets_nothing() -> None:
    async with (
        ScriptedServer([], tls=server_tls(trustme.CA())) as service,
        ScriptedServer(bearer(lambda: f"{service.url}/token")) as server,
    ):
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web")

    assert answer.state is ImageState.UNREACHABLE
    assert "certificate verify failed" in answer.detail
    assert service.requests == []


async def test_an_undeclared_registry_is_asked_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    # As if the server were somewhere else: loopback is all that a test has.
    monkeypatch.setattr(routes, "is_loopback", lambda _host: False)
    async with ScriptedServer([FOUND], tls=server_tls(ca)) as server:
        client = RegistryClient(keyring=Keyring())
        client._guarded = HttpClient(tls=client_tls(ca), policy=ANY_ADDRESS)
        async with client:
            answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.EXISTS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_takes_no_credential_along(status: int) -> None:
    async with ScriptedServer([FOUND]) as elsewhere:
        there = {"Location": f"http://user:secret@localhost:{elsewhere.port}/v2/x?token=secret"}
        script = [
            Answer(status=401, headers={"WWW-Authenticate": "Basic"}),
            Answer(status=status, headers=there),
        ]
        async with ScriptedServer(script) as server:
            here = registry_of(server)
            async with declared(server, keyring((here, "robot"))) as client:
                answer = await client.ask(f"{here}/acme/web")

        assert elsewhere.connections == 0
    assert answer.state is ImageState.UNREACHABLE
    assert f"redirects to localhost:{elsewhere.port} ({status}), which is not" in answer.detail
    assert "secret" not in answer.detail


async def test_a_token_service_that_redirects_is_not_followed() -> None:
    async with ScriptedServer([Answer(json={"token": "granted"})]) as elsewhere:
        moved = Answer(status=307, headers={"Location": f"{elsewhere.url}/token"})
        async with ScriptedServer(bearer(lambda: f"{server.url}/token", token=moved)) as server:
            here = registry_of(server)
            async with declared(server, keyring((here, "robot"))) as client:
                answer = await client.ask(f"{here}/acme/web")

        assert elsewhere.connections == 0
    assert answer.state is ImageState.UNREACHABLE
    assert "the token service answered 307" in answer.detail


async def test_a_token_that_drips_for_ever_ends_at_the_time_out() -> None:
    drip = Stream(chunks=[b'{"token":', b'"gran'], then="hang")
    script = bearer(lambda: f"{server.url}/token", token=drip)
    async with ScriptedServer(script) as server, declared(server, seconds=0.3) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web")

    assert answer.state is ImageState.UNREACHABLE
    assert "within 0.3 s" in answer.detail


async def test_a_huge_body_is_not_read() -> None:
    huge = Stream(chunks=[b" " * MEBIBYTE] * 50)
    script = bearer(lambda: f"{server.url}/token", token=huge)
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web")

    assert answer.state is ImageState.UNREACHABLE
    assert "answered with more than 1 MiB" in answer.detail


async def test_a_body_where_none_may_be_is_not_read() -> None:
    body = Answer(headers=HERE, body=b"x" * 50 * MEBIBYTE)
    async with ScriptedServer([body]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web")

    assert answer.state in {ImageState.EXISTS, ImageState.UNREACHABLE}


async def test_what_a_registry_writes_cannot_act_on_a_terminal() -> None:
    headers = {"Location": "https://\x9b2J\u202e.test/x".encode().decode("latin-1")}
    script = [Answer(status=302, headers=headers)]
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web")

    assert answer.detail.isprintable()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("192.168.1.1", False),
        ("", False),
    ],
)
def test_loopback_is_known_by_its_names(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match="cannot use the CA file"):
        RegistryClient(keyring=Keyring(), ca_file=str(path))
