"""Features of the command line: flags that replace what an entry of the kubeconfig says."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubectl.sets import Set


def server_flag(made: Set) -> None:
    made.flags["server"] = made.rng.choice(
        ["https://localhost:@TLS@", "https://127.0.0.1:@TLS@/sub/", "127.0.0.1:@PLAIN@"]
    )
    if made.rng.random() < 0.5:
        made.cluster["server"] = "https://no.invalid"
    if made.rng.random() < 0.3:
        made.omit.add("cluster")
        made.context.pop("cluster", None)


def token_flag(made: Set) -> None:
    made.flags["token"] = made.rng.choice(["of-the-flag", "ey.J.x", "0"])


def ca_flag(made: Set) -> None:
    name = made.rng.choice(["ca.pem", "ca.pem", "other-ca.pem", "no-ca.pem", "none.pem"])
    _beside(made, {"certificate-authority": name})
    if made.rng.random() < 0.3:
        made.cluster.pop("certificate-authority-data", None)
        made.cluster["insecure-skip-tls-verify"] = True


def insecure_flag(made: Set) -> None:
    made.flags["insecure-skip-tls-verify"] = True
    if made.rng.random() < 0.2:
        _beside(made, {"certificate-authority": "ca.pem"})


def server_name_flag(made: Set) -> None:
    made.flags["tls-server-name"] = made.rng.choice(["kubernetes", "kube.invalid", "w.invalid"])


def proxy_flag(made: Set) -> None:
    made.flags["proxy-url"] = made.rng.choice(
        ["http://127.0.0.1:@PROXY@", "http://me:p%40ss@127.0.0.1:@PROXY@", "ftp://127.0.0.1:1"]
    )


def certificate_flags(made: Set) -> None:
    pair = {"client-certificate": "other.pem", "client-key": "other.key"}
    if made.rng.random() < 0.2:
        del pair[made.rng.choice(list(pair))]
    _beside(made, pair)


def as_uid_flag(made: Set) -> None:
    if made.rng.random() < 0.8:
        made.flags.setdefault("as", "joe")
    made.flags["as-uid"] = made.rng.choice(["7", "a b"])


def as_user_extra_flag(made: Set) -> None:
    made.flags.setdefault("as", "joe")
    made.flags["as-user-extra"] = made.rng.choice(
        [("scope=a",), ("scope=a", "scope=b", "team/x=é"), ("Scope/ü%=c=d", "=a"), ("scope",)]
    )


def _beside(made: Set, names: dict[str, str]) -> None:
    """Name files of the first kubeconfig's folder, relative to the working folder."""

    def place(done: Set) -> None:
        folder = PurePath(done.files[0].path).parent
        done.flags |= {flag: str(folder / name) for flag, name in names.items()}

    made.edits.append(place)


FEATURES: dict[str, Callable[[Set], Any]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        server_flag, token_flag, ca_flag, insecure_flag, server_name_flag, proxy_flag,
        certificate_flags, as_uid_flag, as_user_extra_flag,
    )
}  # fmt: skip
