"""Features about who asks: certificates, tokens, plugins, impersonation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tests.contract.kubectl import pki

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubectl.sets import Set

PLUGIN = """#!{python}
import json
import os
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
said = {{"apiVersion": info["apiVersion"], "kind": "ExecCredential"}}
said["status"] = {{"token": "plugin-" + os.environ.get("REGION", "none")}}
print(json.dumps(said))
"""


def inline_certificate(made: Set) -> None:
    _no_certificate(made)
    made.user["client-certificate-data"] = pki.inline("three.pem")
    made.user["client-key-data"] = pki.inline("three.key")


def certificate_file(made: Set) -> None:
    _no_certificate(made)
    made.user["client-certificate"] = "client.pem"
    made.user["client-key"] = "./client.key"


def mixed_certificate(made: Set) -> None:
    _no_certificate(made)
    made.user["client-certificate"] = "other.pem"
    made.user["client-key-data"] = pki.inline("three.key")


def _no_certificate(made: Set) -> None:
    for name in [name for name in made.user if name.startswith("client-")]:
        del made.user[name]


def key_alone(made: Set) -> None:
    _no_certificate(made)
    made.user["client-key"] = made.rng.choice(["client.key", "no/such.key"])


def no_credentials(made: Set) -> None:
    made.user.pop("token", None)


def token(made: Set) -> None:
    made.user["token"] = made.rng.choice(["abc", "ey.J.x", " padded ", "0"])


def token_file(made: Set) -> None:
    made.user.pop("token", None)
    made.user["tokenFile"] = made.rng.choice(["token", "./token"])


def token_and_file(made: Set) -> None:
    made.user["token"] = "inline"
    made.user["tokenFile"] = made.rng.choice(["token", "no/such/token", "blank"])


def lost_token_file(made: Set) -> None:
    made.user.pop("token", None)
    made.user["tokenFile"] = made.rng.choice(["no/such/token", "blank"])


def impersonation_in_file(made: Set) -> None:
    made.user |= {"as": "file-user", "as-groups": ["g1", "g2"], "as-uid": "7"}
    made.user["as-user-extra"] = {"Scope/ü%": ["a", "b"], "x!#y": ["c"], "none": []}


def plugin(made: Set) -> None:
    if made.rng.random() < 0.8:
        made.user.pop("token", None)
    version = made.rng.choice(["v1", "v1beta1"])
    made.user["exec"] = {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "command": made.rng.choice(["./login", "bin/login"]),
        "interactiveMode": made.rng.choice(["Never", "IfAvailable"]),
        "env": [{"name": "REGION", "value": "eu"}, {"name": "REGION", "value": "us"}],
        "args": None,
        "provideClusterInfo": made.rng.choice([True, False]),
    }
    if version == "v1beta1" and made.rng.random() < 0.5:
        del made.user["exec"]["interactiveMode"]
    made.programs["login"] = PLUGIN.format(python=sys.executable)


def plugin_on_path(made: Set) -> None:
    plugin(made)
    made.user["exec"]["command"] = "login"
    made.environ["PATH"] = made.rng.choice(["@FOLDER@/bin:/usr/bin", "@FOLDER@/none"])
    if made.rng.random() < 0.5:
        made.user["exec"]["env"].append({"name": "PATH", "value": "@FOLDER@/bin:/usr/bin"})


FEATURES: dict[str, Callable[[Set], Any]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        inline_certificate, certificate_file, mixed_certificate, key_alone, no_credentials, token,
        token_file,
        token_and_file, lost_token_file, impersonation_in_file, plugin, plugin_on_path,
    )
}  # fmt: skip
