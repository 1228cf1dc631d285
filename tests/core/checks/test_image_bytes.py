"""Moved tags, platforms and `--pin`: what ran, what a tag is now, and what the nodes are."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.history.choice import Choice
from backout.core.images.names import ImageAnswer, ImageState, IndexEntry
from backout.core.kubernetes.template import digest
from backout.core.ledger.records import Side
from backout.core.model import Finding, Severity, Skipped
from backout.core.plan.plan import next_candidate
from backout.core.plan.selection import ON_TARGET, select
from backout.core.preflight.request import Request
from backout.core.preflight.snapshot import Need, Preflight
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import lease, preflight, record, snapshot
from tests.objects.deployments import deployment
from tests.objects.nodes import node
from tests.objects.pods import container_status, pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template

IMAGE = "reg.example/app:v2"
RAN, NOW, OTHER = ("sha256:" + c * 64 for c in "abc")
BY_DIGEST = f"reg.example/app@{RAN}"
INDEX = "application/vnd.oci.image.index.v1+json"


def answer(
    image: str = IMAGE, state: ImageState = ImageState.EXISTS, **more: Any
) -> dict[str, ImageAnswer]:
    return {image: ImageAnswer(image=image, state=state, detail="the registry", **more)}


def entries(*pairs: tuple[str, str]) -> tuple[IndexEntry, ...]:
    return tuple(IndexEntry(digest=d, platform=p) for d, p in pairs)


def running(image_id: str = f"reg.example/app@{RAN}", count: int = 3) -> tuple[Any, ...]:
    status = container_status(imageID=image_id)
    return tuple(pod(f"web-2-{n}", of="web-2", containers=(status,)) for n in range(count))


def remembered(**images: str) -> Any:
    """Return a Lease that remembers what revision 2 ran when it was healthy."""
    known = digest(template("reg.example/app:v2"))
    side = Side(revision=2, hash=known, images=images)
    return lease(record(destination=side, health="Healthy"))


def on(*platforms: str, **more: Any) -> Preflight:
    """Return a preflight whose image is an index for these platforms."""
    listed = entries(*((OTHER, p) for p in platforms))
    images = answer(digest=NOW, media_type=INDEX, entries=listed)
    return preflight(**{"images": images, "nodes": (node(),), **more})


def aimed(template_spec: dict[str, Any], **more: Any) -> Preflight:
    """Return a preflight without Pods whose target has this in its Pods' spec; an arm index."""
    made = replica_set(2)
    made["spec"]["template"]["spec"].update(template_spec)
    return on("linux/arm64", stored=(made, replica_set(3)), pods=(), **more)


def chosen(**changes: Any) -> Choice | Finding:
    return select(snapshot(**changes), Request(pin=True))


def test_a_tag_that_is_other_bytes_than_those_that_ran_blocks() -> None:
    seen = preflight(
        images=answer(digest=NOW),
        ran_images=answer(BY_DIGEST),
        pods=running(),
        policy={"command": ("undo", "deploy/web")},
    )
    (found,) = found_by("PF307", seen)

    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert "revision 2 ran sha256:aaaaaaaaaaaa…, the tag is sha256:bbbbbbbbbbbb… now" in (
        found.message
    )
    assert (RAN in found.detail, NOW in found.detail) == (True, True)
    assert found.remedy == "to run what ran: backout undo deploy/web --pin"


def test_the_ledger_tells_what_ran_where_no_pod_does() -> None:
    seen = preflight(images=answer(digest=NOW), pods=(), lease=remembered(app=RAN))
    (found,) = found_by("PF307", seen)
    assert "if the registry has it still: backout undo deployment/web -n shop --pin" in found.remedy


def test_digests_are_compared_within_one_repository_also_where_the_ledger_tells_them() -> None:
    known = remembered(app=f"mirror.example/app@{RAN}")
    seen = preflight(images=answer(digest=NOW), pods=(), lease=known)
    assert found_by("PF307", seen) == ()

    there = answer(BY_DIGEST, digest=RAN)
    seen = preflight(images=answer(digest=NOW), ran_images=there, pods=(), lease=known)
    assert found_by("PF307", seen), "its own repository has that digest, too"


def test_what_its_pods_run_outranks_what_the_ledger_remembers() -> None:
    seen = preflight(images=answer(digest=NOW), pods=running(), lease=remembered(app=NOW))
    assert found_by("PF307", seen)


def test_where_the_old_bytes_are_gone_too_pinning_is_not_offered() -> None:
    gone = answer(BY_DIGEST, ImageState.MISSING)
    seen = preflight(images=answer(digest=NOW), ran_images=gone, pods=running())
    (found,) = found_by("PF307", seen)
    assert "--pin" not in found.remedy


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ({"digest": RAN}, None),
        ({"digest": NOW, "entries": entries((RAN, "linux/amd64"))}, None),
        ({"digest": NOW}, {"digest": RAN, "entries": entries((NOW, "linux/amd64"))}),
        (
            {"digest": NOW, "entries": entries((OTHER, "linux/amd64"), (NOW, ""))},
            {"digest": RAN, "entries": entries((OTHER, "linux/amd64"), (RAN, ""))},
        ),
        ({"digest": NOW, "media_type": INDEX, "unread": "500"}, None),
        ({}, None),
    ],
    ids=[
        "same",
        "the runtime told the platform's manifest",
        "the index was flattened",
        "other attestations",
        "an index that could not be read",
        "no digest told",
    ],
)
def test_the_same_bytes_are_no_moved_tag(now: dict[str, Any], then: dict[str, Any] | None) -> None:
    seen = preflight(
        images=answer(**now),
        ran_images=answer(BY_DIGEST, **then) if then else {},
        pods=running(),
    )
    assert found_by("PF307", seen) == ()


@pytest.mark.parametrize(
    "image_id", ["", RAN, "reg.example/app@sha256:short", "reg.example/app@" + "x" * 90]
)
def test_an_image_id_without_a_digest_tells_nothing(image_id: str) -> None:
    assert found_by("PF307", preflight(images=answer(digest=NOW), pods=running(image_id))) == ()


def test_a_mutable_tag_is_warned_about_only_where_nothing_tells_what_ran() -> None:
    sets = (replica_set(2, "reg.example/app:latest"), replica_set(3))
    assert found_by("PF305", preflight(stored=sets))
    assert found_by("PF305", preflight(stored=sets, pods=running())) == ()


def test_an_index_without_the_nodes_platform_blocks_when_pods_must_be_started() -> None:
    (found,) = found_by("PF308", on("linux/arm64", pods=()))
    assert found.severity is Severity.BLOCK
    assert "is there for linux/arm64 only; the nodes that may take its Pods are linux/amd64" in (
        found.message
    )


def test_an_index_without_the_nodes_platform_warns_while_enough_pods_run() -> None:
    seen = on("linux/arm64")
    (found,) = found_by("PF309", seen)
    assert (found.severity, found_by("PF308", seen)) == (Severity.WARN, ())


@pytest.mark.parametrize("platforms", [("linux/amd64",), ("linux/amd64", "linux/arm64"), ()])
def test_an_index_with_the_nodes_platform_is_clean(platforms: tuple[str, ...]) -> None:
    seen = on(*platforms, pods=())
    assert (found_by("PF308", seen), found_by("PF309", seen)) == ((), ())


def test_where_only_some_nodes_lack_the_platform_it_warns() -> None:
    seen = on("linux/amd64", pods=(), nodes=(node(), node("n2", platform="linux/arm64")))
    (found,) = found_by("PF309", seen)
    assert "nodes of linux/arm64 may take its Pods, too" in found.message
    assert found_by("PF308", seen) == ()


ARM = [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("spec", "amd"),
    [
        ({"nodeSelector": {"kubernetes.io/arch": "arm64"}}, {}),
        (
            {
                "affinity": {
                    "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": ARM}]}}
                }
            },
            {},
        ),
        ({}, {"unschedulable": True}),
        ({}, {"taints": [{"key": "only", "value": "batch", "effect": "NoSchedule"}]}),
    ],
)
def test_nodes_that_cannot_take_its_pods_do_not_count(
    spec: dict[str, Any], amd: dict[str, Any]
) -> None:
    nodes = (node(**amd), node("n2", platform="linux/arm64"))
    seen = aimed(spec, nodes=nodes)
    assert (found_by("PF308", seen), found_by("PF309", seen)) == ((), ())


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "only", "operator": "Exists"},
        {"key": "only", "value": "batch"},
    ],
)
def test_a_node_whose_taint_is_tolerated_counts(toleration: dict[str, str]) -> None:
    tainted = node(taints=[{"key": "only", "value": "batch", "effect": "NoSchedule"}])
    assert found_by("PF308", aimed({"tolerations": [toleration]}, nodes=(tainted,)))


@pytest.mark.parametrize("one", ["PF308", "PF309"])
@pytest.mark.parametrize("need", [Need.NODES, Need.IMAGES])
def test_what_could_not_be_read_is_skipped(one: str, need: Need) -> None:
    assert isinstance(result_of(one, on("linux/arm64", unreadable={need: "403"})), Skipped)


def test_a_node_that_holds_a_missing_image_is_named_beside_the_answer() -> None:
    holder = node()
    holder["status"]["images"] = [{"names": [IMAGE, f"reg.example/app@{RAN}"]}]
    gone = answer(state=ImageState.MISSING)
    (found,) = found_by("PF301", preflight(images=gone, pods=(), nodes=(holder,)))
    assert found.detail == "a node still holds it"
    (bare,) = found_by("PF301", preflight(images=gone, pods=(), nodes=(node(),)))
    assert bare.detail == ""


def test_pull_secrets_that_could_not_be_used_are_named_with_the_denial() -> None:
    notes = ("Secret shop/pull could not be read: forbidden",)
    seen = preflight(images=answer(state=ImageState.DENIED), pull_notes=notes)
    (found,) = found_by("PF303", seen)
    assert found.message.endswith("the registry; Secret shop/pull could not be read: forbidden")


def test_where_only_the_tag_is_gone_pinning_is_offered() -> None:
    seen = preflight(
        images=answer(state=ImageState.MISSING),
        ran_images=answer(BY_DIGEST),
        pods=running(count=1),
    )
    (found,) = found_by("PF301", seen)
    assert f"{BY_DIGEST} is still there: backout undo deployment/web -n shop --pin" in found.remedy


def test_pinning_takes_the_images_by_the_digests_that_ran_as_another_revision() -> None:
    choice = chosen(pods=running())
    assert isinstance(choice, Choice)
    assert choice.unpinned is not None

    (container,) = choice.revision.template["spec"]["containers"]
    assert container["image"] == BY_DIGEST
    assert choice.revision.number == choice.unpinned.number == 2
    assert choice.revision.hash == digest(choice.revision.template) != choice.unpinned.hash
    assert (choice.revision.pods, choice.revision.ready) == ((), 0)


def test_what_is_pinned_is_no_moved_tag_and_nothing_is_unknown() -> None:
    choice = chosen(pods=running())
    assert isinstance(choice, Choice)
    seen = snapshot(images=answer(digest=NOW), pods=running())
    pinned = Preflight(
        snapshot=seen, policy=Request(pin=True), revisions=seen.revisions, choice=choice
    )
    assert (found_by("PF307", pinned), found_by("PF310", pinned)) == ((), ())
    assert "next candidate, revision 1 (" in next_candidate(pinned, seen)


def test_a_revision_that_was_pinned_before_is_found_again_with_its_pods() -> None:
    before = replica_set(3, BY_DIGEST)
    pods = (*running(), pod("web-3-a", of="web-3"))
    choice = chosen(
        stored=(replica_set(2), before, replica_set(4)),
        workload=deployment(template("reg.example/app:v4")),
        pods=pods,
        lease=remembered(app=RAN),
    )
    assert isinstance(choice, Choice)
    assert choice.revision.ready == 1


def test_pinning_to_what_the_workload_asks_for_already_is_refused() -> None:
    found = chosen(
        stored=(replica_set(2), replica_set(3, BY_DIGEST)),
        workload=deployment(template(BY_DIGEST)),
        pods=running(),
    )
    assert isinstance(found, Finding)
    assert found.id == ON_TARGET.id


@pytest.mark.parametrize(
    ("unreadable", "words"),
    [
        ({}, "no Pod of it is left, and the ledger does not remember it"),
        ({Need.PODS: "403"}, "pods could not be read"),
    ],
)
def test_pinning_what_is_not_known_refuses(unreadable: dict[Need, str], words: str) -> None:
    seen = preflight(policy={"pin": True}, unreadable=unreadable)
    (found,) = found_by("PF310", seen)
    assert (found.severity, found.detail) == (Severity.BLOCK, words)
    assert f"--pin has no digest for image {IMAGE}" in found.message
    assert found_by("PF310", preflight()) == ()


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("nginx", f"nginx@{RAN}"),
        ("nginx:1.27", f"nginx@{RAN}"),
        ("localhost:5000/a/b:v1", f"localhost:5000/a/b@{RAN}"),
        (f"reg.example/app:v1@{NOW}", f"reg.example/app:v1@{NOW}"),
    ],
)
def test_a_pinned_image_keeps_the_name_as_it_is_spelled(image: str, pinned: str) -> None:
    choice = chosen(stored=(replica_set(2, image), replica_set(3)), pods=running())
    assert isinstance(choice, Choice)
    assert choice.revision.template["spec"]["containers"][0]["image"] == pinned


@pytest.mark.parametrize(
    ("then", "ids"),
    [
        ({}, []),
        (answer(BY_DIGEST, ImageState.MISSING), []),
        (answer(BY_DIGEST, ImageState.UNREACHABLE), []),
        (answer(BY_DIGEST, digest=RAN), ["PF307"]),
    ],
    ids=["not asked", "not there", "no answer", "there"],
)
def test_a_digest_of_another_repository_says_that_a_tag_moved_only_where_this_one_has_it(
    then: dict[str, ImageAnswer], ids: list[str]
) -> None:
    elsewhere = running(f"mirror.example/app@{RAN}")
    seen = preflight(images=answer(digest=NOW), pods=elsewhere, ran_images=then)

    assert [f.id for f in found_by("PF307", seen)] == ids


def test_an_image_that_is_never_pulled_is_not_compared() -> None:
    pods = running()
    made = replica_set(2)
    made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    seen = preflight(
        images=answer(digest=NOW), pods=pods, stored=(replica_set(1), made, replica_set(3))
    )

    assert found_by("PF307", preflight(images=answer(digest=NOW), pods=pods))
    assert found_by("PF307", seen) == ()
