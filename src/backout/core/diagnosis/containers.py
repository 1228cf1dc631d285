"""Why one container does not run: its waiting reason, or how it ended.

Reasons are the kubelet's (kubernetes pkg/kubelet/images/types.go, container/sync_result.go).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.diagnosis.causes import of_pod
from backout.core.diagnosis.pulls import pull_error
from backout.core.kubernetes import objects
from backout.core.spans import span
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

FINAL_RESTARTS = 3
"""A crash loop is final at the third restart with the same exit: two recover, three have not."""

_NO_SUCH_FILE = re.compile(r"no such file or directory|executable file not found", re.IGNORECASE)
_CONFIG_CACHE = re.compile(r"failed to sync .* cache", re.IGNORECASE)
_CONFIG = re.compile(r"\b(configmap|secret)\b", re.IGNORECASE)
_NO_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) \S+?/(?P<name>\S+)"
)
_PULLS = {"ErrImagePull", "ImagePullBackOff"}
_STARTS = {"CreateContainerError", "RunContainerError"}


def of_container(
    pod: Object,
    status: Object,
    events: Sequence[Object],
    *,
    restarts: int,
    same: int,
    is_init: bool,
) -> Iterator[Cause]:
    """Yield why a container is not up. `restarts` are those since our PATCH, `events` the Pod's.

    `same` are the restarts in a row with the same exit.
    """
    waiting = objects.dig(status, "state", "waiting", default={})
    reason, text = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    image, container = str(status.get("image") or ""), f"container {status.get('name')}"
    evidence = f"{reason}: {text}"
    if reason in _PULLS:
        yield pull_error(pod, image, text, events)
    elif reason == "ErrImageNeverPull":
        message = f"image {image} is not on the node and imagePullPolicy is Never"
        yield of_pod("IMAGE_NEVER_PULL", pod, message, evidence, is_final=True)
    elif reason in {"InvalidImageName", "ImageInspectError"}:
        final = reason == "InvalidImageName"
        yield of_pod("IMAGE_INVALID", pod, f"{container}: {text}", evidence, is_final=final)
    elif reason == "CreateContainerConfigError":
        yield _config_error(pod, container, text)
    elif reason in _STARTS or reason.endswith("HookError"):
        final = bool(_NO_SUCH_FILE.search(text))
        yield of_pod("CONTAINER_START", pod, f"{container}: {text}", evidence, is_final=final)
    else:
        yield from _ended(pod, status, events, restarts=restarts, same=same, is_init=is_init)


@dataclass(frozen=True, kw_only=True)
class MissingKey:
    """A key that a container needs, and the ConfigMap or Secret that lacks it."""

    kind: str
    name: str
    key: str


def missing_key(text: str) -> MissingKey | None:
    """Return the key that the kubelet does not find, by its words; None where it is not that."""
    found = _NO_KEY.search(text)
    return MissingKey(**found.groupdict()) if found else None


def _config_error(pod: Object, container: str, text: str) -> Cause:
    evidence = f"CreateContainerConfigError: {text}"
    if _CONFIG_CACHE.search(text):
        return of_pod("CONFIG_MISSING", pod, f"{container}: {text}", evidence)
    if (lacking := missing_key(text)) is not None:
        words = f"{lacking.kind} {lacking.name} has no key {lacking.key}, which {container} needs"
        return of_pod("CONFIG_MISSING", pod, words, evidence, is_final=True)
    if _CONFIG.search(text):
        message = f"{container} needs what is missing: {text}"
        return of_pod("CONFIG_MISSING", pod, message, evidence, is_final=True)
    return of_pod("CONTAINER_START", pod, f"{container}: {text}", evidence, is_final=True)


def _ended(
    pod: Object,
    status: Object,
    events: Sequence[Object],
    *,
    restarts: int,
    same: int,
    is_init: bool,
) -> Iterator[Cause]:
    last = objects.dig(status, "lastState", "terminated")
    ended = objects.dig(status, "state", "terminated") or last
    if ended is None or objects.dig(status, "ready") is True:
        return
    if restarts == 0 and objects.dig(status, "state", "running") is not None:
        return  # it ended before our PATCH and runs now: what hinders it now is something else
    code = ended.get("exitCode")
    if is_init and code == 0:
        return
    name = str(status.get("name"))
    container = f"container {name}"
    reason, text = str(ended.get("reason", "")), str(ended.get("message", ""))
    times = f", {restarts} restart{'s' if restarts != 1 else ''}" if restarts else ""
    evidence = f"terminated: {reason} exit {code}{times}"
    final = same >= FINAL_RESTARTS
    if reason == "StartError":
        final = final or bool(_NO_SUCH_FILE.search(text))
        yield of_pod("CONTAINER_START", pod, f"{container}: {text}", evidence, is_final=final)
    elif reason == "OOMKilled":
        message = f"{container} ran out of memory{times}"
        yield of_pod("OOM_KILLED", pod, message, evidence, is_final=final, container=name)
    elif (killed := _killed_by_probe(events)) and not is_init:
        message = f"{container} is restarted by its own probe{times}: {killed}"
        yield of_pod("PROBE_LIVENESS", pod, message, evidence, is_final=final, container=name)
    else:
        kind = "INIT_FAILED" if is_init else "CRASH_LOOP"
        message = f"{container} ends with exit {code}{_after(ended)}{times}"
        yield of_pod(kind, pod, message, evidence, is_final=final, container=name)


def _after(ended: Object) -> str:
    """Return how long a container ran, in words; empty where its status does not tell."""
    began = objects.timestamp(ended.get("startedAt"))
    over = objects.timestamp(ended.get("finishedAt"))
    if began is None or over is None:
        return ""
    return f" after {span(over, since=began)}" if over > began else " at once"


def _killed_by_probe(events: Sequence[Object]) -> str:
    """Return the probe's failure where a probe had the container restarted; else empty.

    Probe kills end with exit 0 or 137 and are events of type Normal; the failures are Warnings.
    """
    texts = [str(e.get("message", "")) for e in events if e.get("reason") == "Unhealthy"]
    starts = ("Liveness probe failed", "Startup probe failed")
    return next((t for t in reversed(texts) if t.startswith(starts)), "")
