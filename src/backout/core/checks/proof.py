"""PF1xx: is the target proven? By the ledger, by its Pods that run now, or by a rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks.check import Check, Fact
from backout.core.checks.lines import ANY, again, chosen_anew, elsewhere, of, older
from backout.core.health import asking, endpoints
from backout.core.health.endpoints import Origin
from backout.core.health.judgement import Answer
from backout.core.history import served
from backout.core.kubernetes import objects
from backout.core.model import Severity
from backout.core.preflight.rehearsal import NotRehearsed, RehearsalFailed
from backout.core.preflight.snapshot import Need, Preflight
from backout.core.rights import permissions
from backout.core.spans import words

if TYPE_CHECKING:
    from collections.abc import Iterator

UNPROVEN = frozenset({"PF110", "PF114", "PF906"})
"""What a rehearsal may yet answer."""


def is_unproven(preflight: Preflight) -> bool:
    """Tell whether little or nothing shows that the target works.

    To have served for an hour is no proof, but more than nothing.
    """
    choice = preflight.choice
    return not choice.proven and (_is_known_bad(preflight) or not choice.has_served_long)


def _is_known_bad(preflight: Preflight) -> bool:
    return preflight.destination.hash in preflight.snapshot.known.bad


def target_is_unproven(preflight: Preflight) -> Iterator[Fact]:
    """It was never recorded healthy, no Pod of it is Ready, and it did not serve for an hour.

    What is known to be bad PF109 tells.
    """
    is_told = preflight.policy.require_proof or _is_known_bad(preflight)
    if is_unproven(preflight) and not is_told:
        line = older(preflight)
        yield Fact(
            message=_unproven(preflight),
            remedy=f"the next older candidate: {line}"
            if line
            else "watch the outcome: backout tells whether the service answers",
        )


def proof_is_required(preflight: Preflight) -> Iterator[Fact]:
    """The user takes no target without proof (`--require-proof`)."""
    if not preflight.choice.proven and preflight.policy.require_proof:
        yield Fact(
            message=f"{_unproven(preflight)} (--require-proof)",
            remedy="go to a revision with proof (--to-last-healthy)" + _or_rehearse(preflight),
            risk="the target may not work either",
        )


def _or_rehearse(preflight: Preflight) -> str:
    """Return how the target is proven; what a trial Pod has shown already is told elsewhere."""
    if preflight.policy.rehearse:
        return ""
    line = again(preflight.policy, preflight.snapshot, "--rehearse")
    return f", or try it out in a trial Pod before anything is switched: {line}"


def _unproven(preflight: Preflight) -> str:
    number = preflight.destination.number
    if _is_known_bad(preflight):
        return f"revision {number} is unproven: it is known to be bad, whatever its Pods say"
    hidden = Need.PODS in preflight.snapshot.unreadable
    live = "its Pods could not be read" if hidden else "no Pod of it is Ready now"
    said = f"revision {number} is unproven: {live}, and it was not recorded healthy"
    span = served.current_for(preflight.origin, preflight.revisions)
    if span is None or served.is_long(span):
        return said
    return f"{said}; it was current for {words(span)}, which proves nothing"


def health_is_required(preflight: Preflight) -> Iterator[Fact]:
    """The user wants the service to be asked (`--require-health`), and that cannot be done."""
    unasked = preflight.snapshot.unasked
    if unasked and preflight.policy.require_health:
        line = chosen_anew(preflight.policy, preflight.snapshot)
        yield Fact(
            message=f"the service's health cannot be asked: {'; '.join(unasked)} "
            "(--require-health)",
            remedy="; ".join([*dict.fromkeys(r for r in unasked.values() if r), _without(line)]),
        )


def _without(line: str) -> str:
    """Return how it is done without the demand."""
    bare = line.replace(" --require-health", "")
    return f"or leave --require-health out: {bare}" if bare != line else "or do not require health"


def rehearsal_failed(preflight: Preflight) -> Iterator[Fact]:
    """The trial Pod did not come up, or answered badly: so would the target's own Pods."""
    rehearsal = preflight.snapshot.rehearsal
    if isinstance(rehearsal, RehearsalFailed):
        yield Fact(
            message=f"the rehearsal of revision {preflight.destination.number} failed: "
            f"{rehearsal.why}",
            remedy=_mended(preflight, rehearsal.remedy),
            risk="the target's own Pods fail in the same way",
        )


def _mended(preflight: Preflight, remedy: str) -> str:
    line = elsewhere(preflight)
    if not remedy:
        return f"go to another revision ({line})"
    return remedy if line == ANY else f"{remedy}; the next best revision: {line}"


def may_not_be_rehearsed(preflight: Preflight) -> Iterator[Fact]:
    """The user asked for a rehearsal, and has not the right, or it would do harm by itself."""
    rehearsal = preflight.snapshot.rehearsal
    if isinstance(rehearsal, NotRehearsed) and rehearsal.is_refused:
        yield Fact(
            message=f"--rehearse was asked for, and revision {preflight.destination.number} may "
            f"not be rehearsed: {rehearsal.why}",
            remedy=rehearsal.remedy or "look at the other findings; leave --rehearse out",
            risk="the target goes live without the trial that was asked for",
        )


def could_not_be_rehearsed(preflight: Preflight) -> Iterator[Fact]:
    """No trial Pod could be made, or it showed nothing: that makes the target neither."""
    rehearsal = preflight.snapshot.rehearsal
    if isinstance(rehearsal, NotRehearsed) and not rehearsal.is_refused:
        yield Fact(
            message=f"revision {preflight.destination.number} could not be rehearsed: "
            f"{rehearsal.why}",
            remedy=rehearsal.remedy or "look at the other findings; leave --rehearse out",
        )


def health_annotation_is_refused(preflight: Preflight) -> Iterator[Fact]:
    """The workload's own word on its health is a URL, or nothing that can be asked of a Pod."""
    text = objects.annotations_of(preflight.snapshot.workload).get(endpoints.ANNOTATION, "")
    if text and not endpoints.annotated(preflight.snapshot.workload):
        yield Fact(
            message=f"the annotation {endpoints.ANNOTATION} is ignored: {text!r:.80} is neither a "
            "/path nor a PORT/path",
            detail="whoever may write the workload must not choose what this machine asks",
            remedy="write a path there; a URL is given by --health; to take it away: "
            + of(
                "kubectl annotate", preflight.policy, preflight.snapshot, f"{endpoints.ANNOTATION}-"
            ),
        )


def target_is_half_started(preflight: Preflight) -> Iterator[Fact]:
    """Not one of its Pods is Ready and they fail, or none answers well what the user named.

    What backout guessed is evidence: where the kubelet finds Pods Ready, it warns (PF122).
    """
    number, why = preflight.destination.number, _none_is_well(preflight)
    if why:
        yield Fact(
            message=why,
            detail="what backout itself chose to ask would only warn"
            if _is_named(preflight)
            else "none of them is Ready by its own probe either",
            remedy=f"go to another revision ({elsewhere(preflight)}), or wait until the Pods of "
            f"revision {number} are well",
            risk="the target may be as broken as what runs now",
        )


def _none_is_well(preflight: Preflight) -> str:
    number, pods = preflight.destination.number, preflight.origin.pods
    samples = preflight.snapshot.pod_health
    unwell = [s for s in samples if s.answer is Answer.UNWELL]
    is_ready = any(objects.is_ready(pod) for pod in pods)
    if unwell and len(unwell) == len(samples) and (_is_named(preflight) or not is_ready):
        return (
            f"every running Pod of revision {number} that was asked "
            f"({_out_of(preflight) or len(samples)}) answers badly ({unwell[0].subject}: "
            f"{unwell[0].detail})"
        )
    active = [pod for pod in pods if objects.is_active(pod)]
    told = [asking.crashing(pod, preflight.snapshot.now) for pod in active]
    broken = [] if is_ready else [words for words in told if words]
    if broken and len(broken) == len(active):
        count = "its only Pod crashes" if len(broken) == 1 else f"all {len(broken)} Pods crash"
        return f"no Pod of revision {number} is Ready, {count} again and again ({broken[0]})"
    return ""


def _is_named(preflight: Preflight) -> bool:
    return all(getattr(e, "origin", None) is Origin.NAMED for e in preflight.endpoints)


def some_pods_are_unhealthy(preflight: Preflight) -> Iterator[Fact]:
    """Some Pods of the target do not answer well; or none does what backout guessed to ask."""
    samples = preflight.snapshot.pod_health
    unwell = [s for s in samples if s.answer is Answer.UNWELL]
    if unwell and not _none_is_well(preflight):
        ready = sum(objects.is_ready(pod) for pod in preflight.origin.pods)
        guessed = f"; by its own probe the kubelet finds {ready} of them Ready"
        yield Fact(
            message=f"{len(unwell)} of {len(samples)} running Pods of revision "
            f"{preflight.destination.number}{_not_all(preflight)} do not answer well "
            f"({unwell[0].subject}: {unwell[0].detail})"
            + (guessed if any(s.is_guess for s in unwell) else ""),
            remedy=f"look at it: kubectl logs {unwell[0].subject.removeprefix('Pod ')} "
            f"-n {preflight.snapshot.target.namespace}",
        )


def pod_health_is_inconclusive(preflight: Preflight) -> Iterator[Fact]:
    """Pods of it run, and their health could not be asked: that makes them neither well nor bad.

    An answer to another question than the kubelet's is none; the kubelet's own is the word then.
    """
    samples = preflight.snapshot.pod_health
    unknown = [s for s in samples if s.answer is Answer.UNKNOWN and not s.is_misasked]
    if unknown and not _none_is_well(preflight):
        is_forbidden = any(s.is_forbidden for s in unknown)
        rule = permissions.remedy("pods/proxy")
        yield Fact(
            message=f"the health of {len(unknown)} of {len(samples)} running Pods of revision "
            f"{preflight.destination.number}{_not_all(preflight)} could not be asked "
            f"({unknown[0].subject}: {unknown[0].detail})",
            remedy=rule if is_forbidden else "name where they answer: --health PORT/PATH",
        )


def _out_of(preflight: Preflight) -> str:
    return asking.out_of(preflight.origin.pods, len(preflight.snapshot.pod_health))


def _not_all(preflight: Preflight) -> str:
    told = _out_of(preflight)
    return f" ({told} were asked)" if told else ""


CHECKS = (
    Check(
        id="PF110",
        severity=Severity.WARN,
        title="the target is unproven",
        find=target_is_unproven,
    ),
    Check(
        id="PF114",
        severity=Severity.BLOCK,
        title="the target is unproven, and proof is required",
        find=proof_is_required,
    ),
    Check(
        id="PF118",
        severity=Severity.BLOCK,
        title="health is required, and there is nothing to ask",
        find=health_is_required,
        acceptable=False,
    ),
    Check(
        id="PF121",
        severity=Severity.BLOCK,
        title="the target is half-started: none of its Pods is well",
        find=target_is_half_started,
        needs=frozenset({Need.PODS}),
        parts=frozenset({Need.POD_HEALTH}),
    ),
    Check(
        id="PF122",
        severity=Severity.WARN,
        title="some Pods of the target do not answer well",
        find=some_pods_are_unhealthy,
        needs=frozenset({Need.PODS, Need.POD_HEALTH}),
    ),
    Check(
        id="PF123",
        severity=Severity.WARN,
        title="the health of the target's Pods could not be asked",
        find=pod_health_is_inconclusive,
        needs=frozenset({Need.PODS, Need.POD_HEALTH}),
    ),
    Check(
        id="PF124",
        severity=Severity.BLOCK,
        title="the rehearsal failed",
        find=rehearsal_failed,
    ),
    Check(
        id="PF125",
        severity=Severity.WARN,
        title="the target could not be rehearsed",
        find=could_not_be_rehearsed,
    ),
    Check(
        id="PF126",
        severity=Severity.WARN,
        title="the workload's health annotation is no path",
        find=health_annotation_is_refused,
    ),
    Check(
        id="PF127",
        severity=Severity.BLOCK,
        title="a rehearsal was asked for and may not be made",
        find=may_not_be_rehearsed,
    ),
)
