"""The last lines of a run: the result, why, how the service is, and what to do, the safest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.output.words.layout import Shown
from backout.cli.program import program
from backout.core.events import acting, planning, told, watching
from backout.core.events.trouble import halves, trouble
from backout.core.outcome import Result
from backout.core.plan.where import pods

if TYPE_CHECKING:
    from backout.cli.output.words.layout import Signs
    from backout.core.events.event import Event
    from backout.core.events.lines import Line
    from backout.core.events.trouble import Trouble

SCRIPTED = "rollback rate limit exceeded"
"""Begins the one refusal of which scripts know the whole line."""
_ANYWAY = "to roll back anyway: "
_GOOD = {Result.SUCCEEDED, Result.DRY_RUN, Result.SETTLED, Result.PROGRESSING}
_BAD = {Result.FAILED, Result.REFUSED}
_DOUBT = {Result.UNDECIDED, Result.DECLINED}
_LEFT: dict[str, str] = {Result.FAILED: "FAILED", Result.UNDECIDED: "UNDECIDED"}


class LastWords:
    """What the last lines are made of: kept while a run goes on, and told at its end."""

    def __init__(self) -> None:
        self._blocks: list[planning.Blocked] = []
        self._notes: list[str] = []
        self._steps: list[str] = []
        self._causes: dict[Trouble, list[str]] = {}
        self._finals: dict[Trouble, str] = {}
        self._counted: watching.Counted | None = None
        self._is_triggered = False

    def keeps(self, event: Event) -> bool:
        """Tell whether the end will say it; what is only counted is shown, too."""
        match event:
            case planning.Blocked():
                self._blocks.append(event)
                return True
            case watching.NextStep(message=message):
                self._steps.append(message)
                return True
            case watching.NotReady():
                return self._is_another(event)
            case told.Noted(message=message) if self._blocks:
                # What refusing leaves: it belongs to why nothing was done.
                self._notes.append(message)
                return True
            case watching.Counted():
                self._counted = event
            case acting.Triggered() | acting.Resumed():
                self._is_triggered = True
            case _:
                pass
        return False

    def _is_another(self, event: watching.NotReady) -> bool:
        """Tell whether it is the same trouble of another Pod: those are counted."""
        outlook = event.outlook
        subject, words = halves(event.message, outlook)
        key = trouble(event.code, event.message, final=event.final, outlook=outlook)
        known = self._causes.setdefault(key, [])
        if subject not in known:
            known.append(subject)
        if event.final:
            self._finals[key] = words
        return len(known) > 1

    def scripted(self) -> list[Shown]:
        """Return the line that scripts look for on stderr, where this is that refusal."""
        return [
            Shown(f"ERROR: {b.message}", "bold red", whole=True)
            for b in self._blocks
            if b.message.startswith(SCRIPTED)
        ]

    def ending(self, line: Line, event: told.RunEnded, signs: Signs) -> list[Shown]:
        """Return the last lines; all below the first are indented."""
        is_judged = event.result in _GOOD | _BAD | _DOUBT
        head, *rest = (is_judged and event.sentences) or (event.message,)
        if event.result in _LEFT and self._is_triggered:
            # It begins with what was done, which alone reads like a success.
            word = _LEFT[event.result]
            head = f"{word}: {head}"
            rest = [one.removeprefix(f"{word.lower()}: ") for one in rest]
        style, sign = _signed(event, signs)
        return [
            Shown(f"{sign}{head}", style),
            *(Shown(one, indent=2) for one in rest[:1]),
            *self._service(event),
            *(Shown(one, indent=2) for one in rest[1:]),
            *self._why(event),
            *self._what_to_do(line, event),
        ]

    def _why(self, event: told.RunEnded) -> list[Shown]:
        shown = []
        for one in self._blocks:
            said = "" if one.message.startswith(SCRIPTED) else one.message
            first, *rest = [w for w in (said, one.detail) if w] or [""]
            facts = (fact for words in rest for fact in words.split("; "))
            shown += [Shown(first, "red", one.id), *(Shown(w, "", "") for w in facts)]
        if event.remedy.startswith(_ANYWAY):
            # Whoever cannot go on anyway has no risk to weigh.
            risks = dict.fromkeys(b.risk for b in self._blocks if b.risk)
            shown += [Shown(risk, "yellow", "risk") for risk in risks]
        shown += [Shown(one, "bold", "note") for one in self._notes]
        if event.result == Result.FAILED:
            shown += [
                Shown(f"{len(self._causes[key])} Pods: {words} [{key.code}]", "", "cause")
                for key, words in self._finals.items()
                if len(self._causes[key]) > 1
            ]
        return shown

    def _service(self, event: told.RunEnded) -> list[Shown]:
        """Return whose Pods are Ready now, where a rollout did not end well."""
        count = self._counted
        if count is None or event.result not in {Result.FAILED, Result.UNDECIDED}:
            return []
        own, old = pods(count.ready), pods(count.old_ready)
        # After a rollback "new" and "old" could be either.
        this, other = (
            ("the target", "another revision")
            if self._is_triggered
            else ("the new revision", "the old revision")
        )
        if count.ready and count.old_ready:
            words = f"{own} of {this} and {old} of {other} are Ready"
        elif count.old_ready:
            words = f"still served by {old} of {other}; no Pod of {this} is Ready"
        elif count.ready:
            words = f"served by {own} of {this}, of {count.wanted} wanted"
        else:
            return [Shown("DOWN: no Pod is Ready", "bold red", "service")]
        return [Shown(words, "", "service")]

    def _what_to_do(self, line: Line, event: told.RunEnded) -> list[Shown]:
        """Return the ways on: what is risky first and by itself, the safest last."""
        ways = list(self._steps)
        remedy, fixes = event.remedy, [b.remedy for b in self._blocks if b.remedy]
        anyway = []
        if remedy.startswith(_ANYWAY):
            anyway = [_way(remedy, 2)]
            line_again = f": {remedy.removeprefix(_ANYWAY)}"
            fixes = [one.removesuffix(line_again) for one in fixes]
        elif remedy:
            ways.append(remedy)
        ways = list(dict.fromkeys([*ways, *fixes]))
        if len(ways) == 1 and not anyway and event.result not in _GOOD:
            ways = [f"{_label(event, ways[0])}: {ways[0]}"]
        is_list = event.result not in _GOOD and (len(ways) > 1 or bool(anyway))
        heading = Shown("Better:" if anyway else "What to do:", "bold", indent=2)
        ways += self._writing(line, event)
        return [
            *anyway,
            *([heading] if is_list and ways else []),
            *(_way(one, 4 if is_list else 2) for one in ways),
        ]

    def _writing(self, line: Line, event: told.RunEnded) -> list[str]:
        """Return how the incident is written up, where something was changed and it is over."""
        is_over = event.result in _GOOD or event.result == Result.FAILED
        is_told = is_over and self._is_triggered and line.about.trace_id
        return [f"write it up: {program()} report {line.about.trace_id}"] if is_told else []


def _label(event: told.RunEnded, way: str) -> str:
    """Return what stands before the only way on: what mends a fault is a fix."""
    is_next = way == event.remedy and event.result != Result.NOT_CHANGED
    return "next" if is_next else "fix"


def _way(words: str, indent: int) -> Shown:
    """Return a way on; the line that goes on in spite of a refusal is one line, to be pasted."""
    return Shown(words, indent=indent, whole=words.startswith(_ANYWAY), longest=20_000)


def _signed(event: told.RunEnded, signs: Signs) -> tuple[str, str]:
    if event.result == Result.PROGRESSING:
        return "bold", ""
    if event.result in _GOOD:
        return "bold green", signs.good
    if event.result in _BAD:
        return "bold red", signs.bad
    if event.result in _DOUBT:
        return "bold yellow", signs.doubt
    return "bold red", "ERROR: "
