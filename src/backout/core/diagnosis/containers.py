"""Why one container does not run: its waiting reason, or how it ended.

Reasons are the kubelet's (kubernetes pkg/kubelet/images/types.go, container/sync_result.go).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core import spans
from backout.core.diagnosis.causes import of_pod
from backout.core.diagnosis.groups import LOG, Look, Rule
from backout.core.diagnosis.pulls import pull_error
from backout.core.kubernetes import events as told
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

_NO_SUCH_FILE = re.compile(r"no such file or directory|executable file not found", re.IGNORECASE)
_WRONG_PLATFORM = re.compile(r"exec format error", re.IGNORECASE)
_NON_ROOT = re.compile(r"runAsNonRoot|non-root policy|run as root", re.IGNORECASE)
_CONFIG_CACHE = re.compile(
    r"failed to sync .* cache|object \"[^\"]*\"/\"[^\"]*\" not registered", re.IGNORECASE
)
_CONFIG = re.compile(r"\b(?P<kind>configmaps?|secrets?) \"(?P<name>[^\"]*)\"", re.IGNORECASE)
_NO_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) \S+?/(?P<name>\S+)"
)
_PULLS = {"ErrImagePull", "ImagePullBackOff"}
_STARTS = {"CreateContainerError", "RunContainerError"}
AT_ONCE = timedelta(seconds=1)
"""A program that cannot be run does not run for longer."""


class Beside(Struct, frozen=True, kw_only=True):
    """What is known of one container beside its status.

    `restarts` are those since our PATCH, `same` those in a row with the same exit, `events` the
    Pod's. `unchanged` is how long the Pod's status has not been written, `since` when we began;
    `known_secrets` are those that other revisions name, too. `cannot_run`: its log says so.
    `is_proven`: the revision has run before, or runs elsewhere.
    """

    events: Sequence[Object] = ()
    restarts: int = 0
    same: int = 0
    unchanged: timedelta
    since: datetime | None = None
    known_secrets: frozenset[str] = frozenset()
    is_init: bool = False
    cannot_run: bool = False
    is_proven: bool = False


def of_container(pod: Object, status: Object, known: Beside) -> Iterator[Cause]:
    """Yield why a container is not up."""
    waiting = objects.dig(status, "state", "waiting", default={})
    reason, text = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    image, name = str(status.get("image") or ""), str(status.get("name"))
    evidence = f"{reason}: {text}"
    if reason in _PULLS:
        yield pull_error(pod, image, text, known.events, known.since)
    elif reason == "ErrImageNeverPull":
        message = f"image {image} is not on the node and imagePullPolicy is Never"
        lasted = known.unchanged
        yield of_pod("IMAGE_NEVER_PULL", pod, message, evidence, told_for=lasted, about=image)
    elif reason in {"InvalidImageName", "ImageInspectError"}:
        rule = Rule.AT_ONCE if reason == "InvalidImageName" else Rule.DEADLINE
        yield of_pod("IMAGE_INVALID", pod, f"container {name}: {text}", evidence, rule=rule)
    elif reason == "CreateContainerConfigError":
        yield config_error(pod, f"container {name}", text, f"{reason}: {text}", known)
    elif reason in _STARTS or reason.endswith("HookError"):
        yield _not_started(pod, status, text, evidence, known)
    else:
        yield from _ended(pod, status, known)


class MissingKey(Struct, frozen=True, kw_only=True):
    """A key that a container needs, and the ConfigMap or Secret that lacks it."""

    kind: str
    name: str
    key: str


def missing_key(text: str) -> MissingKey | None:
    """Return the key that the kubelet does not find, by its words; None where it is not that."""
    found = _NO_KEY.search(text)
    return MissingKey(**found.groupdict()) if found else None


def missing_object(text: str) -> Look | None:
    """Return the ConfigMap or Secret that the kubelet does not find, by its words."""
    found = _CONFIG.search(text) if "not found" in text else None
    if found is None:
        return None
    kind = "Secret" if found["kind"].lower().startswith("secret") else "ConfigMap"
    return Look(kind=kind, name=found["name"])


def config_error(pod: Object, who: str, text: str, evidence: str, known: Beside) -> Cause:
    """Return the cause that `who` needs what is missing, or cannot be made for another reason."""
    lacking, gone = missing_key(text), missing_object(text)
    if _CONFIG_CACHE.search(text):
        awaits = "the kubelet has not read its caches yet"
        return of_pod("CONFIG_MISSING", pod, f"{who}: {text}", evidence, awaits=awaits)
    if lacking is not None:
        words = f"{lacking.kind} {lacking.name} has no key {lacking.key}, which {who} needs"
        look = Look(kind=lacking.kind, name=lacking.name, key=lacking.key)
        return of_pod("CONFIG_MISSING", pod, words, evidence, **_missing(look, known))
    if gone is not None:
        words = f"{gone} does not exist, which {who} needs: {text}"
        return of_pod("CONFIG_MISSING", pod, words, evidence, **_missing(gone, known))
    rule = Rule.AT_ONCE if _NON_ROOT.search(text) else Rule.DEADLINE
    return of_pod("CONTAINER_START", pod, f"{who}: {text}", evidence, rule=rule)


def _missing(look: Look, known: Beside) -> dict[str, Any]:
    return {
        "about": str(look),
        "look": look,
        "told_for": max(known.unchanged, told.told_for(_naming(known.events, look), known.since)),
        "is_new": look.kind == "Secret" and look.name not in known.known_secrets,
        "unless": "it appears",
    }


def _naming(events: Sequence[Object], look: Look) -> list[Object]:
    words = look.key or look.name
    return [e for e in events if words in str(e.get("message", ""))]


def _not_started(pod: Object, status: Object, text: str, evidence: str, known: Beside) -> Cause:
    """Return why a container could not be started: a program, a platform or a hook may be wrong."""
    name = str(status.get("name"))
    reason = evidence.partition(":")[0]
    again: dict[str, Any] = {
        "about": reason if reason.endswith("HookError") else "start",
        "answer": f"{status.get('restartCount')} {_newest(known.events, 'Failed')}",
        "told_for": told.told_for(
            [e for e in known.events if _same(str(e.get("message", "")), text)], known.since
        ),
    }
    if _WRONG_PLATFORM.search(text):
        return wrong_platform(pod, name, evidence, known, again)
    is_answer = bool(_NO_SUCH_FILE.search(text)) or reason.endswith("HookError")
    rule = Rule.AGAIN if is_answer else Rule.DEADLINE
    words = f"container {name}: {text}"
    return of_pod("CONTAINER_START", pod, words, evidence, rule=rule, container=name, **again)


def wrong_platform(
    pod: Object, name: str, evidence: str, known: Beside, ground: dict[str, Any]
) -> Cause:
    """Return the cause that the node cannot run a container's program.

    A script without its first line `#!` reads the same (offen/docker-volume-backup#306), and so
    does an image that one node has unpacked badly (containerd/containerd#5854, #12243): what has
    run before, or runs on another node, is not to blame.
    """
    if known.is_proven:
        node = str(objects.dig(pod, "spec", "nodeName", default="its node"))
        words = (
            f"container {name}: exec format error on {node}, and the same program has run "
            f"elsewhere: {node} may have unpacked the image badly"
        )
        rule = Rule.DEADLINE
        return of_pod("IMAGE_PLATFORM", pod, words, evidence, rule=rule, container=name, **ground)
    words = (
        f"container {name}: exec format error: its program is built for another platform, or is a "
        "script without `#!`"
    )
    return of_pod("IMAGE_PLATFORM", pod, words, evidence, container=name, **ground)


def _same(message: str, text: str) -> bool:
    return bool(text) and text[:200] in message


def _newest(events: Sequence[Object], reason: str) -> str:
    return str([told.last_seen(e) for e in events if e.get("reason") == reason][-1:])


def _ended(pod: Object, status: Object, known: Beside) -> Iterator[Cause]:
    if objects.dig(status, "ready") is True:
        return
    if known.restarts == 0 and objects.dig(status, "state", "running") is not None:
        return  # it ended before our PATCH and runs now: what hinders it now is something else
    yield from last_exit(pod, status, known)


def last_exit(pod: Object, status: Object, known: Beside) -> Iterator[Cause]:
    """Yield why a container's newest run that ended did so; nothing where none has."""
    last = objects.dig(status, "lastState", "terminated")
    ended = objects.dig(status, "state", "terminated") or last
    if ended is None:
        return
    code = ended.get("exitCode")
    if known.is_init and code == 0:
        return
    name = str(status.get("name"))
    reason, text = str(ended.get("reason", "")), str(ended.get("message", ""))
    again = f", {known.restarts} restart{'s' if known.restarts != 1 else ''}"
    times = again if known.restarts else ""
    evidence = f"terminated: {reason} exit {code}{times}"
    hook = _failed_hook(known.events, name)
    if reason == "StartError" or _WRONG_PLATFORM.search(text):
        yield _not_started(pod, status, text, f"{reason}: {text}", known)
    elif hook is not None:
        words = str(hook.get("message", ""))
        yield _hook_failed(pod, status, words, known)
    elif reason == "OOMKilled":
        message = f"container {name} ran out of memory{times}"
        yield of_pod("OOM_KILLED", pod, message, evidence, container=name, exits=known.same)
    elif (killed := _killed_by_probe(known.events, name)) and not known.is_init:
        message = f"container {name} is restarted by its own probe{times}: {killed}"
        yield of_pod("PROBE_LIVENESS", pod, message, evidence, container=name, exits=known.same)
    elif known.cannot_run:
        count = str(status.get("restartCount"))
        backs = [e for e in known.events if e.get("reason") == "BackOff" and _is_of(e, name)]
        lasted = told.told_for(backs, known.since)
        made = {"about": "start", "answer": count, "told_for": lasted}
        yield wrong_platform(pod, name, evidence, known, made)
    else:
        kind = "INIT_FAILED" if known.is_init else "CRASH_LOOP"
        message = f"container {name} ends with exit {code}{_after(ended)}{times}"
        look = log_of(pod, name) if code != 0 and _is_at_once(ended) else None
        yield of_pod(kind, pod, message, evidence, container=name, exits=known.same, look=look)


def log_of(pod: Object, container: str) -> Look:
    """Return the look at what a container said last.

    runc says `exec /app: exec format error` there and nowhere else (measured, containerd on
    Kubernetes 1.34.4: exit 1, started and finished in the same second, no message).
    """
    return Look(kind=LOG, name=objects.name(pod), key=container)


def _is_at_once(ended: Object) -> bool:
    ran = _ran(ended)
    return ran is not None and ran <= AT_ONCE


def _hook_failed(pod: Object, status: Object, words: str, known: Beside) -> Cause:
    name = str(status.get("name"))
    failed = [e for e in known.events if e.get("reason") == "FailedPostStartHook"]
    message = f"container {name} is killed, as its postStart hook fails: {words}"
    return of_pod(
        "CONTAINER_START",
        pod,
        message,
        f"FailedPostStartHook: {words}",
        rule=Rule.AGAIN,
        container=name,
        about="hook",
        answer=str(status.get("restartCount")),
        told_for=told.told_for(failed, known.since),
    )


def _failed_hook(events: Sequence[Object], container: str) -> Object | None:
    found = [e for e in events if e.get("reason") == "FailedPostStartHook" and _is_of(e, container)]
    return found[-1] if found else None


def _ran(ended: Object) -> timedelta | None:
    began = objects.timestamp(ended.get("startedAt"))
    over = objects.timestamp(ended.get("finishedAt"))
    return over - began if began is not None and over is not None else None


def _after(ended: Object) -> str:
    """Return how long a container ran, in words; empty where its status does not tell."""
    ran = _ran(ended)
    if ran is None:
        return ""
    return f" after {spans.words(ran)}" if ran > timedelta(0) else " at once"


def _killed_by_probe(events: Sequence[Object], container: str) -> str:
    """Return the probe's failure where a probe had the container restarted; else empty.

    Probe kills end with exit 0 or 137 and are events of type Normal; the failures are Warnings.
    """
    texts = [
        str(e.get("message", ""))
        for e in events
        if e.get("reason") == "Unhealthy" and _is_of(e, container)
    ]
    starts = ("Liveness probe failed", "Startup probe failed")
    return next((t for t in reversed(texts) if t.startswith(starts)), "")


def _is_of(event: Object, container: str) -> bool:
    """Tell whether a kubelet's event is about this container, or does not say about which."""
    path = str(objects.dig(event, "involvedObject", "fieldPath", default=""))
    return not path or path.endswith(f"{{{container}}}")
