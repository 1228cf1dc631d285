"""Remedies, pasted into a shell as they are printed: the finding that they stand at is gone."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox import images
from tests.cluster.checks.test_images import push_index
from tests.cluster.checks.test_permissions import grant, rule, without
from tests.cluster.checks.test_surroundings import uses
from tests.cluster.command import run
from tests.cluster.health.test_health import SICK
from tests.cluster.manifests import SHOP
from tests.cluster.memory.test_proof import unproven
from tests.cluster.watching.test_failures import COMMAND

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

LINE = re.compile(
    r"(?:backout (?:undo|resume|ledger mark)|kubectl (?:patch|annotate)) [^;)]*", re.ASCII
)
EVERY_CASE = pytest.mark.every_case
JSON = ("-o", "json")
DEPLOY = f"deploy/{SHOP}"


def told(ran: Ran) -> dict[str, str]:
    """Return the remedy of each finding, by its id."""
    return {e["id"]: e["remedy"] for e in ran.events if e["event"] in {"finding", "blocked"}}


def pasted(space: Space, ran: Ran, one: str) -> Ran:
    """Run the line of a finding's remedy in a shell, with the yes that nobody can be asked for."""
    remedies = told(ran)
    assert one in remedies, str(ran)
    found = LINE.findall(remedies[one])
    assert len(found) == 1, remedies[one]
    agreed = " --yes -o json" if found[0].startswith("backout undo ") else ""
    return run(["bash", "-c", f"{found[0]}{agreed}"], space.environment)


def check(space: Space, *words: str) -> Ran:
    return space.backout("check", DEPLOY, *words, *JSON)


def two_versions(space: Space, **spec: Any) -> None:
    space.deploy(space.version("v1"), **spec)
    space.roll(space.version("v2"), up=True)


@pytest.mark.every_case
def test_already_there_leaves_the_choice_to_backout(space: Space) -> None:
    two_versions(space, serve=False)
    there = ("--to-revision", "2")
    pasted(space, space.undo(*there, *JSON).expect(3), "PF102").expect(0)

    assert space.image_now() == space.image("v1")
    assert "PF102" not in told(check(space, *there).expect(0))


@pytest.mark.every_case
def test_a_revision_known_to_be_bad_is_the_only_one_and_is_gone_to(space: Space) -> None:
    two_versions(space, serve=False)
    bad = ("--bad", "--revision", "1", "--reason", "it loses orders")
    space.backout("ledger", "mark", DEPLOY, *bad).expect(0)
    ran = pasted(space, space.undo(*JSON).expect(3), "PF104").expect(0)

    assert "PF104" not in told(ran)
    assert space.image_now() == space.image("v1")


def test_a_paused_deployment_is_resumed_in_the_same_write(space: Space) -> None:
    two_versions(space, serve=False)
    space.merge({"spec": {"paused": True}})
    space.observed()
    pasted(space, check(space).expect(3), "PF105").expect(0)

    assert space.image_now() == space.image("v1")
    assert "PF105" not in told(check(space))


@pytest.mark.every_case
def test_a_short_history_is_made_longer(space: Space) -> None:
    two_versions(space, revisionHistoryLimit=2)
    ran = check(space).expect(0)
    pasted(space, ran, "PF108").expect(0)

    assert "PF108" not in told(check(space).expect(0))


@pytest.mark.every_case
def test_another_revision_than_the_bad_one_that_was_named_is_gone_to(space: Space) -> None:
    two_versions(space, serve=False)
    space.undo().expect(0)
    space.roll(space.version("v1", env={"NEW": "1"}), up=True)
    ran = pasted(space, check(space, "--to-revision", "2").expect(0), "PF109").expect(0)

    assert "PF109" not in told(ran)
    assert space.template()["spec"]["containers"][0].get("env", []) == []


def test_a_revision_that_somebody_knows_to_work_is_recorded(space: Space) -> None:
    two_versions(space)
    recorded = ("--to-last-healthy",)
    pasted(space, check(space, *recorded).expect(3), "PF113").expect(0)

    assert "PF113" not in told(check(space, *recorded).expect(0))
    space.undo(*recorded).expect(0)
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_an_unproven_revision_is_rehearsed(space: Space) -> None:
    unproven(space)
    ran = space.undo("--require-proof", *JSON).expect(3)

    assert "PF114" not in told(pasted(space, ran, "PF114").expect(0))
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_a_health_annotation_that_is_no_path_is_taken_away(space: Space) -> None:
    two_versions(space)
    space.merge({"metadata": {"annotations": {"backout.dev/health": "http://192.0.2.1/"}}})
    pasted(space, check(space).expect(0), "PF126").expect(0)

    assert "PF126" not in told(check(space).expect(0))


NOT_STARTED = {"spec": {"nodeSelector": {"disk": "none-has-it"}}}
BAD: dict[str, dict[str, Any]] = {
    "PF124": {"container": COMMAND},
    "PF201": {"container": uses("configMap", "URL")},
    "PF301": {"tag": "never-pushed"},
    "PF308": {"repository": "of-another-platform"},
    "PF310": NOT_STARTED,
    "PF501": {"tag": "v2"},
    "PF504": {"tag": "v2"},
}
OTHERS = [one for one in BAD if one not in {"PF301", "PF501"}]
FLAGS = {"PF124": ("--rehearse",), "PF310": ("--pin",)}


def made_bad(space: Space, one: str) -> None:
    if one == "PF501":
        space.deny_image(space.image("v2"))
    if one == "PF504":
        space.label_namespace({"pod-security.kubernetes.io/enforce": "restricted"})


@pytest.mark.parametrize(
    "one", ["PF301", "PF501", *(pytest.param(one, marks=EVERY_CASE) for one in OTHERS)]
)
def test_the_next_best_revision_is_gone_to(space: Space, one: str) -> None:
    """Revision 1 is good and its Pods run; 2, which is asked for, is not; 3 hangs."""
    if one == "PF308":
        digest = images.push(BAD[one]["repository"], "v1")
        push_index(space, BAD[one]["repository"], "v1", digest, "s390x")
    space.deploy(space.version("v1"))
    space.roll(space.version(**BAD[one]))
    space.roll(space.version("missing"))
    made_bad(space, one)
    ran = space.undo("--to-revision", "2", *FLAGS.get(one, ()), *JSON).expect(3)

    assert one not in told(pasted(space, ran, one).expect(0))
    assert space.records()[-1]["to"]["revision"] == 1
    assert space.records()[-1]["state"] == "SUCCEEDED"


@pytest.mark.every_case
def test_a_half_started_target_is_passed_over(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v1", env=SICK), up=True)
    space.roll(space.version("missing"))
    ran = space.undo("--health", "/healthz", *JSON).expect(3)

    assert "PF121" not in told(pasted(space, ran, "PF121").expect(0))
    assert space.records()[-1]["to"]["revision"] == 1


@pytest.mark.never_again
def test_a_rollback_whose_process_stands_still_is_taken_over(space: Space) -> None:
    two_versions(space, serve=False)
    started = space.start_undo()
    try:
        started.until("Waiting for deployment")
        started.send(signal.SIGSTOP)
        ran = space.undo(*JSON).expect(3)
        pasted(space, ran, "PF802").expect(0)
    finally:
        started.send(signal.SIGKILL)
        started.ended()

    assert "PF802" not in told(check(space))
    assert space.records()[-1]["state"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        ("deployments", "PF803"),
        pytest.param("leases", "PF804", marks=EVERY_CASE),
        pytest.param("pods/proxy", "PF123", marks=EVERY_CASE),
    ],
)
def test_the_rule_that_is_printed_gives_the_right_that_lacks(
    space: Space, resource: str, found: str
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    reading = rule("apps", "deployments", "get", "list", "watch")
    left = [reading] if resource == "deployments" else []
    lacking = grant(space, "lacking", [*without(resource), *left])
    remedy = told(space.backout("check", DEPLOY, *JSON, env=lacking))[found]
    printed = remedy.partition("ask for this rule in a Role: ")[2].partition("; or")[0]
    mended = grant(space, "mended", [*without(resource), yaml.safe_load(printed)])

    assert found not in told(space.backout("check", DEPLOY, *JSON, env=mended))
