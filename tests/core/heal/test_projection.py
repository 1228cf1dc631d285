from __future__ import annotations

import copy
from typing import Any

from hypothesis import given

from backout.core.heal.projection import project
from tests.core.heal.manifests import live, manifests


def pod(**spec: Any) -> Any:
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


def container(**fields: Any) -> Any:
    return {"name": "app", **fields}


def is_within(part: Any, whole: Any) -> bool:
    """Tell whether `part` says nothing that `whole` does not."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(k in whole and is_within(v, whole[k]) for k, v in part.items())
    if isinstance(part, list) and part and isinstance(part[0], dict):
        return all(any(is_within(one, other) for other in whole) for one in part)
    return bool(part == whole)


@given(manifests(), manifests())
def test_it_is_the_old_manifest_again_where_the_api_server_added_nothing(
    old: Any, bad: Any
) -> None:
    assert project(old, bad, bad) == old


@given(manifests(), manifests())
def test_it_holds_the_old_manifest_and_nothing_that_is_not_live(old: Any, bad: Any) -> None:
    found = project(live(old), live(bad), bad)

    assert is_within(old, found)
    assert is_within(found, live(old))


@given(manifests())
def test_going_back_to_what_is_live_changes_nothing(manifest: Any) -> None:
    assert project(live(manifest), live(manifest), manifest) == manifest


@given(manifests(), manifests())
def test_what_it_was_made_from_stays_as_it_is(old: Any, bad: Any) -> None:
    made = live(old), live(bad), copy.deepcopy(bad)
    before = copy.deepcopy(made)
    project(*made)

    assert made == before


def test_what_the_bad_manifest_had_dropped_is_in_it_again() -> None:
    old = pod(containers=[container(env=[{"name": "OLD", "value": "1"}])], volumes=[{"name": "v"}])
    bad = pod(containers=[container()])

    assert project(old, bad, bad) == old


def test_what_others_have_put_there_does_not_become_the_manifests() -> None:
    injected = {"name": "proxy", "image": "mesh"}
    by_hand = {"name": "DEBUG", "value": "1"}
    old = pod(containers=[container(image="v1", env=[by_hand]), injected], nodeName="n")
    bad = pod(containers=[container(image="v2", env=[by_hand]), injected], nodeName="n")
    applied = pod(containers=[container(image="v2")])

    assert project(old, bad, applied) == pod(containers=[container(image="v1")])


def test_an_atomic_list_is_the_manifests_where_nothing_changes_and_the_targets_elsewhere() -> None:
    items = [{"key": "k", "path": "p"}]
    volume = {"name": "v", "configMap": {"items": items, "defaultMode": 420}}
    same = pod(containers=[container(args=["a"])], volumes=[volume])
    other = pod(containers=[container(args=["b"])], volumes=[volume])
    applied = pod(
        containers=[container(args=["b"])], volumes=[{"name": "v", "configMap": {"items": items}}]
    )

    assert project(same, other, applied) == pod(
        containers=[container(args=["a"])], volumes=[{"name": "v", "configMap": {"items": items}}]
    )


def test_ports_are_the_same_port_with_or_without_their_default_protocol() -> None:
    there = [{"containerPort": 80, "protocol": "TCP"}]
    old = pod(containers=[container(ports=there, image="v1")])
    bad = pod(containers=[container(ports=there, image="v2")])
    applied = pod(containers=[container(ports=[{"containerPort": 80}], image="v2")])

    assert project(old, bad, applied) == old


def test_a_list_with_one_name_twice_is_taken_as_a_whole() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    old = pod(containers=[container(env=twice)])
    bad = pod(containers=[container(env=[{"name": "A", "value": "3"}])])

    assert project(old, bad, bad) == old


def test_a_restart_by_hand_never_becomes_the_manifests() -> None:
    notes = {"kubectl.kubernetes.io/restartedAt": "now"}
    old = {**pod(containers=[container()])}
    old["metadata"] = {"annotations": {**notes, "cfg": "1"}}
    bad = pod(containers=[container()])

    assert project(old, bad, bad)["metadata"] == {"annotations": {"cfg": "1"}}


def test_a_struct_that_the_rollback_empties_stays_a_choice_of_the_manifests() -> None:
    old = pod(containers=[container()], volumes=[{"name": "v", "emptyDir": {}}])
    bad = pod(containers=[container()], volumes=[{"name": "v", "emptyDir": {"medium": "Memory"}}])

    assert project(old, bad, bad) == old
