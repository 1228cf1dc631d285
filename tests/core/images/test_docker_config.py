"""A pull Secret into credentials: both types, and what is wrong with one, never its values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backout.core.images.docker_config import from_secret
from backout.core.images.keyring import Credential, Keyring
from tests.objects.pull_secrets import encoded, secret

SOURCE = "Secret shop/pull"
PASSWORD = "hunter2-made-up"
AUTHS = {"reg.example": {"username": "robot", "password": PASSWORD}}
JSON, LEGACY = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


@pytest.mark.parametrize(
    "made",
    [
        secret(JSON, **{".dockerconfigjson": encoded({"auths": AUTHS})}),
        secret(LEGACY, **{".dockercfg": encoded(AUTHS)}),
    ],
    ids=["dockerconfigjson", "dockercfg"],
)
def test_both_types_are_read_as_the_kubelet_reads_them(made: dict[str, Any]) -> None:
    keyring = from_secret(made, source=SOURCE)

    assert isinstance(keyring, Keyring)
    (credential,) = keyring.credentials_for("reg.example/app")
    assert isinstance(credential, Credential)
    assert (credential.username, credential.password.reveal()) == ("robot", PASSWORD)
    assert credential.source == SOURCE
    assert PASSWORD not in repr(keyring)
    assert "robot" not in repr(keyring)


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"type": "Opaque", "data": {".dockerconfigjson": encoded({"auths": AUTHS})}},
        secret(JSON),
        secret(JSON, **{".dockercfg": encoded(AUTHS)}),
        secret(JSON, **{".dockerconfigjson": 7}),
        secret(JSON, **{".dockerconfigjson": f"!{PASSWORD}"}),
        secret(JSON, **{".dockerconfigjson": encoded(f'{{"auths": {PASSWORD}')}),
        secret(JSON, **{".dockerconfigjson": encoded([PASSWORD])}),
        secret(JSON, **{".dockerconfigjson": encoded("[" * 50_000)}),
        secret(JSON, **{".dockerconfigjson": encoded({"auths": PASSWORD})}),
        secret(LEGACY, **{".dockercfg": encoded(json.dumps(PASSWORD))}),
        {"type": JSON, "data": PASSWORD},
    ],
)
def test_one_that_holds_no_credentials_says_so_and_never_what_it_holds(
    made: dict[str, Any],
) -> None:
    why = from_secret(made, source=SOURCE)

    assert isinstance(why, str)
    assert why.startswith(f"{SOURCE} ")
    assert PASSWORD not in why
