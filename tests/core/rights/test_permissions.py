"""One table of permissions: what is derived from it, and what may never stand in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backout.cli.output.role_yaml import Grantee, Wanted, manifest
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.rights import permissions
from backout.core.rights.commands import COMMANDS
from backout.core.rights.permissions import TABLE, Level

PAGE = Path(__file__).parents[3] / "docs" / "permissions.md"
READ = {"get", "list", "watch"}


def documents(**wanted: Any) -> list[Any]:
    made = manifest(Wanted(**{"command": "undo", "name": "r", **wanted}))
    return list(yaml.safe_load_all(made))


def test_nothing_is_granted_that_a_reviewer_would_not_forgive() -> None:
    for grant in TABLE:
        assert "*" not in (grant.group, grant.resource, *grant.verbs)
        assert not {"impersonate", "escalate", "bind", "deletecollection"} & set(grant.verbs)
        assert grant.resource not in {"pods/exec", "deployments/scale", "deployments/status"}
        assert grant.resource != "secrets" or (grant.verbs == ("get",) and grant.is_by_name)
        assert grant.resource != "deployments" or "update" not in grant.verbs
        assert grant.verbs != ("create", "delete") or grant.level is Level.OPT_IN


@pytest.mark.parametrize("command", ["check", "status", "explain", "ledger"])
def test_reading_commands_are_granted_no_write(command: str) -> None:
    rows = [g for g in permissions.grants(command) if g.level is not Level.OPT_IN]

    assert rows
    assert {v for g in rows for v in g.verbs} <= READ


def test_every_row_is_of_a_command_that_exists_and_every_command_has_rows() -> None:
    assert {c for g in TABLE for c in g.commands} == set(COMMANDS)
    assert all(g.why and g.verbs and g.commands for g in TABLE)


def test_without_a_namespace_nothing_is_required() -> None:
    assert Level.REQUIRED not in {g.level for g in TABLE if g.is_cluster_wide}


def test_what_is_asked_before_the_intent_is_what_the_plan_needs() -> None:
    names = [str(p) for p in permissions.asked(DEPLOYMENT, ledger_is_local=False, deletes=True)]
    local = [str(p) for p in permissions.asked(DEPLOYMENT, ledger_is_local=True, deletes=False)]

    ledger = ["create leases", "get leases", "update leases"]
    assert sorted(set(names) - set(local)) == sorted(["delete pods", *ledger])
    assert local == [
        "get deployments",
        "list deployments",
        "watch deployments",
        "patch deployments",
        "create pods",
    ]


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        (
            "deployments",
            "{apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, patch]}",
        ),
        ("pods", '{apiGroups: [""], resources: [pods], verbs: [list, watch]}'),
        (
            "secrets",
            '{apiGroups: [""], resources: [secrets], resourceNames: [NAME], verbs: [get]}',
        ),
        ("frogs", ""),
    ],
)
def test_a_rule_is_the_line_of_yaml_that_a_role_takes(resource: str, line: str) -> None:
    assert permissions.rule(resource) == line
    assert permissions.remedy(resource).endswith(line)


@pytest.mark.parametrize(
    ("why", "lacks"),
    [
        ('pods is forbidden: User "x" cannot list resource "pods" in API group ""', "list pods"),
        ('User "x" cannot get resource "pods/log" in API group ""', "get pods/log"),
        ("dry run of a Pod: you may not create pods", "create pods"),
        ("no answer within the preflight budget, 3 s", ""),
        ('pods "x" is forbidden: exceeded quota: q', ""),
        ('cannot $(rm) resource "pods"', ""),
        ("", ""),
    ],
)
def test_what_is_denied_is_named_by_verb_and_resource(why: str, lacks: str) -> None:
    assert permissions.denied(why) == lacks


def test_the_role_of_the_docs_grants_nothing_that_is_not_in_the_table() -> None:
    text = re.search(r"```yaml\n(apiVersion: rbac.*?)```", PAGE.read_text(), re.DOTALL)
    assert text
    (role,) = yaml.safe_load_all(text[1])
    told = {
        (rule["apiGroups"][0], resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    rows = [(g.group, g.resource, v) for g in permissions.grants("undo") for v in g.verbs]

    assert told <= set(rows)
    required = {
        (g.group, g.resource, v)
        for g in permissions.grants("undo")
        for v in g.verbs
        if g.level is Level.REQUIRED
    }
    assert required <= told


@pytest.mark.parametrize("command", COMMANDS)
def test_a_role_is_yaml_with_what_is_required_and_optional_and_not_what_is_opt_in(
    command: str,
) -> None:
    role, *more = documents(command=command, namespace="shop", secrets=("pull",))
    rows = permissions.grants(command)
    granted = {
        (rule["apiGroups"][0], rule["resources"][0], verb)
        for one in (role, *more)
        for rule in one["rules"]
        for verb in rule["verbs"]
    }

    assert role["kind"] == "Role"
    assert role["metadata"] == {"name": "r", "namespace": "shop"}
    assert {one["kind"] for one in more} <= {"ClusterRole"}
    assert granted == {
        (g.group, g.resource, v) for g in rows if g.level is not Level.OPT_IN for v in g.verbs
    }


def test_secrets_are_granted_by_name_or_not_at_all() -> None:
    named = manifest(Wanted(command="undo", name="r", secrets=("pull", "tls")))
    unnamed = manifest(Wanted(command="undo", name="r"))

    rule = '- {apiGroups: [""], resources: [secrets], resourceNames: ["pull", "tls"], verbs: [get]}'
    assert f"  {rule}\n" in named
    assert '  #- {apiGroups: [""], resources: [secrets], resourceNames: [NAME]' in unnamed
    assert "secrets" not in str(documents())


def test_subjects_are_bound_under_a_name_of_their_own_and_quoted() -> None:
    hostile = Grantee(kind="User", name='a"\n- kind: Group #\U0001f600')
    account = Grantee(kind="ServiceAccount", name="ci", namespace="tools")
    made = documents(namespace="shop", subjects=(hostile, account))
    other = documents(namespace="shop", subjects=(account,))
    kinds = [one["kind"] for one in made]

    assert kinds == ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"]
    assert made[2]["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": hostile.name},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "tools"},
    ]
    assert made[2]["metadata"] != other[2]["metadata"]
    assert "namespace" not in made[3]["metadata"]


def test_what_has_no_namespace_can_be_left_out() -> None:
    account = Grantee(kind="ServiceAccount", name="ci", namespace="tools")
    made = documents(is_namespaced=True, subjects=(account,))

    assert [one["kind"] for one in made] == ["Role", "RoleBinding"]
    assert made[0]["metadata"] == {"name": "r"}


def test_the_role_of_check_says_what_check_says_under_it() -> None:
    of_check = manifest(Wanted(command="check", name="r"))

    assert "# PF803 and PF804, exit 3. Of several " in of_check
    assert "PF803" not in manifest(Wanted(command="undo", name="r"))
