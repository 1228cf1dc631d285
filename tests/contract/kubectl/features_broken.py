"""Features that should make a set an error, and a few that only look as if they did."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.contract.kubectl import pki
from tests.contract.kubectl.sets import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubectl.sets import Set

TOKEN = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"none"}', b'{"exp":4102444800}', b"signature")
)
"""An ID token that is good for a long time: kubectl looks at nothing else of it."""
INVALID = (
    "{", "a: b: c", "- a\n", "just text", "a: *nobody", "\t- x", "a: &a [*a]", "x: .nan", "? : 1",
    "clusters: {}", "clusters: [7]", "kind: Pod\napiVersion: v1", "apiVersion: v2", "a: !!int x",
    "kind: [x]", "%YAML 1.2\n---\n{}", "current-context: 7", "users: [{name: 1}]", "a: '",
    "preferences: {colors: 1}", "clusters: [{cluster: x}]", "contexts: [{name: y, context: null}]",
)  # fmt: skip


def invalid_file(made: Set) -> None:
    made.files.append(File(path="broken", raw=made.rng.choice(INVALID)))
    made.listed.insert(made.rng.randint(0, len(made.listed)), "@FOLDER@/broken")


def wrong_types(made: Set) -> None:
    made.edits.append(_wrong_type)


def _wrong_type(made: Set) -> None:
    usable = [file for file in made.files if file.raw is None]
    plural, kind, fields = made.rng.choice(
        [
            ("users", "user", {"token": 7}),
            ("users", "user", {"as-groups": "dev"}),
            ("users", "user", {"as-user-extra": {"a": "b"}}),
            ("users", "user", {"client-key-data": "%"}),
            ("users", "user", {"exec": {"env": [{"name": 1}]}}),
            ("users", "user", {"auth-provider": {"config": {"a": True}}}),
            ("clusters", "cluster", {"server": True}),
            ("clusters", "cluster", {"insecure-skip-tls-verify": "true"}),
            ("clusters", "cluster", {"certificate-authority-data": "e A=="}),
            ("clusters", "cluster", {"extensions": [{"name": "a"}, {"name": "a"}]}),
            ("contexts", "context", {"namespace": 1.5}),
            ("contexts", "context", []),
        ]
    )
    made.rng.choice(usable).entries[plural].append({"name": "wrong", kind: fields})


def entry_twice(made: Set) -> None:
    def edit(made: Set) -> None:
        usable = [file for file in made.files if file.raw is None]
        for file in usable:
            for entries in file.entries.values():
                if entries and made.rng.random() < 0.7:
                    entries.append(entries[0])
                    return

    made.edits.append(edit)


def cluster_missing(made: Set) -> None:
    made.omit.add("cluster")


def user_missing(made: Set) -> None:
    made.omit.add("user")


def context_missing(made: Set) -> None:
    made.omit.add("context")


def flag_names_nothing(made: Set) -> None:
    made.flags[made.rng.choice(["context", "cluster", "user"])] = "no such"


def no_current_context(made: Set) -> None:
    made.current = None


def no_server(made: Set) -> None:
    made.edits.append(lambda made: made.cluster.pop("server", None))


def odd_server(made: Set) -> None:
    made.cluster["server"] = made.rng.choice(
        [
            "ftp://127.0.0.1:@TLS@", " https://127.0.0.1:@TLS@", "https://127.0.0.1:-1",
            "https:///x", "//127.0.0.1:@TLS@", "https://", "https://127.0.0.1:@TLS@ ",
            "https:127.0.0.1:@TLS@", "http:127.0.0.1:@PLAIN@", "https://127.0.0.1:x",
        ]
    )  # fmt: skip


def credentials_in_server(made: Set) -> None:
    made.cluster["server"] = "https://me:secret@127.0.0.1:@TLS@"


def odd_proxy(made: Set) -> None:
    made.cluster["proxy-url"] = made.rng.choice(
        [
            "ftp://p",
            "127.0.0.1:@PROXY@",
            "socks4://127.0.0.1:1",
            "http://[::1",
            "nonsense",
            "http://",
        ]
    )


def authority_twice(made: Set) -> None:
    made.cluster["certificate-authority"] = "ca.pem"
    made.cluster["certificate-authority-data"] = pki.inline("ca.pem")


def odd_authority(made: Set) -> None:
    made.cluster.pop("certificate-authority-data", None)
    made.cluster["certificate-authority"] = made.rng.choice(
        ["no-ca.pem", "other-ca.pem", "blank", "no/such.pem", "."]
    )


def insecure_with_authority(made: Set) -> None:
    made.cluster["insecure-skip-tls-verify"] = True
    made.cluster["certificate-authority-data"] = pki.inline("ca.pem")


def certificate_twice(made: Set) -> None:
    name = made.rng.choice(["certificate", "key"])
    made.user |= {
        "client-certificate-data": pki.inline("three.pem"),
        "client-key-data": pki.inline("three.key"),
        f"client-{name}": "other.pem" if name == "certificate" else "other.key",
    }


def odd_certificate(made: Set) -> None:
    made.user |= made.rng.choice(
        [
            {"client-certificate": "other.pem"},
            {"client-certificate": "other.pem", "client-key": "no/such"},
            {"client-certificate": "no-ca.pem", "client-key": "other.key"},
            {"client-certificate": "client.pem", "client-key": "other.key"},
        ]
    )


def basic_authentication(made: Set) -> None:
    made.user.pop("token", None)
    made.user |= made.rng.choice([{"username": "u", "password": "p"}, {"password": "p"}])


def auth_provider(made: Set) -> None:
    made.user.pop("token", None)
    name = made.rng.choice(["oidc", "oidc", "oidc", "gcp"])
    config = {"id-token": TOKEN, "client-id": "c", "idp-issuer-url": "https://127.0.0.1:1"}
    made.user["auth-provider"] = {"name": name, "config": config}


def odd_plugin(made: Set) -> None:
    made.user.pop("token", None)
    made.user["exec"] = made.rng.choice(
        [
            {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "login"},
            {"apiVersion": "client.authentication.k8s.io/v1", "command": "login"},
            {"apiVersion": "client.authentication.k8s.io/v1beta1"},
            {"command": "login", "interactiveMode": "Never"},
            {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": "no-such-login",
                "interactiveMode": made.rng.choice(["Never", "Always", "Sometimes"]),
            },
        ]
    )


def groups_without_user(made: Set) -> None:
    made.user |= made.rng.choice(
        [{"as-groups": ["g"]}, {"as-uid": "7"}, {"as-user-extra": {"a": []}}]
    )


FEATURES: dict[str, Callable[[Set], Any]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        invalid_file, wrong_types, entry_twice, cluster_missing, user_missing, context_missing,
        flag_names_nothing, no_current_context, no_server, odd_server,
        credentials_in_server, odd_proxy, authority_twice,
        odd_authority, insecure_with_authority, certificate_twice, odd_certificate,
        basic_authentication, auth_provider, odd_plugin, groups_without_user,
    )
}  # fmt: skip
