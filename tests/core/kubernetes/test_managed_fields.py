"""Who wrote an object and when; of which fields is left out where thousands are kept."""

from __future__ import annotations

import copy

from backout.core.kubernetes.managed_fields import slim, status_written
from tests.objects.pods import pod
from tests.objects.times import NOW, stamp

WRITTEN = {
    "manager": "kubelet",
    "subresource": "status",
    "time": stamp(NOW),
    "fieldsV1": {"f:status": {"f:phase": {}}},
}


def test_a_slim_object_lacks_the_names_of_fields_and_nothing_else() -> None:
    one = pod(metadata={"managedFields": [WRITTEN]})
    before = copy.deepcopy(one)
    found = slim(one)

    assert "f:status" not in str(found)
    assert status_written(found) == NOW
    assert one == before
    assert {**found, "metadata": None} == {**one, "metadata": None}
    assert slim(found) == found


def test_an_object_that_says_nothing_of_its_writers_stays_what_it_is() -> None:
    one = pod()
    assert slim(one) is one
