"""What a revision ran, by digest, and the revision that runs just that: `--pin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.images import names
from backout.core.images.names import ImageAnswer, check_digest, parse
from backout.core.kubernetes import template
from backout.core.ledger.records import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.history.choice import Choice
    from backout.core.model import Object, Revision
    from backout.core.preflight.snapshot import Snapshot


def what_ran(snapshot: Snapshot, revision: Revision) -> Mapping[str, str]:
    """Return the digest of the image that each container of a revision ran, where it is known.

    Its Pods tell; the ledger remembers where none does.
    """
    told = {c: one.rpartition("@")[2] for c, one in _told(snapshot, revision).items()}
    return {container: digest for container, digest in told.items() if _is_digest(digest)}


def by_another_name(snapshot: Snapshot, revision: Revision) -> frozenset[str]:
    """Return the containers whose digest is known in another repository than their image's."""
    return frozenset(c for c, one in _told(snapshot, revision).items() if "@" in one)


def _told(snapshot: Snapshot, revision: Revision) -> Mapping[str, str]:
    ledger = snapshot.ledger
    known = ledger.memory.get(revision.hash) if isinstance(ledger, Ledger) else None
    return {**(known.images if known is not None else {}), **names.ran(revision.pods)}


def by_digest(image: str, digest: str) -> str:
    """Return the image as the template spells it, with the digest for its tag.

    Without the tag: not every runtime takes both. Raises ValueError where it is no reference.
    """
    reference = parse(image)
    bare = image.partition("@")[0]
    if reference.tag is not None and not reference.tag_is_implied:
        bare = bare.removesuffix(f":{reference.tag}")
    return f"{bare}@{digest}"


def tagged(pod_template: Object) -> dict[str, str]:
    """Return container -> image of those that are named by a tag, or by nothing but their name."""
    return {c: i for c, i in template.images(pod_template).items() if _is_tagged(i)}


def pinned(choice: Choice, history: Sequence[Revision], ran: Mapping[str, str]) -> Choice:
    """Return the choice with the images of its revision by the digests that ran, where known.

    That is another template, and so another revision: Pods of the history's do not count for it,
    unless it has been pinned before.
    """
    revision = choice.revision
    wanted = {c: by_digest(i, ran[c]) for c, i in tagged(revision.template).items() if c in ran}
    if not wanted:
        return choice
    made = _with_images(revision.template, wanted)
    digest = template.digest(made)
    twin = next((r for r in history if r.hash == digest), None)
    pods, ready = (twin.pods, twin.ready) if twin is not None else ((), 0)
    new = replace(revision, template=made, hash=digest, pods=pods, ready=ready)
    return replace(choice, revision=new, unpinned=revision)


def is_same(recorded: str, now: ImageAnswer, then: ImageAnswer | None) -> bool:
    """Tell whether what a tag resolves to now is what ran.

    A runtime reports the digest of the index or of its platform's manifest. `then` is the
    registry's answer on the recorded one: an index that was pushed again with other attestations
    still has the same manifests.
    """
    if recorded in now.digests:
        return True
    if then is None:
        return False
    return now.digest in then.digests or (bool(_bytes(now)) and _bytes(now) == _bytes(then))


def _bytes(answer: ImageAnswer) -> frozenset[str]:
    return frozenset(e.digest for e in answer.entries or () if e.platform)


def _with_images(pod_template: Object, wanted: Mapping[str, str]) -> dict[str, Any]:
    spec = dict(pod_template["spec"])
    for key in ("initContainers", "containers"):
        if spec.get(key):
            spec[key] = [
                {**c, "image": wanted.get(str(c.get("name", "")), c.get("image"))}
                for c in spec[key]
            ]
    return {**pod_template, "spec": spec}


def _is_tagged(image: str) -> bool:
    try:
        return parse(image).digest is None
    except ValueError:
        return False


def _is_digest(text: str) -> bool:
    try:
        check_digest(text)
    except ValueError:
        return False
    return True
