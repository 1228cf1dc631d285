"""Many workloads: a row each, the table worst first, and the last word."""

from __future__ import annotations

import pytest

from backout.cli.output import tables
from backout.cli.output.words import standing_table
from backout.core.errors import BackoutError, Forbidden
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.model import Finding, Severity, Skipped
from backout.core.outcome import Result
from backout.core.plan import standing
from backout.core.plan.plan import Plan, Refusal, decide, refuse
from backout.core.plan.selection import select
from backout.core.plan.standing import Row, Standing
from backout.core.preflight.request import Request
from tests.core.values_made import preflight, snapshot
from tests.objects.replica_sets import replica_set

BLOCK, WARN, INFO = Severity.BLOCK, Severity.WARN, Severity.INFO


def target(name: str, namespace: str = "shop") -> Target:
    return Target(kind=DEPLOYMENT, namespace=namespace, name=name)


def finding(one: str, severity: Severity, message: str = "it is so") -> Finding:
    return Finding(id=one, severity=severity, message=message)


def row(name: str, *findings: Finding, namespace: str = "shop", strict: bool = False) -> Row:
    found = decide(preflight(policy={"strict": strict}), findings, ())
    return standing.row(target(name, namespace), found)


def unknown(name: str) -> Row:
    return standing.unknown(target(name), Forbidden("not yours", code=403, remedy="ask"))


def lines(*rows: Row) -> list[str]:
    told: list[str] = []
    cells = standing_table.table([standing.checked(r) for r in rows])
    tables.table(lambda text, *_: told.append(text), standing_table.HEADER, cells)
    return told


def names(*rows: Row) -> list[str]:
    return [line.split()[1].removeprefix("deployment/") for line in lines(*rows)[1:]]


def test_the_worst_comes_first_and_equals_stand_by_namespace_and_name() -> None:
    assert names(
        row("clean"),
        row("b", finding("PF110", WARN)),
        row("a", finding("PF110", WARN)),
        row("first", finding("PF110", WARN), namespace="a-shop"),
        row("info", finding("PF999", INFO)),
        unknown("hidden"),
        row("blocked", finding("PF401", BLOCK), finding("PF110", WARN)),
    ) == ["blocked", "hidden", "first", "a", "b", "info", "clean"]


def test_a_row_says_where_from_where_to_and_what_refuses_in_words() -> None:
    head, one = lines(
        row("web", finding("PF110", WARN, "unproven"), finding("PF401", BLOCK, "Argo CD owns it"))
    )

    assert head.split("   ")[0] == "NAMESPACE"
    assert one.split() == [
        *("shop", "deployment/web", "3", "2", "no"),
        *["PF401", "Argo", "CD", "owns", "it", "(+1", "more)"],
    ]


def test_a_warning_that_refuses_under_strict_stands_among_the_refused() -> None:
    strict = row("strict", finding("PF110", WARN), strict=True)

    assert strict.answer is Standing.REFUSED
    assert names(unknown("hidden"), strict) == ["strict", "hidden"]


def test_one_that_could_not_be_read_says_why() -> None:
    _, one = lines(unknown("web"))

    assert one.split() == ["shop", "deployment/web", "-", "-", "unknown", "not", "yours"]


def test_one_revision_only_is_refused_with_nowhere_to_go() -> None:
    alone = snapshot(stored=(replica_set(3),))
    choice = select(alone, Request())
    assert isinstance(choice, Finding)
    found = standing.row(target("new"), refuse(alone, choice))

    assert (found.answer, found.now, found.back_to) == (Standing.REFUSED, 3, None)
    assert found.now_images == (("app", "reg.example/app:v3"),)
    assert standing.checked(found).message == "deployment/new would not be rolled back (PF104)"
    assert "PF104 nothing to go back to" in lines(found)[1]


def test_what_is_skipped_is_counted_in_the_row_and_never_passed() -> None:
    hidden = (
        Skipped(id="PF201", title="t", reason="ConfigMaps: no"),
        Skipped(id="PF203", title="t", reason="ConfigMaps: no"),
        Skipped(id="PF201", title="t", reason="Secrets: no"),
    )
    found = standing.row(target("web"), decide(preflight(), (), hidden))
    told = standing.checked(found)

    assert lines(found)[1].split()[:5] == ["shop", "deployment/web", "3", "2", "yes"]
    assert [s.id for s in told.skipped] == ["PF201", "PF203", "PF201"]
    assert standing_table.reasons([told, told, standing.checked(unknown("x"))]) == [
        "PF201, PF203 of 2 workloads: not checked: ConfigMaps: no",
        "PF201 of 2 workloads: not checked: Secrets: no",
    ]


def test_many_reasons_are_cut_and_their_number_is_told() -> None:
    hidden = tuple(Skipped(id="PF201", title="t", reason=f"no {i}") for i in range(13))
    found = standing.row(target("web"), decide(preflight(), (), hidden))

    assert standing_table.reasons([standing.checked(found)])[-1] == (
        "and for 3 more reasons: -o json has them all"
    )


def test_a_hostile_text_does_nothing_to_the_table() -> None:
    told = lines(row("web", finding("PF110", WARN, "\x1b[2J\n" + "x" * 9000)))

    assert len(told) == 2
    assert "\\x1b[2J\\n" in told[1]
    assert len(told[1]) < tables.LONGEST + 100


def test_words_are_never_cut_short_where_they_go_into_a_pipe() -> None:
    words = "it cannot be told " * 50
    _, one = lines(row("web", finding("PF110", WARN, words)))

    assert one.endswith(words.strip())


def counted(possible: int, refused: int = 0, unread: int = 0) -> dict[Standing, int]:
    return {Standing.POSSIBLE: possible, Standing.REFUSED: refused, Standing.UNKNOWN: unread}


@pytest.mark.parametrize(
    ("count", "result", "message"),
    [
        (counted(40), Result.SUCCEEDED, "40 of 40 workloads could be rolled back"),
        (
            counted(37, 2, 1),
            Result.REFUSED,
            "37 of 40 workloads could be rolled back; 2 would be refused, 1 could not be checked",
        ),
        (
            counted(0, 2),
            Result.REFUSED,
            "0 of 2 workloads could be rolled back; 2 would be refused",
        ),
        (
            counted(3, 0, 1),
            Result.NOT_CHANGED,
            "3 of 4 workloads could be rolled back; 1 could not be checked",
        ),
    ],
)
def test_the_last_word_counts_and_only_all_is_success(
    count: dict[Standing, int], result: Result, message: str
) -> None:
    last = standing.outcome(count)

    assert (last.result, last.whole) == (result, message)
    assert bool(last.remedy) == (result is not Result.SUCCEEDED)


def test_fields_are_what_the_journal_page_says() -> None:
    told = standing.checked(row("web", finding("PF110", WARN))).fields

    assert told["workload"] == {"kind": "Deployment", "namespace": "shop", "name": "web"}
    assert (told["answer"], told["worst"], told["ids"]) == ("possible", "WARN", ["PF110"])
    assert (told["now"], told["back_to"]) == (3, 2)
    assert told["findings"] == [
        {
            "id": "PF110",
            "severity": "WARN",
            "message": "it is so",
            "detail": "",
            "remedy": "",
            "refuses": False,
        }
    ]
    assert standing.checked(standing.unknown(target("x"), BackoutError("why"))).error == "why"


def test_the_types_of_the_core_are_all_that_a_row_is_made_of() -> None:
    plan, refusal = decide(preflight(), (), ()), decide(preflight(), (finding("PF1", BLOCK),), ())

    assert isinstance(plan, Plan)
    assert isinstance(refusal, Refusal)
    assert standing.checked(standing.row(target("web"), plan)).message == (
        "deployment/web could be rolled back to revision 2"
    )
    assert standing.row(target("web"), refusal).blocks == {"PF1"}
