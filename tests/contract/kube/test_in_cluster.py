from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trustme

from backout.core.errors import ConfigError
from backout.kube.config.flags import Flags
from backout.kube.config.kubeconfig import load
from tests.contract.kube.kubeconfigs import config, written

if TYPE_CHECKING:
    from pathlib import Path

    from backout.kube.connection import Connection

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """Return a service account's folder as kubelet mounts it."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("t")
    (folder / "namespace").write_text("shop\n")
    (folder / "ca.crt").write_bytes(trustme.CA().cert_pem.bytes())
    return folder


def connected(account: Path, *, environ: dict[str, str], **flags: Any) -> Connection:
    settings = {"path": None, "context": None, "home": account / "home", **flags}
    return load(environ=environ, service_account=account, **settings)


def test_without_a_kubeconfig_the_pods_service_account_is_used(account: Path) -> None:
    connection = connected(account, environ=POD)

    assert connection.server == "https://10.0.0.1:443"
    assert connection.namespace == "shop"
    assert connection.credentials.token_file == account / "token"
    assert connection.trust.ca == (account / "ca.crt").read_bytes()
    assert connection.notes == ("no kubeconfig: the Pod's service account is used",)


def test_an_address_of_the_newer_kind_is_bracketed(account: Path) -> None:
    connection = connected(account, environ={**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"})

    assert connection.server == "https://[fd00::1]:443"


def test_the_namespace_comes_from_the_flag_the_variable_or_the_file(account: Path) -> None:
    named = {**POD, "POD_NAMESPACE": "mine"}

    assert connected(account, environ=named, namespace="flag").namespace == "flag"
    assert connected(account, environ=named).namespace == "mine"
    (account / "namespace").unlink()
    assert connected(account, environ=POD).namespace == "default"


@pytest.mark.parametrize("ca", [b"nonsense", None])
def test_without_a_usable_ca_the_systems_are_trusted_as_by_kubectl(
    account: Path, ca: bytes | None
) -> None:
    (account / "ca.crt").unlink()
    if ca is not None:
        (account / "ca.crt").write_bytes(ca)

    assert connected(account, environ=POD).trust.ca is None


@pytest.mark.parametrize("missing", [*POD, "token"])
def test_what_is_no_pod_needs_a_kubeconfig(account: Path, missing: str) -> None:
    environ = {name: value for name, value in POD.items() if name != missing}
    if missing == "token":
        (account / "token").unlink()
    with pytest.raises(ConfigError, match="no kubeconfig"):
        connected(account, environ=environ)


def test_a_kubeconfig_that_says_where_outranks_the_pod_but_not_its_namespace(
    account: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "config", config())
    connection = connected(account, environ=POD, path=path)

    assert connection.server == "https://kube.example:6443"
    assert connection.namespace == "shop"


@pytest.mark.parametrize(
    "content",
    [
        config(current=None),
        config(context={"cluster": ""}),
        config(cluster={"server": "http://localhost:8080"}),
        "",
    ],
)
def test_a_kubeconfig_that_says_nothing_leaves_it_to_the_pod(
    account: Path, tmp_path: Path, content: object
) -> None:
    connection = connected(account, environ=POD, path=written(tmp_path / "config", content))

    assert connection.server == "https://10.0.0.1:443"


@pytest.mark.parametrize(
    "flags",
    [{"context": "no"}, {"cluster": "no"}, {"user": "no"}, {"flags": Flags(impersonate="jane")}],
)
def test_flags_that_want_a_kubeconfig_do_not_get_the_pods_account(
    account: Path, flags: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        connected(account, environ=POD, **flags)


def test_a_named_file_must_be_there_in_a_pod_too(account: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        connected(account, environ=POD, path=str(account / "none"))
