from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from msgspec.structs import force_setattr

from backout.core.errors import ConfigError, Unauthorized, Unreachable
from backout.http.errors import Untrusted
from backout.kube.client import Client
from backout.kube.connection import Connection, Credentials, KeyPair, Trust
from backout.kube.tls import context_for
from tests.contract.kube.fixtures import StandingClock, connection_to, refusal
from tests.contract.scripted_server import Answer, Received, ScriptedServer, server_tls

if TYPE_CHECKING:
    from pathlib import Path


def pair_of(leaf: trustme.LeafCert) -> KeyPair:
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return KeyPair(certificate=chain, key=leaf.private_key_pem.bytes())


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def trusting(server: ScriptedServer, trust: Trust) -> Connection:
    connection = connection_to(server)
    force_setattr(connection, "trust", trust)
    return connection


async def test_the_kubeconfigs_ca_is_trusted() -> None:
    ca = trustme.CA()
    async with (
        ScriptedServer([Answer(json={"a": 1})], tls=server_tls(ca)) as server,
        Client(connection_to(server, ca=ca)) as client,
    ):
        assert await client.get("/x") == {"a": 1}


async def test_another_ca_is_not() -> None:
    async with ScriptedServer(tls=server_tls(trustme.CA())) as server:
        clock = StandingClock()
        async with Client(connection_to(server, ca=trustme.CA()), clock=clock) as client:
            with pytest.raises(Untrusted, match="certificate verify failed"):
                await client.get("/x")

    assert server.requests == []
    assert clock.slept == []  # asking again would not help


async def test_an_expired_certificate_is_refused() -> None:
    ca = trustme.CA()
    old = datetime.now(UTC) - timedelta(days=2)
    leaf = ca.issue_cert("127.0.0.1", not_before=old, not_after=old + timedelta(days=1))
    async with (
        ScriptedServer(tls=server_tls(ca, certificate=leaf)) as server,
        Client(connection_to(server, ca=ca)) as client,
    ):
        with pytest.raises(Unreachable, match="expired"):
            await client.get("/x")


async def test_another_host_is_refused_unless_its_name_was_given() -> None:
    ca = trustme.CA()
    pem = ca.cert_pem.bytes()
    async with ScriptedServer([Answer(json={})], tls=server_tls(ca, "kubernetes")) as server:
        async with Client(connection_to(server, ca=ca)) as client:
            with pytest.raises(Unreachable, match=r"(?i)mismatch"):
                await client.get("/x")
        named = trusting(server, Trust(ca=pem, server_name="kubernetes"))
        async with Client(named) as client:
            await client.get("/x")


async def test_an_insecure_connection_takes_any_certificate() -> None:
    tls = server_tls(trustme.CA(), "elsewhere")
    async with (
        ScriptedServer([Answer(json={})], tls=tls) as server,
        Client(trusting(server, Trust(insecure=True))) as client,
    ):
        await client.get("/x")


async def test_a_leaf_given_as_ca_is_trusted_as_go_trusts_it() -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1")
    tls = server_tls(trustme.CA(), certificate=leaf)
    trust = Trust(ca=leaf.cert_chain_pems[0].bytes())
    async with (
        ScriptedServer([Answer(json={})], tls=tls) as server,
        Client(trusting(server, trust)) as client,
    ):
        await client.get("/x")


async def test_a_client_certificate_is_shown_and_its_key_lies_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ca = trustme.CA()
    pair = pair_of(ca.issue_cert("x.example", common_name="admin"))
    async with ScriptedServer([Answer(json={})], tls=server_tls(ca, ask=True)) as server:
        connection = connection_to(server, ca=ca, credentials=Credentials(key_pair=pair))
        async with Client(connection) as client:
            await client.get("/x")

    assert server.requests[0].peer == "admin"
    assert is_empty(tmp_path)


def test_a_key_of_another_certificate_is_refused_and_lies_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ca = trustme.CA()
    one, two = pair_of(ca.issue_cert("a.example")), pair_of(ca.issue_cert("b.example"))
    mixed = KeyPair(certificate=one.certificate, key=two.key)
    with pytest.raises(ConfigError, match="do not belong together"):
        context_for(Trust(), mixed)
    with pytest.raises(ConfigError):
        context_for(Trust(), KeyPair(certificate=b"hunter2", key=b"hunter2"))

    assert is_empty(tmp_path)


@pytest.mark.parametrize("ca", [b"", b"not pem", b"\xff\xfe"])
def test_a_ca_that_is_none_is_refused(ca: bytes) -> None:
    with pytest.raises(ConfigError, match="certificate-authority"):
        context_for(Trust(ca=ca), None)


def test_a_ca_may_have_comments_in_any_language() -> None:
    pem = "# Zürich\n".encode() + trustme.CA().cert_pem.bytes()

    assert len(context_for(Trust(ca=pem), None).get_ca_certs()) == 1


async def test_a_token_file_is_read_again_after_a_401(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old\n")

    async def script(_: object) -> Answer:
        is_old = path.read_text() == "old\n"
        path.write_text("new\n")
        return refusal(401, "Unauthorized", "no") if is_old else Answer(json={})

    async with ScriptedServer(script) as server:
        credentials = Credentials(token="static", token_file=path)
        async with Client(connection_to(server, credentials=credentials)) as client:
            await client.get("/x")

    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer old", "Bearer new"]


async def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    credentials = Credentials(token_file=tmp_path / "token")
    async with (
        ScriptedServer() as server,
        Client(connection_to(server, credentials=credentials)) as client,
    ):
        with pytest.raises(ConfigError, match=r"tokenFile .*: no such file"):
            await client.get("/x")


async def test_a_static_token_that_is_refused_is_not_sent_again() -> None:
    credentials = Credentials(token="t")
    async with (
        ScriptedServer([refusal(401, "Unauthorized", "Unauthorized")] * 2) as server,
        Client(connection_to(server, credentials=credentials)) as client,
    ):
        with pytest.raises(Unauthorized) as caught:
            await client.get("/x")

    assert len(server.requests) == 1
    assert "log in" in caught.value.remedy


async def test_an_empty_token_file_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    credentials = Credentials(token_file=tmp_path / "token")
    async with (
        ScriptedServer() as server,
        Client(connection_to(server, credentials=credentials)) as client,
    ):
        with pytest.raises(ConfigError, match="it is empty"):
            await client.get("/x")


async def test_a_token_file_that_goes_away_leaves_its_last_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("last")

    async def script(request: Received) -> Answer:
        path.unlink(missing_ok=True)
        is_first = request is server.requests[0]
        return refusal(401, "Unauthorized", "no") if is_first else Answer(json={})

    async with ScriptedServer(script) as server:
        credentials = Credentials(token="static", token_file=path)
        async with Client(connection_to(server, credentials=credentials)) as client:
            await client.get("/x")

    assert [request.headers["authorization"] for request in server.requests] == ["Bearer last"] * 2


def test_a_common_name_is_no_host_name() -> None:
    assert context_for(Trust(), None).hostname_checks_common_name is False


def test_of_a_bundle_only_what_cannot_be_read_is_left_out() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    pem = trustme.CA().cert_pem.bytes() + broken + trustme.CA().cert_pem.bytes()

    assert len(context_for(Trust(ca=pem), None).get_ca_certs()) == 2
