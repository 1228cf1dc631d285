from __future__ import annotations

from typing import Any

import pytest

from backout.core.images.names import ImageAnswer, ImageState
from backout.core.model import Severity, Skipped
from backout.core.preflight.snapshot import Need
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import preflight
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template

V2 = "reg.example/app:v2"
ASKED = ("PF301", "PF302", "PF303", "PF304", "PF306")


def answer(state: ImageState, image: str = V2) -> dict[str, ImageAnswer]:
    return {image: ImageAnswer(image=image, state=state, detail=f"the registry on {image}")}


@pytest.mark.parametrize(
    ("state", "pods", "ids"),
    [
        (ImageState.EXISTS, {}, ()),
        (ImageState.MISSING, {}, ("PF302",)),
        (ImageState.MISSING, {"pods": ()}, ("PF301",)),
        (ImageState.DENIED, {"pods": ()}, ("PF303",)),
        (ImageState.UNREACHABLE, {"pods": ()}, ("PF304",)),
        (ImageState.INVALID, {"pods": ()}, ("PF306",)),
    ],
)
def test_what_the_registry_says_decides(
    state: ImageState, pods: dict[str, Any], ids: tuple[str, ...]
) -> None:
    seen = preflight(images=answer(state), **pods)
    assert tuple(one for one in ASKED if found_by(one, seen)) == ids


def test_a_missing_image_blocks_when_pods_must_be_started() -> None:
    too_few = (pod("web-2-a", of="web-2"), pod("web-2-b", of="web-2"))
    (found,) = found_by("PF301", preflight(images=answer(ImageState.MISSING), pods=too_few))
    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert found.message == f"an image of revision 2 is gone: the registry on {V2}"
    assert found.risk


def test_a_missing_image_that_enough_pods_run_warns_and_says_how_many() -> None:
    (found,) = found_by("PF302", preflight(images=answer(ImageState.MISSING)))
    assert found.severity is Severity.WARN
    assert "3 Pods still run it; a rescheduled one could not start" in found.message


def test_with_no_replicas_nobody_is_said_to_run_it() -> None:
    seen = preflight(
        images=answer(ImageState.MISSING),
        pods=(),
        workload=deployment(template("reg.example/app:v3"), replicas=0),
    )
    (found,) = found_by("PF302", seen)
    assert "0 Pods" not in found.message
    assert found_by("PF301", seen) == ()


@pytest.mark.parametrize("one", ["PF303", "PF304", "PF306"])
def test_every_other_answer_only_warns(one: str) -> None:
    states = {
        "PF303": ImageState.DENIED,
        "PF304": ImageState.UNREACHABLE,
        "PF306": ImageState.INVALID,
    }
    (found,) = found_by(one, preflight(images=answer(states[one]), pods=()))
    assert (found.id, found.severity) == (one, Severity.WARN)
    assert V2 in found.message


def test_each_image_is_a_finding_of_its_own() -> None:
    both = answer(ImageState.MISSING) | answer(ImageState.MISSING, "reg.example/side:v2")
    assert len(found_by("PF301", preflight(images=both, pods=()))) == 2


@pytest.mark.parametrize("one", ASKED)
def test_where_no_registry_could_be_asked_in_time_it_is_skipped_with_the_reason(one: str) -> None:
    seen = preflight(unreadable={Need.IMAGES: "not done within 3 s"})
    skipped = result_of(one, seen)
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "images: not done within 3 s"


def test_a_missing_image_only_warns_where_the_pods_cannot_be_read() -> None:
    seen = preflight(
        images=answer(ImageState.MISSING), pods=(), unreadable={Need.PODS: "403 for pods"}
    )

    assert isinstance(result_of("PF301", seen), Skipped)
    (found,) = found_by("PF302", seen)
    assert "whether Pods still run it could not be read" in found.message


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("nginx", "no tag"),
        ("reg.example/app", "no tag"),
        ("reg.example/app:latest", "the tag latest"),
        ("reg.example/app:v2", ""),
        ("reg.example/app@sha256:" + "a" * 64, ""),
        ("reg.example/app:latest@sha256:" + "a" * 64, ""),
        ("Not An Image", ""),
    ],
)
def test_a_tag_that_moves_is_warned_about(image: str, words: str) -> None:
    seen = preflight(stored=(replica_set(2, image), replica_set(3)))
    found = found_by("PF305", seen)
    assert len(found) == bool(words)
    for one in found:
        assert one.severity is Severity.WARN
        assert f"image {image} has {words}" in one.message


def node(name: str, *images: str, **spec: Any) -> dict[str, Any]:
    listed = [{"names": list(images)}]
    return {"metadata": {"name": name}, "spec": spec, "status": {"images": listed}}


def starting(policy: str, nodes: tuple[Any, ...]) -> Any:
    """Return a preflight in which Pods of revision 2 must be started and its image is gone."""
    made = replica_set(2)
    made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = policy
    return preflight(
        stored=(made, replica_set(3)),
        pods=(),
        nodes=nodes,
        images=answer(ImageState.MISSING),
    )


HELD, BARE = node("n1", V2), node("n2")
CORDONED = node("n3", unschedulable=True)


@pytest.mark.parametrize(
    ("policy", "nodes", "one", "words"),
    [
        ("Never", (), "PF302", "its pull policy is Never"),
        ("Never", (BARE,), "PF302", "its pull policy is Never"),
        ("IfNotPresent", (HELD,), "PF302", "each node that may take its Pods holds it"),
        ("IfNotPresent", (HELD, CORDONED), "PF302", "each node that may take its Pods holds it"),
        ("IfNotPresent", (HELD, BARE), "PF301", ""),
        ("IfNotPresent", (), "PF301", ""),
        ("Always", (HELD,), "PF301", ""),
    ],
)
def test_what_pods_start_without_the_registry_only_warns(
    policy: str, nodes: tuple[Any, ...], one: str, words: str
) -> None:
    seen = starting(policy, nodes)

    assert [i for i in ("PF301", "PF302") if found_by(i, seen)] == [one]
    (found,) = found_by(one, seen)
    assert words in found.message
