from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from backout.core.kubernetes import template
from tests.objects.generated import FULL, at, changed_leaves, leaves, reordered, respelled


@given(reordered(FULL))
def test_the_order_of_keys_does_not_matter(same: Any) -> None:
    assert template.digest(same) == template.digest(FULL)


@given(respelled(FULL))
def test_the_spelling_of_quantities_does_not_matter(same: Any) -> None:
    assert template.same(same, FULL)


@pytest.mark.parametrize("path", leaves(FULL), ids=lambda p: ".".join(map(str, p)))
def test_changing_any_leaf_makes_another_template(path: tuple[Any, ...]) -> None:
    for other in changed_leaves(FULL, path):
        assert template.digest(other) != template.digest(FULL)
        assert not template.same(other, FULL)


@pytest.mark.parametrize("path", leaves(FULL), ids=lambda p: ".".join(map(str, p)))
def test_taking_any_leaf_out_makes_another_template(path: tuple[Any, ...]) -> None:
    other = copy.deepcopy(FULL)
    del at(other, path[:-1])[path[-1]]
    assert template.digest(other) != template.digest(FULL)


def with_field(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(FULL)
    at(made, path[:-1])[path[-1]] = value
    return made


CONTAINER = ("spec", "containers", 0)


@pytest.mark.parametrize(
    ("path", "nothing"),
    [
        (("metadata", "annotations"), {}),
        (("metadata", "creationTimestamp"), None),
        (("spec", "nodeSelector"), {}),
        (("spec", "overhead"), {}),
        (("spec", "tolerations"), []),
        (("spec", "tolerations"), None),
        (("spec", "initContainers"), []),
        ((*CONTAINER, "args"), []),
        ((*CONTAINER, "args"), None),
        ((*CONTAINER, "env"), []),
        ((*CONTAINER, "securityContext"), None),
        (("spec", "containers", 1, "resources"), {}),
        (("spec", "containers", 1, "resources"), {"limits": {}, "requests": {}, "claims": []}),
        (("spec", "containers", 1, "resources"), {"limits": None}),
    ],
)
def test_nil_and_empty_maps_lists_and_structs_are_the_same(
    path: tuple[Any, ...], nothing: Any
) -> None:
    without = copy.deepcopy(FULL)
    at(without, path[:-1]).pop(path[-1], None)
    assert template.digest(with_field(path, nothing)) == template.digest(without)


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "volumes", 0, "emptyDir"),
        ("spec", "securityContext"),
        ("spec", "affinity"),
        (*CONTAINER, "securityContext"),
        (*CONTAINER, "lifecycle"),
        ("spec", "resources"),  # a pointer at the Pod's level, api/core/v1/types.go PodSpec
    ],
)
def test_a_pointer_to_an_empty_struct_is_not_absent(path: tuple[Any, ...]) -> None:
    without = copy.deepcopy(FULL)
    at(without, path[:-1]).pop(path[-1], None)
    assert template.digest(with_field(path, {})) != template.digest(without)


def test_text_that_looks_like_a_quantity_is_compared_as_text() -> None:
    env = (*CONTAINER, "env", 0, "value")
    assert not template.same(with_field(env, "1000m"), with_field(env, "1"))


@pytest.mark.parametrize("key", ["divisor", "sizeLimit", "limits", "cpu"])
@pytest.mark.parametrize(
    "where", [("metadata", "labels"), ("metadata", "annotations"), ("spec", "nodeSelector")]
)
def test_a_label_named_like_a_quantity_is_compared_as_text(
    where: tuple[str, ...], key: str
) -> None:
    one, other = with_field(where, {key: "1"}), with_field(where, {key: "1000m"})
    assert not template.same(one, other)


def test_an_absent_divisor_is_the_divisor_zero() -> None:
    path = (*CONTAINER, "env", 1, "valueFrom", "resourceFieldRef")
    without = with_field(path, {"resource": "limits.cpu"})
    assert template.same(without, with_field(path, {"resource": "limits.cpu", "divisor": "0"}))


def test_the_order_of_containers_and_env_matters() -> None:
    for path in (("spec", "containers"), (*CONTAINER, "env")):
        turned = with_field(path, at(FULL, path)[::-1])
        assert not template.same(turned, FULL)


def test_the_label_of_the_controller_is_ignored() -> None:
    hashed = with_field(("metadata", "labels", "pod-template-hash"), "5d9c7b")
    assert template.digest(hashed) == template.digest(FULL)
    assert template.without_hash(hashed) == FULL
    only = {"metadata": {"labels": {"pod-template-hash": "x"}}, "spec": {}}
    assert template.same(only, {"metadata": {}, "spec": {}})
    assert template.same(only, {"spec": {}})


def test_taking_the_label_out_leaves_the_given_template_alone() -> None:
    hashed = with_field(("metadata", "labels", "pod-template-hash"), "5d9c7b")
    before = copy.deepcopy(hashed)
    template.without_hash(hashed)
    template.normalise(hashed)
    assert hashed == before


def test_a_field_nobody_knows_counts_and_survives() -> None:
    strange = with_field(("spec", "fieldOf2031"), {"deep": [{"er": 1}], "empty": {}})
    assert not template.same(strange, FULL)
    assert template.without_hash(strange)["spec"]["fieldOf2031"] == {
        "deep": [{"er": 1}],
        "empty": {},
    }


def test_the_digest_is_sha256_in_hex_and_takes_any_text() -> None:
    assert len(template.digest(FULL)) == 64
    strange = with_field(("metadata", "annotations", "x"), "\ud800 \x00 💥")
    assert int(template.digest(strange), 16)


def test_images_are_told_by_container_name_those_of_init_containers_too() -> None:
    assert template.images(FULL) == {
        "init": "reg.example/init:v1",
        "app": "reg.example/app:v1",
        "side": "reg.example/side@sha256:" + "a" * 64,
    }
    assert template.images({"spec": {}}) == {}


def test_an_image_that_several_containers_name_is_told_once() -> None:
    names = ("reg.example/a:v1", "reg.example/b:v2", "reg.example/a:v1")
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(names)]

    told = template.images_in_words({"spec": {"containers": containers}})
    assert told == "image reg.example/a:v1, reg.example/b:v2"
