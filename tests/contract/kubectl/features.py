"""The features of generated sets: each changes a set; False says that it does not fit this one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.contract.kubectl import features_broken, features_flags, features_user
from tests.contract.kubectl.sets import File
from tests.contract.kubectl.writing import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubectl.sets import Set

PLURALS = ("clusters", "users", "contexts")


def several_files(made: Set) -> None:
    folders = ["", "one", "two/deep", "thr ee"]
    for index in range(made.rng.randint(1, 3)):
        folder = made.rng.choice(folders)
        path = f"{folder}/config-{index}.yaml".lstrip("/")
        made.files.append(File(path=path, style=made.rng.choice(STYLES)))
    made.rng.shuffle(made.files)
    made.listed = [f"@FOLDER@/{file.path}" for file in made.files]


def missing_file(made: Set) -> None:
    made.listed.insert(made.rng.randint(0, len(made.listed)), "@FOLDER@/not/there")


def empty_file(made: Set) -> None:
    raw = made.rng.choice(["", "\n", "# nothing\n", "---\n", "{}", "null", "--- ~\n...\n"])
    made.files.append(File(path="empty", raw=raw))
    made.listed.insert(made.rng.randint(0, len(made.listed)), "@FOLDER@/empty")


def relative_list(made: Set) -> None:
    made.listed = [one.replace("@FOLDER@/", "") for one in made.listed]


def odd_list(made: Set) -> None:
    made.listed = ["", *made.listed, *made.listed, ""]


def conflicting_entries(made: Set) -> bool:
    if len(made.listed) < 2:
        several_files(made)

    def edit(made: Set) -> None:
        usable = [file for file in made.files if file.raw is None]
        for plural in PLURALS:
            for file in usable:
                mains = [e for e in file.entries[plural] if not e["name"].startswith("other-")]
                for entry in mains[:1]:
                    other = made.rng.choice(usable)
                    if other is not file:
                        other.entries[plural].append(_conflict(entry))

    made.edits.append(edit)
    return True


def _conflict(entry: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(entry)
    if "cluster" in found:
        found["cluster"] = {"server": "https://127.0.0.1:@TLS@/conflict"}
        found["cluster"]["insecure-skip-tls-verify"] = True
    elif "user" in found:
        found["user"] = {"token": "conflict", "as": "conflict"}
    else:
        found["context"]["namespace"] = "conflict"
    return found


def conflicting_current(made: Set) -> None:
    if len(made.listed) < 2:
        several_files(made)

    def edit(made: Set) -> None:
        usable = [file for file in made.files if file.raw is None]
        second = dict(made.context, namespace="second")
        made.rng.choice(usable).entries["contexts"].append({"name": "second", "context": second})
        for file in usable:
            file.more.setdefault("current-context", made.rng.choice(["second", ""]))

    made.edits.append(edit)


def explicit_file(made: Set) -> bool:
    if len(made.listed) != 1:
        return False
    made.explicit = made.listed[0]
    made.listed = [made.rng.choice(["/no/such/file", "@FOLDER@/decoy"])]
    made.files.append(File(path="decoy", raw='{"clusters": 7}'))
    return True


def default_file(made: Set) -> bool:
    if len(made.files) != 1:
        return False
    made.files[0].path = "home/.kube/config"
    made.listed = []
    return True


def context_flag(made: Set) -> None:
    made.flags["context"] = made.names["context"]
    made.current = made.rng.choice([None, "other-context", made.current])


def cluster_flag(made: Set) -> None:
    made.flags["cluster"] = made.names["cluster"]
    made.context["cluster"] = made.rng.choice(["other-cluster", "", "no such"])


def user_flag(made: Set) -> None:
    made.flags["user"] = made.names["user"]
    made.context["user"] = made.rng.choice(["other-user", "", "no such"])


def namespace_flag(made: Set) -> None:
    made.flags["namespace"] = made.rng.choice(["flag", "default", "kube-system"])


def as_flag(made: Set) -> None:
    made.flags["as"] = made.rng.choice(["jane", "system:admin", "Zoë"])


def as_group_flag(made: Set) -> None:
    made.flags.setdefault("as", "joe")
    made.flags["as-group"] = made.rng.choice([("dev",), ("dev", "ops"), ("a b", "ü", "dev")])


def context_namespace(made: Set) -> None:
    made.context["namespace"] = made.rng.choice(["shop", "default", "team-1"])


def ca_file(made: Set) -> None:
    made.cluster.pop("certificate-authority-data", None)
    made.cluster["certificate-authority"] = made.rng.choice(
        ["ca.pem", "./bundle.pem", "@FOLDER@/certs/ca.pem"]
    )
    made.files.append(File(path="certs/none", raw=""))


def insecure(made: Set) -> None:
    made.cluster.pop("certificate-authority-data", None)
    made.cluster.pop("certificate-authority", None)
    made.cluster["insecure-skip-tls-verify"] = True


def server_name(made: Set) -> None:
    made.cluster["tls-server-name"] = made.rng.choice(
        ["kubernetes", "kube.invalid", "127.0.0.1", "wrong.invalid"]
    )


def proxy_url(made: Set) -> None:
    made.cluster["proxy-url"] = made.rng.choice(
        [
            "http://127.0.0.1:@PROXY@",
            "http://me:p%40ss@127.0.0.1:@PROXY@",
            "HTTP://localhost:@PROXY@/",
            "https://127.0.0.1:@TLSPROXY@",
        ]
    )


def environment_proxy(made: Set) -> None:
    made.cluster["server"] = made.rng.choice(
        ["https://kube.invalid:@TLS@", "https://127.0.0.1:@TLS@", "https://kube.invalid"]
    )
    name = made.rng.choice(["HTTPS_PROXY", "https_proxy"])
    made.environ[name] = made.rng.choice(
        ["http://127.0.0.1:@PROXY@", "127.0.0.1:@PROXY@", "http://u:p@localhost:@PROXY@"]
    )
    made.environ["NO_PROXY"] = made.rng.choice(
        ["", "", "other", "127.0.0.0/8", ".invalid:1", "*.kube.invalid", "e.invalid,1"]
    )


def server_with_path(made: Set) -> None:
    made.cluster["server"] += made.rng.choice(
        ["/", "//", "/k8s/clusters/c-1", "/a//b/../c/", "/q?x=1#y", "?x=1", "/a%2Fb%20c", "/~!'(*)"]
    )


def server_without_tls(made: Set) -> None:
    made.cluster["server"] = made.rng.choice(
        ["http://127.0.0.1:@PLAIN@", "HTTP://localhost:@PLAIN@/x"]
    )


def server_without_scheme(made: Set) -> None:
    made.cluster["server"] = made.rng.choice(
        ["127.0.0.1:@PLAIN@", "localhost:@PLAIN@/", "127.0.0.1:@TLS@", "localhost:@PLAIN@/path"]
    )


def upper_case_scheme(made: Set) -> None:
    made.cluster["server"] = made.cluster["server"].replace("https:", "HTTPS:")


def unknown_fields(made: Set) -> None:
    made.cluster |= {"serverr": 7, "Server": [1], "extensions": [{"name": "x", "extension": {}}]}
    made.user |= {"Token": {}, "future": None}
    made.context |= {"extensions": [{"name": "minikube", "extension": {"y": 1}}], "n": 1.5}


def nulls(made: Set) -> None:
    made.cluster |= {"tls-server-name": None, "extensions": None}
    made.user |= {"as": None, "exec": None, "auth-provider": None, "as-groups": None}
    made.context |= {"namespace": None}


def odd_scalars(made: Set) -> None:
    """Write the file by hand: what looks like a number, a date or a boolean and is text."""
    made.context["namespace"] = made.rng.choice(["12:34:56", "2024-01-01", "1_0:3", "0o9", "1.2.3"])

    def edit(made: Set) -> None:
        for file in made.files:
            if file.raw is None:
                file.style = "plain-namespace"

    made.edits.append(edit)


def empty_names(made: Set) -> None:
    made.names = dict.fromkeys(made.names, "")
    made.context |= {"cluster": "", "user": ""}
    made.current = made.rng.choice(["", None])


FEATURES: dict[str, Callable[[Set], Any]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        several_files, missing_file, empty_file, relative_list, odd_list, conflicting_entries,
        conflicting_current, explicit_file, default_file, context_flag, cluster_flag, user_flag,
        namespace_flag, as_flag, as_group_flag, context_namespace, ca_file, insecure, server_name,
        proxy_url, environment_proxy, server_with_path, server_without_tls, server_without_scheme,
        upper_case_scheme, unknown_fields, nulls, odd_scalars, empty_names,
    )
} | features_user.FEATURES | features_flags.FEATURES | features_broken.FEATURES  # fmt: skip

FATAL = frozenset(features_broken.FEATURES)
"""Features that make most sets an error: never drawn by chance."""

EARLY = ("several-files", "empty-names")
"""Features that others build upon."""
