"""What is known of a template stays known where the API server fills in more than it did."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.kubernetes import template
from backout.core.ledger import again, form, memory
from backout.core.ledger.edits import side
from backout.core.ledger.once import Back, standing
from backout.core.ledger.records import Ledger, State
from tests.core.values_made import TARGET, lease, record, snapshot
from tests.objects.controller_revisions import controller_revision
from tests.objects.deployments import deployment
from tests.objects.generated import FULL, at, changed_leaves, leaves
from tests.objects.replica_sets import replica_set
from tests.objects.times import NOW, ago

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.ledger.records import Record
    from backout.core.model import Object, Revision

POD = ("spec",)
CONTAINER = ("spec", "containers", 0)
PROBE = (*CONTAINER, "readinessProbe")
DEFAULTS: list[tuple[tuple[Any, ...], Any]] = [
    ((*POD, "hostUsers"), True),
    ((*POD, "later"), {"name": "x"}),
    ((*CONTAINER, "resizePolicy"), [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]),
    ((*CONTAINER, "terminationMessagePolicy"), "File"),
    ((*CONTAINER, "env", 1, "valueFrom", "resourceFieldRef", "later"), 1),
    ((*CONTAINER, "ports", 0, "later"), "TCP"),
    ((*PROBE, "timeoutSeconds"), 1),
    ((*PROBE, "httpGet", "scheme"), "HTTP"),
    ((*CONTAINER, "volumeMounts", 0, "recursiveReadOnly"), "Disabled"),
    ((*POD, "volumes", 0, "emptyDir", "later"), {"mode": 420}),
]
FILLED_IN = {
    *("protocol", "periodSeconds", "stdin", "overhead", "tolerations", "ephemeral", "divisor"),
    *("sizeLimit", "terminationGracePeriodSeconds"),
}
"""What an API server or a webhook may fill in itself: an edit of these is not seen."""
WRITTEN = [p for p in leaves(FULL) if p[0] == "metadata" or FILLED_IN.isdisjoint(p)]


def with_field(path: tuple[Any, ...], value: Any, of: Object = FULL) -> dict[str, Any]:
    made = copy.deepcopy(dict(of))
    at(made, path[:-1])[path[-1]] = value
    return made


def stored(number: int, pod_template: Object) -> Object:
    made = replica_set(number)
    return {**made, "spec": {**made["spec"], "template": pod_template}}


def history(change: Callable[[Object], Object] = lambda t: t) -> tuple[Revision, ...]:
    """Return revision 2 and, after it, revision 1, each template `change`d by the API server."""
    old, new = FULL, with_field((*CONTAINER, "image"), "reg.example/app:v2")
    return revisions(change(old), change(new))


def revisions(old: Object, new: Object) -> tuple[Revision, ...]:
    workload = deployment()
    workload["spec"]["template"] = new
    there = (stored(1, old), stored(2, new))
    return snapshot(workload=workload, stored=there, pods=()).revisions


def upgraded(pod_template: Object) -> Object:
    for path, value in DEFAULTS:
        pod_template = with_field(path, value, pod_template)
    return pod_template


def rolled_back(there: tuple[Revision, ...], **changes: Any) -> Record:
    new, old = there
    return replace(
        record(closed_at=NOW, patched_at=NOW, intent_at=NOW, health="Healthy"),
        source=side(2, new.template, generation=4, fingerprint=again.fingerprint(new)),
        destination=side(1, old.template, fingerprint=again.fingerprint(old)),
        **changes,
    )


def told(one: Record) -> Ledger:
    return memory.with_record(Ledger(records=(replace(one, state=State.INTENT),)), one)


@pytest.mark.parametrize(("path", "value"), DEFAULTS, ids=lambda v: str(v)[-40:])
def test_what_is_known_stays_known_where_the_api_server_fills_in_a_field_more(
    path: tuple[Any, ...], value: Any
) -> None:
    before = told(rolled_back(history()))
    new, old = history(lambda t: with_field(path, value, t))
    assert not {new.hash, old.hash} & set(before.memory)

    after = again.of_history(before, (new, old))
    assert set(memory.known_good(after)) == {old.hash}
    assert set(memory.known_bad(after)) == {new.hash}


def test_a_snapshot_knows_its_history_again_through_the_leases_text() -> None:
    new, old = history(upgraded)
    workload = deployment()
    workload["spec"]["template"] = new.template
    text = form.written(told(rolled_back(history())))
    look = snapshot(
        workload=workload, stored=(old.stored, new.stored), pods=(), lease=lease(text=text)
    )
    assert set(look.known.good) == {old.hash}
    assert set(look.known.bad) == {new.hash}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: ".".join(map(str, p)))
def test_a_template_that_was_edited_in_place_is_not_taken_for_what_it_was(
    path: tuple[Any, ...],
) -> None:
    before = told(rolled_back(history()))
    for edited in changed_leaves(FULL, path):
        there = revisions(edited, history()[0].template)
        after = again.of_history(before, there)
        assert there[1].hash not in after.memory


def test_another_object_with_a_field_more_is_another_revision() -> None:
    before = told(rolled_back(history()))
    new, old = history(upgraded)
    made_anew = replace(old, stored={**old.stored, "metadata": {"uid": "another"}})
    assert set(again.of_history(before, (new, made_anew)).memory) == {new.hash, history()[1].hash}


def test_a_deployment_that_was_made_anew_is_known_by_its_hash_as_ever() -> None:
    before = told(rolled_back(history()))
    new, old = (
        replace(r, stored={**r.stored, "metadata": {"uid": f"new-{r.number}"}}) for r in history()
    )
    after = again.of_history(before, (new, old))
    assert set(memory.known_good(after)) == {old.hash}
    assert set(memory.known_bad(after)) == {new.hash}


def test_a_record_leads_to_where_it_led_before_the_upgrade() -> None:
    before = told(rolled_back(history()))
    after = again.of_history(before, history(upgraded))
    workload = deployment()
    workload["spec"]["template"] = upgraded(FULL)
    window = NOW - ago(hours=1)

    found = standing(after, workload, TARGET.kind, now=NOW, window=window)
    assert isinstance(found, Back)
    edited = {**workload, "spec": {**workload["spec"], "template": history(upgraded)[0].template}}
    assert not isinstance(standing(after, edited, TARGET.kind, now=NOW, window=window), Back)


def test_a_persons_mark_outlives_the_upgrade_and_a_health_that_is_seen_after_it() -> None:
    _, old = history()
    marked = memory.marked(
        Ledger(), old.hash, 1, at=NOW, bad="corrupts", fingerprint=again.fingerprint(old)
    )
    _, now = history(upgraded)
    after = memory.recorded(marked, now.hash, 1, at=NOW, fingerprint=again.fingerprint(now))

    assert set(after.memory) == {now.hash}
    assert after.memory[now.hash].bad == marked.memory[old.hash].bad
    lifted = memory.marked(after, now.hash, 1, at=NOW, fingerprint=again.fingerprint(now))
    assert set(memory.known_good(lifted)) == {now.hash}


def test_a_record_that_closes_after_the_upgrade_speaks_of_the_same_templates() -> None:
    first = told(rolled_back(history()))
    again_there = rolled_back(history(upgraded), op="op-2")
    whole = replace(first, records=(*first.records, again_there))
    after = memory.with_record(whole, again_there)
    assert set(after.memory) == {r.hash for r in history(upgraded)}
    assert after.records[0].destination.hash == history(upgraded)[1].hash


def test_what_is_remembered_by_the_new_hash_itself_is_the_newer_word() -> None:
    before = told(rolled_back(history()))
    _, now = history(upgraded)
    both = memory.marked(before, now.hash, 1, at=NOW, bad="seen since, by an older backout")
    after = again.of_history(both, history(upgraded))
    assert after.memory[now.hash] == both.memory[now.hash]


def test_a_ledger_of_an_older_version_reads_and_is_left_as_it_is() -> None:
    content = json.loads(form.written(told(rolled_back(history()))))
    for one in (*content["memory"].values(), content["records"][0]["from"]):
        del one["fingerprint"]
    del content["records"][0]["to"]["fingerprint"]
    found = form.read(lease(text=json.dumps(content)))
    assert isinstance(found, Ledger)
    assert again.of_history(found, history(upgraded)) is found
    assert set(memory.known_good(again.of_history(found, history()))) == {history()[1].hash}


def test_the_data_of_a_controller_revision_is_known_again_the_same_way() -> None:
    def one(pod_template: Object) -> Revision:
        made = controller_revision(1)
        made["data"]["spec"]["template"] = {"$patch": "replace", **pod_template}
        sets = STATEFUL_SET.revisions(workload_of(made), (made,), ())
        return sets[0]

    assert again.fingerprint(one(FULL)) == again.fingerprint(one(upgraded(FULL)))
    assert template.digest(one(FULL).template) != template.digest(one(upgraded(FULL)).template)


def workload_of(made: Object) -> Object:
    owner = made["metadata"]["ownerReferences"][0]
    return {"metadata": {"uid": owner["uid"]}, "spec": {"template": FULL}}
