"""What lists and tables print, whole: the ledger, its marks, many workloads, the Role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.commands.test_check_many import fill_with_a_paused_one
from tests.contract.cli.output.test_whole_runs import FAST, NOT_ENCRYPTED

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command, Finished

ONE = """\
WHEN      FROM        TO                            RESULT    BY                TRACE      REASON
N s ago   2 app:bad   1 app:good (now numbered 3)   healthy   ann (as tester)   TRACE-ID   -
revision 1 app:good (now numbered 3) is good: recorded healthy N s ago
revision 2 app:bad is bad: ann (as tester) rolled back from it, N s ago
limit: 1 of 2 rollbacks in the last 1 h
"""
LIST = """\
NAMESPACE   WORKLOAD         LAST ROLLBACK   FROM   TO   RESULT    BY                LOCK
shop        deployment/web   N s ago         2      1    healthy   ann (as tester)   -
"""
MARKED = """\
context test, cluster test, namespace shop, user tester
✓ revision {number} of deployment/web is marked {word}
"""
AFTER_MARKS = """\
no rollbacks recorded
revision 1 app:good is good: recorded healthy N s ago (marked by ann (as tester): smoke tests)
revision 2 app:bad is bad: marked by ann (as tester): leaks, N s ago
limit: 0 of 2 rollbacks in the last 1 h
"""
MANY = """\
context test, cluster test, namespace shop, user tester
NAMESPACE   WORKLOAD           NOW   BACK TO   ANSWER   WHY
shop        deployment/api-0   2     -         no       PF104 nothing to go back to: deployment/api-0 has one revision only (revisionHistoryLimit is 10)
shop        deployment/api-1   2     1         no       PF105 the Deployment is paused: its controller would not roll the target out (+3 more)
shop        deployment/web     2     1         yes      PF304 cannot tell whether 127.0.0.1:1/app:good is there: 127.0.0.1:1 is this machine's own loopback, not the node's; --registry-plain-http 127.0.0.1:1 asks it anyway
3 workloads checked with N requests to the API server
✗ 1 of 3 workloads could be rolled back
  2 would be refused
  next: see everything about one of them: backout check TYPE/NAME -n NAMESPACE
"""  # noqa: E501 (as it is printed)
ROLE = """\
# The rights that backout undo needs in a namespace, and no more.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: "backout-undo"
  namespace: "shop"
rules:
  # Required.
  # the workload; its rollout; the rollback itself:
  - {apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, patch]}
  - {apiGroups: [apps], resources: [statefulsets], verbs: [get, list, watch, patch]}
  - {apiGroups: [apps], resources: [daemonsets], verbs: [get, list, watch, patch]}
  # the history:
  - {apiGroups: [apps], resources: [replicasets], verbs: [list, watch]}
  - {apiGroups: [apps], resources: [controllerrevisions], verbs: [list, watch]}
  # the lock and the ledger:
  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}

  # Optional: backout works without these, and says what it could not check.
  # which Pods are Ready, and why others are not:
  - {apiGroups: [""], resources: [pods], verbs: [list, watch]}
  # why Pods are not Ready; an Event on the workload:
  - {apiGroups: [""], resources: [events], verbs: [list, watch, create]}
  # the service's health:
  - {apiGroups: [""], resources: [services], verbs: [list]}
  # health of the target's Pods:
  - {apiGroups: [""], resources: [pods/proxy], verbs: [get]}
  # the service's health, asked end to end:
  - {apiGroups: [""], resources: [services/proxy], verbs: [get]}
  # last lines of what fails:
  - {apiGroups: [""], resources: [pods/log], verbs: [get]}
  # what the Pod template names:
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
  - {apiGroups: [""], resources: [serviceaccounts], verbs: [get]}
  - {apiGroups: [""], resources: [persistentvolumeclaims], verbs: [get]}
  # whether new Pods fit the quota:
  - {apiGroups: [""], resources: [resourcequotas], verbs: [list]}
  # what Pods get by default:
  - {apiGroups: [""], resources: [limitranges], verbs: [list]}
  # whether Pods may be replaced:
  - {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [list]}
  - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list]}
  # Secrets that the Pod template names; never listed (name them: --secret NAME):
  #- {apiGroups: [""], resources: [secrets], resourceNames: [NAME], verbs: [get]}

  # Off: remove the # before the - of what you want to allow.
  # whether Argo CD puts it back:
  #- {apiGroups: [argoproj.io], resources: [applications], verbs: [get]}
  # which Argo Rollout uses it:
  #- {apiGroups: [argoproj.io], resources: [rollouts], verbs: [list]}
  # which Canary watches it:
  #- {apiGroups: [flagger.app], resources: [canaries], verbs: [list]}
  # whether Flux puts it back:
  #- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get]}
  #- {apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [get]}
  # a dry run of one Pod:
  #- {apiGroups: [""], resources: [pods], verbs: [create]}
  # a trial Pod, only with --rehearse:
  #- {apiGroups: [""], resources: [pods], verbs: [create, delete]}
  # stuck Pods, only with --replace-stuck-pods:
  #- {apiGroups: [""], resources: [pods], verbs: [delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: "backout-undo-TRACE-ID"
  namespace: "shop"
roleRef: {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "backout-undo"}
subjects:
  - {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ann"}
"""


pytestmark = pytest.mark.usefixtures("api")


@pytest.fixture(autouse=True)
def _known_person(backout: Command) -> None:
    """Columns are as wide as the name of whoever runs it."""
    backout.environment = {"LOGNAME": "ann"}


def told(done: Finished) -> tuple[str, str, int]:
    """Return stdout, stderr and the exit code, without what no run repeats."""
    out, err = (re.sub(r"\b\d+(\.\d+)? s\b", "N s", text) for text in (done.out, done.err))
    out = re.sub(r"\b[0-9a-f]{8}\b", "TRACE-ID", re.sub(r"\d+ requests", "N requests", out))
    return out, err.removeprefix(NOT_ENCRYPTED), done.code


async def test_a_ledger_tells_its_rollbacks_then_what_is_good_and_bad_then_the_limit(
    backout: Command,
) -> None:
    assert (await backout("undo", "deploy/web", *FAST)).code == 0

    assert told(await backout("ledger", "deploy/web")) == (ONE, "", 0)
    assert told(await backout("ledger")) == (LIST, "", 0)


async def test_a_mark_says_what_it_marked_and_the_ledger_shows_it_with_its_reason(
    backout: Command,
) -> None:
    mark = ("ledger", "mark", "deploy/web")
    bad = await backout(*mark, "--bad", "--revision", "2", "--reason", "leaks")
    good = await backout(*mark, "--healthy", "--revision", "1", "--reason", "smoke tests")

    assert told(bad) == (MARKED.format(number=2, word="bad"), "", 0)
    assert told(good) == (MARKED.format(number=1, word="healthy"), "", 0)
    assert told(await backout("ledger", "deploy/web")) == (AFTER_MARKS, "", 0)


async def test_many_workloads_are_a_table_the_worst_first_and_the_way_to_more(
    backout: Command, api: ApiServer
) -> None:
    fill_with_a_paused_one(api)
    api.remove("replicasets", "api-0-1")

    assert told(await backout("check", "--all")) == (MANY, "", 3)


async def test_the_role_says_beside_each_rule_what_it_is_for(backout: Command) -> None:
    assert told(await backout("rbac", "-n", "shop", "--namespaced", "--user", "ann")) == (
        ROLE,
        "",
        0,
    )
