from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from backout.core.health.endpoints import Endpoint, NotAsked, Origin
from backout.core.health.judgement import Answer, Sample
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kubernetes import objects
from backout.core.preflight import proof, rehearsal
from tests.core.values_made import TARGET, revision
from tests.objects.deployments import deployment
from tests.objects.metadata import condition
from tests.objects.pods import pod
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

BY = {"host": "laptop", "bootID": "b00t", "pid": 4711}


def made(**spec: Any) -> dict[str, Any]:
    target = revision(2)
    target.template["spec"].update(spec)
    return rehearsal.trial_pod(TARGET, target, op="op-1", by=BY, seconds=7.2)


def test_a_trial_pod_has_only_labels_of_ours_and_no_owner() -> None:
    body = made()

    assert "app" not in body["metadata"]["labels"]
    assert body["metadata"]["labels"][rehearsal.LABEL] == "op-1"
    assert body["metadata"]["labels"][rehearsal.OF].startswith("backout-web-")
    assert "ownerReferences" not in body["metadata"]
    assert body["metadata"]["generateName"] == "web-rehearsal-"


def test_it_is_ended_by_the_kubelet_where_nobody_deletes_it() -> None:
    assert made()["spec"]["activeDeadlineSeconds"] == 8 + 30


def test_its_template_is_the_targets_but_for_what_evicts_others() -> None:
    spec = made(priorityClassName="critical", priority=9, nodeSelector={"disk": "ssd"})["spec"]

    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert not {"priorityClassName", "priority"} & spec.keys()
    assert spec["restartPolicy"] == "Always"


def test_it_runs_the_images_that_were_pinned_and_not_those_of_the_history() -> None:
    stored = revision(2)
    pinned = template("reg.example/app@sha256:" + "0" * 64)
    body = rehearsal.trial_pod(TARGET, replace(stored, template=pinned), op="o", by=BY, seconds=7.2)

    assert body["spec"]["containers"] == pinned["spec"]["containers"]


FIELD = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}
LABELS = {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}
NAME = {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}


def beside(**labels: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "zone"}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return {"affinity": {"podAffinity": {required: [term]}}}


@pytest.mark.parametrize(
    ("spec", "labels", "why"),
    [
        ({}, {}, ""),
        ({}, {"azure.workload.identity/use": "true"}, "a webhook acts on Pods with the label"),
        ({"containers": [{"name": "c", "env": [FIELD]}]}, {}, "container c reads a label"),
        ({"volumes": [{"name": "v", "downwardAPI": LABELS}]}, {}, "volume v shows labels"),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"downwardAPI": LABELS}]}}]},
            {},
            "volume v shows labels",
        ),
        ({"volumes": [{"name": "v", "downwardAPI": NAME}]}, {}, ""),
        (beside(app="web"), {}, "its required affinity"),
        (beside(app="cache"), {}, ""),
    ],
)
def test_a_template_that_needs_its_own_labels_is_not_rehearsed(
    spec: dict[str, Any], labels: dict[str, str], why: str
) -> None:
    made = pods(**spec)
    made["metadata"]["labels"].update(labels)
    said = rehearsal.unwelcome(DEPLOYMENT.pace(deployment()), made, {})

    assert why in said
    assert bool(said) == bool(why)


def test_a_barrier_between_now_and_the_target_is_not_gone_beyond_by_a_trial_either() -> None:
    def at(number: int, barrier: str, **more: Any) -> Any:
        made = revision(number, **more)
        made.template["metadata"]["annotations"] = {"backout.dev/barrier": barrier}
        return made

    history = (at(3, "schema 39", is_current=True), at(2, "schema 39"), revision(1))
    wanted = history[0].template

    assert "beyond a barrier: revision 2" in rehearsal.beyond(history[2], history, wanted)
    assert rehearsal.beyond(history[1], history, wanted) == ""


def test_both_selectors_select_it_and_name_us() -> None:
    labels = made()["metadata"]["labels"]
    for text in (rehearsal.of_workload(TARGET), rehearsal.of_operation("op-1")):
        wanted = dict(term.split("=") for term in text.split(","))
        assert objects.matches_labels(wanted, labels)
        assert wanted["app.kubernetes.io/managed-by"] == "backout"


CLAIM = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


def pods(**spec: Any) -> dict[str, Any]:
    whole = template(ports=spec.pop("ports", []))
    whole["spec"].update(spec)
    return whole


@pytest.mark.parametrize(
    ("workload", "spec", "why"),
    [
        ({}, {}, ""),
        ({"replicas": 0}, {}, "replicas is 0"),
        ({"strategy": {"type": "Recreate"}}, {}, "Recreate"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 0}}}, {}, "maxSurge is 0"),
        ({"strategy": {"rollingUpdate": {"maxSurge": "0%"}}}, {}, "maxSurge is 0"),
        ({"strategy": {"rollingUpdate": {"maxSurge": "1%"}}}, {}, ""),
        ({}, {"hostNetwork": True}, "the host's network"),
        ({}, {"ports": [{"containerPort": 80, "hostPort": 80}]}, "a port of the host"),
        ({}, CLAIM, "claim data could not be read"),
    ],
)
def test_a_pod_beside_the_others_is_unwelcome(
    workload: dict[str, Any], spec: dict[str, Any], why: str
) -> None:
    said = rehearsal.unwelcome(DEPLOYMENT.pace(deployment(**workload)), pods(**spec), {})

    assert why in said
    assert bool(said) == bool(why)


@pytest.mark.parametrize(
    ("mode", "is_shared"),
    [("ReadWriteOnce", False), ("ReadWriteOncePod", False), ("ReadWriteMany", True)],
)
def test_a_claim_that_one_pod_has_is_not_mounted_twice(mode: str, *, is_shared: bool) -> None:
    claims = {"data": {"spec": {"accessModes": [mode]}}}

    assert (
        rehearsal.unwelcome(DEPLOYMENT.pace(deployment()), pods(**CLAIM), claims) == ""
    ) is is_shared


def trial(*, age: float, phase: str = "Running") -> dict[str, Any]:
    created = stamp(NOW - timedelta(seconds=age))
    metadata, spec = {"creationTimestamp": created}, {"activeDeadlineSeconds": 90}
    return pod(metadata=metadata, spec=spec, phase=phase)


def test_it_is_over_when_it_has_ended_or_its_time_has() -> None:
    assert not rehearsal.is_over(trial(age=119), NOW)
    assert rehearsal.is_over(trial(age=121), NOW)
    assert rehearsal.is_over(trial(age=1, phase="Failed"), NOW)
    endless = {**trial(age=1), "spec": {"activeDeadlineSeconds": 2**63 - 1}}
    assert not rehearsal.is_over(endless, NOW)


def test_labels_alone_make_no_pod_ours() -> None:
    ours = made()
    assert rehearsal.is_ours(ours)

    owned = {**ours, "metadata": {**ours["metadata"], "ownerReferences": [{"kind": "ReplicaSet"}]}}
    endless = {**ours, "spec": template()["spec"]}
    silent = {**ours, "metadata": {**ours["metadata"], "annotations": {}}}
    assert not any(rehearsal.is_ours(p) for p in (owned, endless, silent))


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "null", "[" * 100_000])
def test_an_annotation_that_tells_no_process_names_none(text: str) -> None:
    assert rehearsal.made_by({"metadata": {"annotations": {rehearsal.BY: text}}}) == {}
    told = {"metadata": {"annotations": {rehearsal.BY: json.dumps(BY)}}}
    assert rehearsal.made_by(told) == BY


READY = Endpoint(port=8080, path="/ready", scheme="http", origin=Origin.PROBE)
GRPC = NotAsked(why="w", probe="gRPC")


def samples(*answers: Answer) -> list[Sample]:
    return [Sample(subject="Pod x", answer=a, detail="d") for a in answers]


def test_answers_of_running_pods_are_proof_only_where_all_are_well() -> None:
    one = revision(2)
    well, unknown = Answer.WELL, Answer.UNKNOWN
    assert proof.live(one, (READY,), samples(well, well), NOW) == (
        "all 2 Pods answer well now, on /ready of 8080"
    )
    assert proof.live(one, (READY,), samples(well, unknown), NOW) == ""
    assert proof.live(one, (READY,), [], NOW) == ""
    assert proof.live(one, (), [], NOW) == ""


def test_where_it_is_not_asked_as_the_kubelet_asks_the_kubelet_is_the_word() -> None:
    since = {**condition("Ready", "True"), "lastTransitionTime": stamp(ago(minutes=12))}
    running = pod("web-2-a", of="web-2")
    running["status"]["conditions"] = [since]
    one = revision(2, pods=(running,))
    odd = Sample(subject="Pod x", answer=Answer.UNKNOWN, detail="HTTP 421", is_misasked=True)

    assert proof.live(one, (READY,), [odd], NOW) == (
        "Ready for 12 min by the kubelet's own HTTP probe (asked by backout: HTTP 421)"
    )
    assert proof.live(one, (READY,), [odd, *samples(Answer.UNWELL)], NOW) == ""


def test_where_the_probe_is_not_http_the_kubelet_tells_since_when_it_is_ready() -> None:
    since = {**condition("Ready", "True"), "lastTransitionTime": stamp(ago(minutes=12))}
    running = pod("web-2-a", of="web-2")
    running["status"]["conditions"] = [since]
    words = "Ready for 12 min by the kubelet's own gRPC probe"

    assert proof.live(revision(2, pods=(running,)), (GRPC,), [], NOW) == words
    assert proof.live(revision(2), (GRPC,), [], NOW) == ""
    assert proof.live(revision(2, pods=(running,)), (NotAsked(why="no port"),), [], NOW) == ""
