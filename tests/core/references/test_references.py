from __future__ import annotations

from typing import Any

import pytest

from backout.core.kubernetes.managed_fields import Change
from backout.core.references import references
from backout.core.references.references import Named, Reference, Referent, Use, lacking
from tests.objects.templates import template
from tests.objects.times import NOW, ago


def uses(spec: dict[str, Any] | None = None, **container: Any) -> list[tuple[str, str, bool]]:
    made = template(**container)
    made["spec"].update(spec or {})
    found = references.of_template(made)
    return [
        (str(u.reference), u.key, u.optional)
        for u in found
        if u.reference.kind is not Referent.SERVICE_ACCOUNT
    ]


KEY = {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
PROJECTED = {
    "name": "v",
    "projected": {
        "sources": [
            {"configMap": {"name": "c", "items": [{"key": "k"}]}},
            {"secret": {"name": "s", "optional": True}},
        ]
    },
}


@pytest.mark.parametrize(
    ("spec", "container", "found"),
    [
        ({}, {"env": [KEY]}, [("ConfigMap c", "k", False)]),
        (
            {},
            {"envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}]},
            [("Secret s", "", False), ("ConfigMap c", "", False)],
        ),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            {},
            [("Secret s", "", False)],
        ),
        (
            {"volumes": [PROJECTED]},
            {},
            [("ConfigMap c", "", False), ("ConfigMap c", "k", False), ("Secret s", "", True)],
        ),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "p"}}]},
            {},
            [("PersistentVolumeClaim p", "", False)],
        ),
        (
            {"priorityClassName": "high", "runtimeClassName": "gvisor"},
            {},
            [("PriorityClass high", "", False), ("RuntimeClass gvisor", "", False)],
        ),
        (
            {"volumes": [{"name": "v", "csi": {"nodePublishSecretRef": {"name": "s"}}}]},
            {},
            [("Secret s", "", False)],
        ),
        ({"initContainers": [{"name": "i", "env": [KEY]}]}, {}, [("ConfigMap c", "k", False)]),
        ({"volumes": [{"name": "v", "emptyDir": {}}]}, {"env": [{"name": "A"}]}, []),
    ],
)
def test_every_place_that_names_something_is_found(
    spec: dict[str, Any], container: dict[str, Any], found: list[tuple[str, str, bool]]
) -> None:
    assert uses(spec, **container) == found


def test_the_service_account_is_default_where_none_is_named() -> None:
    named = [u.reference.name for u in references.of_template(template())]

    assert named == ["default"]


USE = Use(reference=Reference(kind=Referent.CONFIG_MAP, name="c"), by="container app", key="k")


def test_what_is_gone_and_what_lacks_the_key_is_told() -> None:
    assert lacking(USE, Named(exists=False)) == "ConfigMap c does not exist; container app needs it"
    lost = Named(exists=True, keys=frozenset({"other"}), are_all=True)
    assert lacking(USE, lost) == "ConfigMap c has no key k; container app needs it"


def test_what_is_there_or_optional_or_cannot_be_told_lacks_nothing() -> None:
    assert lacking(USE, Named(exists=True, keys=frozenset({"k"}), are_all=True)) == ""
    assert lacking(USE, Named(exists=True, keys=frozenset({"other"}))) == ""
    optional = Use(reference=USE.reference, by="x", key="k", optional=True)
    assert lacking(optional, Named(exists=False)) == ""


def test_a_claim_that_no_new_pod_can_use_is_told() -> None:
    use = Use(reference=Reference(kind=Referent.CLAIM, name="data"), by="volume data")
    named = Named(exists=True, unusable="is being deleted")

    assert lacking(use, named) == (
        "PersistentVolumeClaim data is being deleted; volume data needs it"
    )


def test_a_key_that_may_lack_is_untold_where_managed_fields_do_not_show_all() -> None:
    made = template()
    source = {"configMapKeyRef": {"name": "n", "key": "k"}}
    optional = {"configMapKeyRef": {"name": "o", "key": "k", "optional": True}}
    env = [{"name": "A", "valueFrom": source}, {"name": "B", "valueFrom": optional}]
    made["spec"]["containers"][0]["env"] = env
    other = Reference(kind=Referent.CONFIG_MAP, name="o")

    def untold(**named: Any) -> list[str]:
        known = Named(**{"exists": True, **named})
        return [str(r) for r in references.untold(made, {CONFIG: known, other: known})]

    assert untold(keys=frozenset({"other"})) == ["ConfigMap n"]
    assert untold(keys=frozenset({"other"}), are_all=True) == []
    assert untold(keys=frozenset({"k"})) == []
    assert untold(exists=False) == []
    assert references.untold(made, {}) == ()


CONFIG, SECRET = (Reference(kind=k, name="n") for k in (Referent.CONFIG_MAP, Referent.SECRET))
CLAIM = Reference(kind=Referent.CLAIM, name="n")
OF_ALL = {
    "volumes": [
        {"name": "a", "configMap": {"name": "n"}},
        {"name": "b", "secret": {"secretName": "n"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "n"}},
    ]
}


def of_all() -> dict[str, Any]:
    made = template()
    made["spec"].update(OF_ALL)
    return made


def test_versions_are_those_of_the_config_maps_and_secrets_that_it_uses_and_that_were_read() -> (
    None
):
    other = Reference(kind=Referent.CONFIG_MAP, name="another")
    found = {one: Named(exists=True, version="7") for one in (CONFIG, SECRET, CLAIM, other)}

    assert references.versions(of_all(), found) == {"ConfigMap/n": "7", "Secret/n": "7"}
    assert references.versions(of_all(), {CONFIG: Named(exists=False)}) == {}
    assert references.versions(of_all(), {}) == {}


def test_what_was_written_since_or_cannot_be_told_is_not_known_to_be_unchanged() -> None:
    def written(**before: float) -> Named:
        return Named(exists=True, changed=Change(at=ago(**before), by="ci"))

    kept = references.unchanged_since({CONFIG: written(minutes=1)}, NOW)

    assert set(kept) == {CONFIG}
    assert references.unchanged_since({CONFIG: written(seconds=0.5)}, NOW) == {}
    assert references.unchanged_since({CONFIG: written(minutes=-1)}, NOW) == {}
    assert references.unchanged_since({CONFIG: Named(exists=True, version="7")}, NOW) == {}
