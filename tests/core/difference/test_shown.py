from __future__ import annotations

from backout.core.difference.fields import Difference
from backout.core.difference.shown import hidden, lines, numbering, place

ENV = ("spec", "containers", "web", "env", "TOKEN")


def test_a_path_reads_as_people_write_it() -> None:
    assert place(("spec", "containers", "web", "image")) == "spec.containers[web].image"
    assert place(("metadata", "annotations", "a.b/c")) == "metadata.annotations[a.b/c]"
    assert place(("spec", "volumes", "env", "name")) == "spec.volumes[env].name"


def test_what_is_not_there_has_no_line() -> None:
    found = (Difference(path=("spec", "hostname"), before=None, after="a"),)

    assert lines(found) == [" spec.hostname", "+ a"]


def test_values_of_variables_and_what_looks_secret_are_hidden_unless_asked_for() -> None:
    found = (
        Difference(path=(*ENV, "value"), before="plain", after="hunter2"),
        Difference(path=ENV, before=None, after={"name": "TOKEN", "value": "hunter2"}),
        Difference(
            path=("metadata", "annotations", "db-password"), before="hunter2", after="hunter3"
        ),
        Difference(
            path=("spec", "containers", "web", "args"),
            before=["--password=hunter2", "--port=80"],
            after=None,
        ),
        Difference(path=("spec", "containers", "web", "image"), before="shop:v1", after="shop:v2"),
    )

    hidden = "\n".join(lines(found))
    assert "hunter" not in hidden
    assert "--port=80" in hidden
    assert "+ shop:v2" in hidden
    assert "hunter2" in "\n".join(lines(found, with_values=True))


PLANTED = {
    "env": [{"name": "A", "value": "hunter2"}],
    "args": ["--password", "hunter2", "--token=hunter2", "--port", "80"],
    "command": ["sh", "-c", "PASSWORD=hunter2 exec /app"],
    "readinessProbe": {"httpGet": {"httpHeaders": [{"name": "X-Key", "value": "hunter2"}]}},
    "lifecycle": {"preStop": {"exec": {"command": ["curl", "https://u:hunter2@reg.example"]}}},
}


def test_no_planted_secret_is_shown_wherever_in_a_container_it_stands() -> None:
    told = hidden(("spec", "containers", "web"), PLANTED)

    assert "hunter2" not in str(told)
    assert told["args"] == ["--password", "***", "***", "--port", "80"]


def test_by_the_pointer_of_a_json_patch_the_same_is_hidden() -> None:
    assert hidden(("spec", "containers", "0", "env", "3", "value"), "plain") == "***"
    assert hidden(("metadata", "annotations", "api-key"), "plain") == "***"
    assert hidden(("spec", "containers", "0", "image"), "shop:v1") == "shop:v1"


def test_hidden_values_that_differ_can_be_told_apart() -> None:
    veil = numbering()

    assert [veil(text) for text in ("a", "b", "a")] == ["*** (1)", "*** (2)", "*** (1)"]
