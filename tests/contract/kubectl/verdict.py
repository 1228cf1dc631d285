"""Both programs' answers about one set -> what does not agree. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.contract.kubectl.asked import REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.kube.connection import Connection
    from tests.contract.kubectl.asked import Said
    from tests.contract.kubectl.sets import Set, Written


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out for one set; `backout_sent` is an error where nothing could be sent."""

    set: Set
    written: Written
    kubectl_said: Said
    kubectl_sent: Said
    backout_said: Said
    backout_sent: Said

    @property
    def refusal(self) -> str:
        return self.backout_said.error

    @property
    def kubectl_went_to_default(self) -> bool:
        sent = self.kubectl_sent
        return "localhost:8080" in (sent.error or dict(sent.value.headers)["host"])

    @property
    def kubectl_asked_for_a_password(self) -> bool:
        """There is nothing on its stdin, and it waits for no other input."""
        return self.kubectl_sent.error.endswith("error: EOF")

    def disagreements(self) -> Iterator[str]:
        """Yield each fact about which the two differ."""
        ours, theirs = self.backout_sent, self.kubectl_sent
        if bool(ours.error) != bool(theirs.error):
            yield f"kubectl: {theirs.error or 'sent'}\n  backout: {ours.error or 'sent'}"
        elif self.refusal and self.kubectl_went_to_default:
            yield f"kubectl went to localhost:8080, backout said: {self.refusal}"
        elif ours.value != theirs.value:
            yield f"kubectl sent {theirs.value}\n  backout sent {ours.value}"
        replaced = REPLACED - {"cluster", "user"}
        is_comparable = not replaced & set(self.written.flags)
        if is_comparable and not self.refusal and not self.kubectl_said.error:
            yield from self._values(self.backout_said.value, self.kubectl_said.value)

    def _values(self, ours: Connection, view: dict[str, Any]) -> Iterator[str]:
        flags = self.written.flags
        name = flags.get("context") or view["current-context"]
        context = _entry(view, "contexts", name, "context")
        user_name = flags.get("user") or context.get("user") or ""
        cluster_name = flags.get("cluster") or context.get("cluster") or ""
        namespace = flags.get("namespace") or context.get("namespace") or "default"
        cluster = _entry(view, "clusters", cluster_name, "cluster")
        user = _entry(view, "users", user_name, "user")
        facts: dict[str, tuple[Any, Any]] = {
            "context": (name, ours.context),
            "cluster": (cluster_name, ours.cluster),
            "user": (user_name, ours.user),
            "namespace": (namespace, ours.namespace),
        }
        if not cluster or (not user and ours.user == ""):
            facts = {}  # entries without a name: minified away, the requests are compared
        elif "://" in cluster["server"]:
            facts["server"] = (
                urlsplit(cluster["server"]).netloc,
                urlsplit(ours.server).netloc,
            )
        if facts and ours.server.startswith("https:"):
            facts |= self._secrets(ours, cluster, user)
        for fact, (theirs, mine) in facts.items():
            if theirs != mine:
                yield f"{fact}: kubectl has {theirs!r}, backout {mine!r}"

    def _secrets(
        self, ours: Connection, cluster: dict[str, Any], user: dict[str, Any]
    ) -> dict[str, tuple[Any, Any]]:
        pair, proves = ours.credentials.key_pair, ours.credentials
        facts = {"token": (user.get("token", ""), proves.token)}
        if REPLACED & set(self.written.flags):
            return facts  # kubectl did not say what is in the files
        certificate = _decoded(user, "client-certificate-data")
        return facts | {
            "CA": (_decoded(cluster, "certificate-authority-data"), ours.trust.ca or None),
            "certificate": (certificate, pair.certificate if pair else None),
            "key": (
                _decoded(user, "client-key-data") if certificate else None,
                pair.key if pair else None,
            ),
        }


def _decoded(entry: dict[str, Any], name: str) -> bytes | None:
    return base64.b64decode(entry[name]) if name in entry else None


def _entry(view: dict[str, Any], plural: str, name: str, kind: str) -> dict[str, Any]:
    found = [item[kind] for item in view[plural] or () if item["name"] == name]
    return found[0] if found else {}
