"""Owners on the real cluster: the line that is printed finds the object that must be corrected."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.cluster.checks.test_remedies import check
from tests.cluster.command import run
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.space import Space

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group: str, kind: str, version: str) -> dict[str, Any]:
    singular = kind.lower()
    names = {"plural": f"{singular}s", "singular": singular, "kind": kind}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": [{**served, "name": version}],
        },
    }


@contextmanager
def defined(space: Space, group: str, kind: str, version: str) -> Iterator[None]:
    """Define another's kind, and take it away."""
    made = definition(group, kind, version)
    crd = f"crd/{made['metadata']['name']}"
    space.api.call("POST", CRDS, made)
    try:
        space.kubectl("wait", crd, "--for=condition=Established", "--timeout=30s").expect(0)
        yield
    finally:
        space.kubectl("delete", crd, "--timeout=30s").expect(0)


def own(
    space: Space, group: str, kind: str, name: str, spec: dict[str, Any], *, version: str = "v1"
) -> str:
    """Make an object of a kind that is there until the test ends; return its UID."""
    space.until_closed(defined(space, group, kind, version))
    api = f"{group}/{version}"
    path = f"/apis/{api}/namespaces/{space.name}/{kind.lower()}s"
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}
    return str(space.api.call("POST", path, body)["metadata"]["uid"])


def remedy(space: Space, one: str, code: int) -> str:
    ran = check(space).expect(code)
    found = [e for e in ran.events if e["event"] in {"finding", "blocked"} and e["id"] == one]
    assert len(found) == 1, str(ran)
    return str(found[0]["remedy"])


def test_the_line_of_an_operator_opens_the_object_that_its_template_comes_from(
    space: Space,
) -> None:
    group = f"{space.name}.example.com"
    uid = own(space, group, "Storefront", "main", {"image": space.image("missing")})
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    owner = {"apiVersion": f"{group}/v1", "kind": "Storefront", "name": "main", "uid": uid}
    space.merge({"metadata": {"ownerReferences": [{**owner, "controller": True}]}})
    line = remedy(space, "PF401", 3).partition("roll back with its own tool: ")[2]
    editor = "sed -i s/app:missing/app:v1/"
    run(["bash", "-c", line], {**space.environment, "KUBE_EDITOR": editor}).expect(0)

    path = f"/apis/{group}/v1/namespaces/{space.name}/storefronts/main"
    assert space.api.call("GET", path)["spec"]["image"] == space.image("v1")


def test_the_line_of_a_k3s_addon_names_the_file_that_is_applied(space: Space) -> None:
    source = "/var/lib/rancher/k3s/server/manifests/shop.yaml"
    own(space, "k3s.cattle.io", "Addon", SHOP, {"source": source})
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    prefix = "objectset.rio.cattle.io"
    notes = {"id": "", "owner-name": SHOP, "owner-namespace": space.name}
    notes["owner-gvk"] = "k3s.cattle.io/v1, Kind=Addon"
    space.merge({"metadata": {"annotations": {f"{prefix}/{k}": v for k, v in notes.items()}}})
    words = remedy(space, "PF402", 0)
    line = words.partition("correct the manifest that ")[2].removesuffix(" names")

    assert run(["bash", "-c", line], space.environment).expect(0).out == source
