from __future__ import annotations

import pytest

from backout.core.checks import lines
from backout.core.ledger.records import Side, State
from tests.core.checks.running import found_by
from tests.core.values_made import lease, preflight, record
from tests.objects.deployments import deployment
from tests.objects.templates import template

V3 = template("reg.example/app:v3")
GIVEN = ("--context", "prod", "undo", "deploy/web", "--as=ann", "-n", "shop")


def test_what_was_typed_is_kept_and_what_stands_behind_two_dashes_is_no_flag() -> None:
    made = preflight(policy={"command": ("undo", "-n", "shop", "--", "deploy/web")})

    line = lines.again(made.policy, made.snapshot, "--unpause")

    assert line == "backout undo -n shop --unpause -- deploy/web"


@pytest.mark.parametrize(
    "choice",
    [
        ("--to-revision", "2", "--accept", "PF301"),
        ("--to-revision=2", "--accept=PF301"),
        ("--to-last-healthy",),
    ],
)
def test_another_revision_keeps_the_connection_and_nothing_that_was_accepted(
    choice: tuple[str, ...],
) -> None:
    made = preflight(policy={"command": (*GIVEN, *choice, "--reason", "it's down")})

    line = lines.elsewhere(made)

    kept = "backout --context prod undo deploy/web --as=ann -n shop --reason 'it'\"'\"'s down'"
    assert line == f"{kept} --to-revision 1"


def test_without_another_revision_only_the_flag_is_named() -> None:
    bad = record(
        source=Side(revision=1, hash=preflight().revisions[-1].hash, images={}, generation=1),
        state=State.SUCCEEDED,
    )
    made = preflight(lease=lease(bad))

    assert lines.elsewhere(made) == lines.ANY
    assert lines.elsewhere(preflight(), avoiding=preflight().revisions) == lines.ANY


def test_kubectl_speaks_to_the_same_cluster_as_the_same_user() -> None:
    made = preflight(
        workload=deployment(V3, revisionHistoryLimit=2), policy={"command": (*GIVEN, "--pin")}
    )

    (found,) = found_by("PF108", made)

    assert found.remedy.endswith(
        "kubectl patch deployment/web -n shop --context prod --as=ann "
        '-p \'{"spec":{"revisionHistoryLimit":10}}\''
    )
