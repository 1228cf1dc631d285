from __future__ import annotations

from typing import Any

from hypothesis import given

from backout.core.heal.field_sets import parsed
from backout.core.heal.hand_back import handed_back, is_kept, is_ours, operations, owners_of
from tests.core.heal.manifests import manifests
from tests.objects.managed_fields import entry, fields_of, patched, workload

APP = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}')
STATUS = entry("kube-controller-manager", [("f:status",)], operation="Update") | {
    "subresource": "status"
}


def pod(*volumes: Any, **container: Any) -> Any:
    return {"spec": {"containers": [{"name": "app", **container}], "volumes": list(volumes)}}


def env(**values: str) -> Any:
    return [{"name": n, "value": v} for n, v in values.items()]


def variable(name: str) -> Any:
    return (*APP, "f:env", f'k:{{"name":"{name}"}}')


def healed(before: Any, after: Any) -> Any:
    """Return the managers' sets when the fields are handed back."""
    found = handed_back(after, owners_of(before))
    assert found is not None
    return {e["manager"]: parsed(e["fieldsV1"]) for e in found.entries}


def rolled_back(old: Any, *entries: Any, bad: Any) -> Any:
    before = workload(bad, *entries, STATUS)
    return healed(before, patched(before, old))


@given(manifests(), manifests())
def test_who_alone_applies_has_what_the_old_manifest_says_and_backout_nothing(
    old: Any, bad: Any
) -> None:
    before = workload(bad, entry("ci", fields_of(bad)), STATUS)
    after = patched(before, old)
    found = handed_back(after, owners_of(before))
    entries = found.entries if found else after["metadata"]["managedFields"]
    sets = {e["manager"]: parsed(e["fieldsV1"]) for e in entries}

    assert sets["ci"] == fields_of(old)
    assert sets["backout"] == {("f:metadata", "f:annotations", "f:backout.dev/operation")}
    assert sets["kube-controller-manager"] == {("f:status",)}


@given(manifests(), manifests())
def test_it_is_done_once_and_a_second_look_finds_nothing_more(old: Any, bad: Any) -> None:
    before = workload(bad, entry("ci", fields_of(bad)))
    after = patched(before, old)
    found = handed_back(after, owners_of(before))
    if found is not None:
        after["metadata"]["managedFields"] = list(found.entries)

    assert not is_ours(after)
    assert handed_back(after, owners_of(before)) is None


def test_rule_1_all_who_applied_a_field_have_it_again() -> None:
    image = (*APP, "f:image")
    sets = rolled_back(
        pod(image="v1"),
        entry("ci", fields_of(pod(image="v2"))),
        entry("mesh", [APP, image]),
        bad=pod(image="v2"),
    )

    assert image in sets["ci"]
    assert sets["mesh"] == {APP, image}


def test_rule_2_what_was_set_by_hand_is_nobodys() -> None:
    image = (*APP, "f:image")
    applied = fields_of(pod(args=["a"]))
    sets = rolled_back(
        pod(image="v1", args=["a"]),
        entry("ci", applied),
        entry("kubectl-set", [image], operation="Update"),
        bad=pod(image="v2", args=["a"]),
    )

    assert all(image not in paths for paths in sets.values())
    assert sets["ci"] == applied


def test_rule_3_what_comes_back_is_the_nearest_parents_appliers() -> None:
    sets = rolled_back(
        pod(env=env(OLD="1", SAME="1")),
        entry("ci", fields_of(pod(env=env(SAME="1"))) - {APP, (*APP, "f:name")}, at=1),
        entry("mesh", {APP, (*APP, "f:name")}, at=2),
        bad=pod(env=env(SAME="1")),
    )

    assert variable("OLD") in sets["ci"]
    assert variable("OLD") not in sets["mesh"]


def test_rule_3_of_several_the_one_who_applied_last_has_dropped_it() -> None:
    scratch, mesh = {"name": "scratch", "emptyDir": {}}, {"name": "mesh", "emptyDir": {}}
    injected = fields_of({"spec": {"volumes": [mesh]}})
    sets = rolled_back(
        pod(scratch, mesh),
        entry("ci", fields_of(pod({"name": "data", "emptyDir": {}})), at=2),
        entry("mesh", injected, at=1),
        bad=pod({"name": "data", "emptyDir": {}}, mesh),
    )

    assert sets["mesh"] == injected
    assert any("scratch" in element for path in sets["ci"] for element in path)


def test_what_cannot_be_told_is_nobodys_and_is_said() -> None:
    one, other = {"name": "one", "emptyDir": {}}, {"name": "other", "emptyDir": {}}
    scratch = {"name": "scratch", "emptyDir": {}}
    before = workload(
        {"spec": {"volumes": [one, other]}},
        entry("a", fields_of({"spec": {"volumes": [one]}})),
        entry("b", fields_of({"spec": {"volumes": [other]}})),
    )
    found = handed_back(
        patched(before, {"spec": {"volumes": [one, other, scratch]}}), owners_of(before)
    )

    assert found is not None
    assert found.untold == fields_of({"spec": {"volumes": [scratch]}})
    sets = [parsed(e["fieldsV1"]) for e in found.entries]
    assert all(not (found.untold & paths) for paths in sets)


def test_rule_4_a_struct_that_is_emptied_is_whose_its_fields_were() -> None:
    def volume(**source: str) -> Any:
        return pod({"name": "v", "emptyDir": dict(source)})

    sets = rolled_back(
        volume(), entry("ci", fields_of(volume(medium="Memory"))), bad=volume(medium="Memory")
    )

    assert sets["ci"] == fields_of(volume())


def test_an_applier_who_has_nothing_left_gets_an_entry_of_his_own_again() -> None:
    image = (*APP, "f:image")
    sets = rolled_back(
        pod(image="v1"),
        entry("ci", fields_of(pod())),
        entry("images", [image]),
        bad=pod(image="v2"),
    )

    assert sets["images"] == {image}


def test_what_an_earlier_rollback_took_and_kept_is_handed_back_by_the_next() -> None:
    old, bad = pod(env=env(OLD="1")), pod(env=env(OLD="1"), image="v2")
    unhealed = fields_of(old) - fields_of(pod())
    sets = rolled_back(
        old,
        entry("ci", fields_of(bad) - unhealed),
        entry("backout", unhealed, operation="Update"),
        bad=bad,
    )

    assert sets["ci"] >= fields_of(old)


def test_what_is_not_the_templates_stays_backouts() -> None:
    found = healed(
        before := workload(pod(image="v2"), entry("ci", fields_of(pod(image="v2")))),
        patched(before, pod(image="v1")),
    )

    assert found["backout"] == {("f:metadata", "f:annotations", "f:backout.dev/operation")}


def test_a_change_cause_that_an_applier_sets_meets_no_conflict_either() -> None:
    cause = ("f:metadata", "f:annotations", "f:kubernetes.io/change-cause")
    before = workload(pod(), entry("ci", fields_of(pod()) | {cause}))
    after = workload(
        pod(), entry("ci", fields_of(pod())), entry("backout", [cause], operation="Update")
    )

    assert healed(before, after) == {"ci": fields_of(pod()) | {cause}, "backout": set()}


def test_who_owns_the_annotation_of_client_side_apply_is_an_applier() -> None:
    annotation = (
        "f:metadata",
        "f:annotations",
        "f:kubectl.kubernetes.io/last-applied-configuration",
    )
    old, bad = pod(env=env(OLD="1"), image="v1"), pod(image="v2")
    before = workload(
        bad, entry("kubectl-client-side-apply", {*fields_of(bad), annotation}, operation="Update")
    )
    after = patched(before, old)
    ours = after["metadata"]["managedFields"][-1]
    ours["fieldsV1"]["f:metadata"]["f:annotations"][annotation[-1]] = {}
    del after["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]

    assert healed(before, after)["kubectl-client-side-apply"] >= {*fields_of(old), annotation}


def test_nobody_applies_and_nothing_is_to_be_handed_back() -> None:
    by_hand = entry("kubectl-client-side-apply", fields_of(pod()), operation="Update")

    assert owners_of(workload(pod(), by_hand, STATUS)) == ()


def test_it_is_written_under_the_version_that_was_read_and_no_entry_is_lost() -> None:
    before = workload(pod(image="v2"), entry("ci", fields_of(pod(image="v2"))), STATUS)
    after = patched(before, pod(image="v1"))
    found = handed_back(after, owners_of(before))
    assert found is not None
    ops = operations(after, found.entries)

    assert [op["path"] for op in ops] == [
        "/metadata/uid",
        "/metadata/resourceVersion",
        "/metadata/managedFields",
    ]
    assert ops[1]["value"] == after["metadata"]["resourceVersion"]
    read = [(e["manager"], e.get("time")) for e in after["metadata"]["managedFields"]]
    assert [(e["manager"], e.get("time")) for e in ops[2]["value"]] == read


def test_an_answer_that_lacks_what_was_sent_is_not_taken_for_done() -> None:
    before = workload(pod(image="v2"), entry("ci", fields_of(pod(image="v2"))))
    found = handed_back(patched(before, pod(image="v1")), owners_of(before))
    assert found is not None
    answer = workload(pod(image="v1"), *found.entries)
    more = entry("webhook", [("f:metadata", "f:labels")], operation="Update")

    assert is_kept(found.entries, answer)
    assert is_kept(found.entries, workload(pod(image="v1"), *found.entries, more))
    assert not is_kept(found.entries, workload(pod(image="v1"), *found.entries[1:]))
    assert not is_kept(found.entries, patched(before, pod(image="v1")))
