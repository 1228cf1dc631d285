"""References, ownership, admission, compatibility, relevance: one case that triggers, one clean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.core import checks
from backout.core.health.judgement import Answer, Sample
from backout.core.kubernetes.managed_fields import Change
from backout.core.ledger import form
from backout.core.ledger.memory import marked, recorded
from backout.core.ledger.records import Ledger
from backout.core.model import Severity, Skipped
from backout.core.owners.owners import Owner, Policy
from backout.core.preflight.admission import DryRun
from backout.core.preflight.snapshot import Need
from backout.core.references.references import Named, Reference, Referent
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import preflight, shaped
from tests.objects.deployments import deployment
from tests.objects.metadata import condition
from tests.objects.nodes import node
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.services import service
from tests.objects.templates import template
from tests.objects.times import ago, stamp

if TYPE_CHECKING:
    from datetime import datetime

CONFIG = Reference(kind=Referent.CONFIG_MAP, name="settings")
CLAIM = Reference(kind=Referent.CLAIM, name="data")
ENV: dict[str, Any] = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
GONE = {CONFIG: Named(exists=False)}


def with_config(**changes: Any) -> Any:
    """Return a preflight whose revisions all use ConfigMap settings."""
    sets = []
    for number in (1, 2, 3):
        made = replica_set(number)
        made["spec"]["template"]["spec"]["containers"][0].update(ENV)
        sets.append(made)
    workload = deployment(template("reg.example/app:v3", **ENV))
    return preflight(**{"workload": workload, "stored": tuple(sets), **changes})


def with_claim(*, waits_for: str, gone: set[str]) -> Any:
    """Return a preflight whose target mounts a claim that waits for a StorageClass."""
    second = replica_set(2)
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    second["spec"]["template"]["spec"]["volumes"] = [claim]
    named = {CLAIM: Named(exists=True, waits_for=waits_for)}
    sets = (replica_set(1), second, replica_set(3))
    return preflight(named=named, stored=sets, gone_classes=frozenset(gone))


def owner(policy: Policy) -> tuple[Owner, ...]:
    return (Owner(tool="Helm", name="web", policy=policy, command="helm rollback web"),)


def changed(at: datetime) -> dict[Reference, Named]:
    return {CONFIG: Named(exists=True, changed=Change(at=at, by="kubectl-edit"))}


def old_pods(hours: int) -> tuple[Any, ...]:
    ready = {**condition("Ready", "True"), "lastTransitionTime": stamp(ago(hours=hours))}
    pods = [pod(f"web-3-{n}", of="web-3") for n in "abc"]
    for one in pods:
        one["status"]["conditions"] = [ready]
    return tuple(pods)


def neighbours(unavailable: int) -> tuple[Any, ...]:
    return tuple(
        deployment(
            metadata={"uid": name, "name": name}, status={"unavailableReplicas": unavailable}
        )
        for name in ("a", "b")
    )


def answered(*answers: Answer) -> tuple[Sample, ...]:
    return tuple(Sample(subject=f"service {a}", answer=a, detail=a) for a in answers)


PROBED: dict[str, Any] = {"readinessProbe": {"httpGet": {"path": "/new", "port": 8080}}}


def probed(path: str) -> Any:
    probe = {"readinessProbe": {"httpGet": {"path": path, "port": 8080}}}
    sets = [replica_set(1), replica_set(2), replica_set(3)]
    sets[1]["spec"]["template"]["spec"]["containers"][0].update(probe)
    sets[2]["spec"]["template"]["spec"]["containers"][0].update(PROBED)
    workload = deployment(template("reg.example/app:v3", **PROBED))
    return preflight(workload=workload, stored=tuple(sets))


def labelled() -> Any:
    """The current revision has a label that the target has not."""
    current = template("reg.example/app:v3")
    current["metadata"]["labels"]["tier"] = "web"
    third = replica_set(3)
    third["spec"]["template"]["metadata"]["labels"]["tier"] = "web"
    return {
        "workload": deployment(current),
        "stored": (replica_set(1), replica_set(2), third),
        "services": (service(selector={"tier": "web"}),),
    }


JUST_DEPLOYED: dict[str, Any] = {
    "stored": tuple(replica_set(n, created=ago(minutes=9 - n)) for n in (1, 2, 3))
}
"""All three within three minutes: none has served."""
REFUSED = 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'
QUOTA = 'pods "x" is forbidden: exceeded quota: q'

CASES: dict[str, tuple[Any, Any]] = {
    "PF201": (with_config(named=GONE, pods=()), with_config(named=GONE)),
    "PF202": (with_config(named=GONE), with_config(named={CONFIG: Named(exists=True)})),
    "PF203": (
        with_config(named=changed(ago(minutes=4)), pods=()),
        with_config(named=changed(ago(days=30)), pods=()),
    ),
    "PF204": (
        with_claim(waits_for="fast", gone={"fast"}),
        with_claim(waits_for="fast", gone=set()),
    ),
    "PF401": (
        preflight(owners=owner(Policy.REVERTS)),
        preflight(owners=owner(Policy.NEXT_DEPLOY)),
    ),
    "PF402": (preflight(owners=owner(Policy.UNKNOWN)), preflight(owners=owner(Policy.REVERTS))),
    "PF403": (preflight(owners=owner(Policy.NEXT_DEPLOY)), preflight()),
    "PF501": (preflight(dry_run=DryRun(refused="denied")), preflight(dry_run=DryRun())),
    "PF502": (
        preflight(dry_run=DryRun(template=template("reg.example/other:v9"))),
        preflight(dry_run=DryRun(template=template("reg.example/app:v2"))),
    ),
    "PF503": (preflight(dry_run=DryRun(warnings=("would violate",))), preflight(dry_run=DryRun())),
    "PF504": (
        preflight(pod_dry_run=DryRun(refused=REFUSED), pods=()),
        preflight(pod_dry_run=DryRun(refused=REFUSED)),
    ),
    "PF505": (
        preflight(pod_dry_run=DryRun(refused=REFUSED)),
        preflight(pod_dry_run=DryRun(refused=REFUSED), pods=()),
    ),
    "PF506": (
        preflight(pod_dry_run=DryRun(refused=QUOTA)),
        preflight(pod_dry_run=DryRun(refused=REFUSED)),
    ),
    "PF701": (probed("/old"), probed("/new")),
    "PF702": (preflight(services=(service(port="grpc"),)), preflight(services=(service(),))),
    "PF703": (preflight(**labelled()), preflight(services=(service(),))),
    "PF901": (
        preflight(pods=old_pods(hours=49), to=2),
        preflight(pods=old_pods(hours=1), to=2),
    ),
    "PF902": (
        with_config(named=changed(ago(minutes=6))),
        with_config(named=changed(ago(hours=2))),
    ),
    "PF903": (preflight(nodes=(node(ready="Unknown"),)), preflight(nodes=(node(),))),
    "PF904": (preflight(neighbours=neighbours(1)), preflight(neighbours=neighbours(0))),
    "PF905": (
        preflight(pods=old_pods(hours=1), to=2, baseline=answered(Answer.WELL)),
        preflight(pods=old_pods(hours=1), to=2, baseline=answered(Answer.UNWELL)),
    ),
    "PF906": (
        preflight(pods=old_pods(hours=1), to=2, baseline=answered(Answer.WELL), **JUST_DEPLOYED),
        preflight(pods=old_pods(hours=1), to=2, baseline=answered(Answer.WELL)),
    ),
}


@pytest.mark.parametrize("one", CASES)
def test_a_check_finds_its_bad_fact_and_nothing_where_all_is_well(one: str) -> None:
    bad, clean = CASES[one]

    (found,) = found_by(one, bad)
    assert found.message
    assert found.remedy
    assert found.severity is Severity.WARN or found.risk
    assert found_by(one, clean) == ()


def test_every_new_family_is_covered() -> None:
    families = ("PF2", "PF4", "PF5", "PF7", "PF9")
    assert set(CASES) == {c.id for c in checks.CHECKS if c.id.startswith(families)}


@pytest.mark.parametrize(
    ("need", "ids"),
    [
        (Need.DRY_RUN, {"PF501", "PF502", "PF503"}),
        (Need.POD_DRY_RUN, {"PF504", "PF505", "PF506"}),
        (Need.NODES, {"PF308", "PF309", "PF602", "PF605", "PF903"}),
        (Need.NEIGHBOURS, {"PF904"}),
        (Need.BASELINE, {"PF905", "PF906"}),
        (Need.SECRETS, {"PF201", "PF202", "PF203", "PF902"}),
        (Need.CLASSES, {"PF201", "PF202", "PF601", "PF602", "PF605"}),
        (Need.ROLLOUTS, {"PF401"}),
    ],
)
def test_what_could_not_be_read_is_skipped_and_said(need: Need, ids: set[str]) -> None:
    _, skipped = checks.run_all(preflight(unreadable={need: "forbidden"}))

    assert {s.id for s in skipped} == ids
    assert {s.reason for s in skipped} == {f"{need}: forbidden"}


def test_one_kind_that_cannot_be_read_does_not_hide_what_the_others_lack() -> None:
    seen = with_config(named=GONE, pods=(), unreadable={Need.SECRETS: "forbidden"})
    findings, skipped = checks.run_all(seen)

    assert "PF201" in {f.id for f in findings}
    assert "PF201" in {s.id for s in skipped}


def many(count: int, named: Named) -> Any:
    """Return a preflight whose target mounts so many ConfigMaps, all of them like this."""
    second = replica_set(2)
    names = [f"c-{number:03}" for number in range(count)]
    volumes = [{"name": name, "configMap": {"name": name}} for name in names]
    second["spec"]["template"]["spec"]["volumes"] = volumes
    found = {Reference(kind=Referent.CONFIG_MAP, name=name): named for name in names}
    return preflight(named=found, stored=(replica_set(1), second, replica_set(3)), pods=(), to=2)


FIRST = "ConfigMap c-000, ConfigMap c-001, ConfigMap c-002 and 197 more"


def test_of_200_objects_that_are_gone_or_changed_the_first_are_named_in_one_finding() -> None:
    (gone,) = found_by("PF201", many(200, Named(exists=False)))
    change = Change(at=ago(minutes=4), by="kubectl-edit")
    (changed_,) = found_by("PF203", many(200, Named(exists=True, changed=change)))

    assert gone.message == (
        f"revision 2 cannot start: 200 objects that it needs are gone or lack a key: {FIRST}"
    )
    assert changed_.message == f"200 objects were changed after revision 2 was last live: {FIRST}"
    assert changed_.detail.startswith("ConfigMap c-000 was changed 4 min ago by kubectl-edit")


def test_three_that_are_gone_are_told_each_with_its_use() -> None:
    assert [f.message for f in found_by("PF201", many(3, Named(exists=False)))] == [
        f"revision 2 cannot start: ConfigMap c-00{n} does not exist; volume c-00{n} needs it"
        for n in range(3)
    ]


def test_without_pods_to_see_nothing_is_said_of_proof_by_them() -> None:
    blind = preflight(unreadable={Need.PODS: "forbidden"})

    assert isinstance(result_of("PF901", blind), Skipped)


HEALTHY_NOW = answered(Answer.WELL)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"baseline": ()},
        {"baseline": answered(Answer.WELL, Answer.UNKNOWN)},
        {"pods": (*old_pods(hours=1), pod("web-2-a", of="web-2"))},
        {"pods": old_pods(hours=1)[:2]},
        {"pods": ()},
    ],
    ids=[
        "a stuck rollout, whose old Pods answer",
        "nobody asked",
        "one that could not be asked",
        "a Pod of another revision may have answered",
        "not all its Pods are Ready",
        "no Pod at all",
    ],
)
def test_a_service_is_not_called_healthy_before_where_that_says_nothing_of_the_template(
    changes: dict[str, Any],
) -> None:
    assert found_by("PF905", preflight(to=2, **{"baseline": HEALTHY_NOW, **changes})) == ()


def test_who_gave_a_reason_is_not_asked_for_one() -> None:
    whole: dict[str, Any] = {"pods": old_pods(hours=1), "to": 2, "baseline": HEALTHY_NOW}
    (asked,) = found_by("PF905", preflight(**whole))
    (told,) = found_by("PF905", preflight(policy={"reason": "INC-7"}, **whole))

    assert "--reason" in asked.remedy
    assert "--reason" not in told.remedy


@pytest.mark.parametrize("bad", [False, True])
def test_a_healthy_service_is_not_moved_to_what_nothing_shows_to_work_without_a_reason(
    *, bad: bool
) -> None:
    known = marked(Ledger(), preflight(to=2).destination.hash, 2, at=ago(hours=3), bad="leaks")
    text = form.written(known)
    young = {} if bad else JUST_DEPLOYED
    whole: dict[str, Any] = {"pods": old_pods(hours=1), "to": 2, "baseline": HEALTHY_NOW, **young}
    if bad:
        whole["lease"] = {"metadata": {"annotations": {form.ANNOTATION: text}}}
    (found,) = found_by("PF906", preflight(**whole))

    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert ("known to be bad" if bad else "unproven") in found.message
    assert found.remedy == "leave it as it is: the service is healthy"
    assert found_by("PF906", preflight(policy={"reason": "INC-7"}, **whole)) == ()
    assert found_by("PF906", preflight(**{**whole, "baseline": ()})) == ()


def remembered(version: str) -> Any:
    """Return a Lease that remembers which ConfigMap revision 2 ran with when it was healthy."""
    seen = with_config(pods=())
    known = recorded(
        Ledger(),
        seen.destination.hash,
        2,
        at=ago(days=9),
        references={"ConfigMap/settings": version},
    )
    return {"metadata": {"annotations": {form.ANNOTATION: form.written(known)}}}


@pytest.mark.parametrize(
    ("version", "found"),
    [("7", ()), ("6", ("the version that the ledger remembers",)), ("", ("the weaker evidence",))],
)
def test_the_version_that_the_ledger_remembers_outranks_the_time_of_a_change(
    version: str, found: tuple[str, ...]
) -> None:
    change = Change(at=ago(minutes=4), by="kubectl-edit")
    named = {CONFIG: Named(exists=True, changed=change, version="7")}
    lease = remembered(version) if version else None
    facts = found_by("PF203", with_config(named=named, pods=(), lease=lease))

    assert len(facts) == len(found)
    assert all(words in fact.detail for fact, words in zip(facts, found, strict=True))


def test_a_volume_that_makes_its_own_claims_needs_its_storage_class() -> None:
    source = {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}
    volumes = {"volumes": [{"name": "scratch", "ephemeral": source}, {"name": "x", "emptyDir": {}}]}
    (found,) = found_by("PF204", shaped({}, volumes, gone_classes=frozenset({"fast"})))

    assert found.message == (
        "volume scratch makes a claim whose StorageClass fast does not exist: a Pod of revision 2 "
        "waits for it for ever"
    )
    assert found_by("PF204", shaped(volumes, {}, gone_classes=frozenset({"fast"}))) == ()
    assert found_by("PF204", shaped({}, volumes)) == ()


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        (1, "1 Pod still runs revision 2; a rescheduled one could not start"),
        (3, "3 Pods still run revision 2; a rescheduled one could not start"),
    ],
)
def test_pods_that_still_run_are_counted_in_words(ready: int, words: str) -> None:
    pods = tuple(pod(f"web-2-{n}", of="web-2") for n in range(ready))
    rolling = {"rollingUpdate": {"maxUnavailable": 2}}
    workload = deployment(template("reg.example/app:v3", **ENV), strategy=rolling)
    (found,) = found_by("PF202", with_config(named=GONE, pods=pods, workload=workload, to=2))

    assert found.message.endswith(words)


def test_of_many_workloads_nobody_asks_who_would_undo_one_and_why() -> None:
    _, skipped = checks.run_all(preflight(unreadable={Need.INTENT: "a survey"}))

    assert {s.id for s in skipped} == {"PF803", "PF804", "PF901"}
