"""Plays a situation in a namespace of the sandbox."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tests.situations.registry import refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.space import Space
    from tests.situations.situation import Situation


@contextmanager
def staged(space: Space, situation: Situation) -> Iterator[Callable[[], None]]:
    """Bring the first version up and yield what rolls the second one out."""
    with ExitStack() as stack:
        space.deploy(space.version("v1", **situation.first), **situation.spec)
        situation.prepare(space)
        change = json.loads(json.dumps(situation.change).replace("NAMESPACE", space.name))
        if situation.registry:
            behind = space.cluster.registry
            host = refusing(situation.registry, behind=behind, times=situation.times)
            change["image"] = f"{stack.enter_context(host)}/app:v2"
            change["container"] = {"imagePullPolicy": "Always"}
        version = space.version(change.pop("tag", "v2"), **change)
        for one in version.spec.get("initContainers", ()):
            one["image"] = space.image("v1")
        yield lambda: space.roll(version, observed=situation.observed)
