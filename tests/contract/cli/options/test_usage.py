"""Every wrong argument: exit 2, one sentence, nothing on stdout, nobody asked.

The many are told in this process: nothing but argv decides. That the program ends as `cli` does is
seen with those that it is started with.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from backout.cli.help.arguments import plain
from backout.cli.main import cli
from backout.cli.program import PROGRAM
from tests.contract.cli.command import Finished

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

WRONG = {
    "no workload": ((), "name one workload"),
    "a bare type": (("deploy",), "a name is required"),
    "a type and a slash": (("deploy/",), "a name is required"),
    "two workloads": (("deploy/web", "deploy/api"), "name one workload"),
    "two names": (("deploy", "web", "api"), "name one workload"),
    "three segments": (("deploy/web/x",), "not a name"),
    "a kind that is none": (("frog/web",), "not a kind"),
    "a pod": (("pod/web",), "not a kind"),
    "a job": (("job/db",), "not a kind that backout rolls back (Deployment,"),
    "a statefulset of another group": (("sts.example.org/db",), "not a kind"),
    "another group": (("deploy.extensions/web",), "not a kind"),
    "a name that is none": (("deploy/Web_1",), "not a name"),
    "a name that climbs": (("deploy/../x",), "not a name"),
    "a name that is too long": (("deploy/" + "a" * 254,), "not a name"),
    "an escape in the name": (("deploy/\x1b[2Jweb",), "not a name"),
    "a time that is none": (("deploy/web", "--timeout", "5x"), "takes a time span such as"),
    "no time": (
        ("deploy/web", "--request-timeout", "0"),
        "--request-timeout takes a time span of more than 0; got '0'",
    ),
    "no seconds": (("deploy/web", "--health-timeout", "0s"), "more than 0; got '0s'"),
    "time that is up before success has held": (
        ("deploy/web", "--timeout", "3s"),
        "--timeout 3s is over before --soak 5s has held",
    ),
    "negative time": (("deploy/web", "--timeout=-1s"), "takes a time span such as"),
    "empty time": (("deploy/web", "--request-timeout", ""), "takes a time span such as"),
    "endless time": (("deploy/web", "--health-timeout", "9999999h"), "takes a time span such as"),
    "infinite time": (("deploy/web", "--rollback-window", "inf"), "takes a time span such as"),
    "time in other digits": (("deploy/web", "--timeout", "٣s"), "takes a time span such as"),
    "negative revision": (("deploy/web", "--to-revision", "-1"), "-1"),
    "revision zero": (
        ("deploy/web", "--to-revision", "0"),
        "takes a number that is at least 1; got '0'",
    ),
    "revision in words": (("deploy/web", "--to-revision", "last"), "at least 1; got 'last'"),
    "accept without reason": (("deploy/web", "--accept", "PF801"), "--accept needs --reason"),
    "accept with empty reason": (
        ("deploy/web", "--accept", "PF801", "--reason", "  "),
        "--accept needs --reason",
    ),
    "an unknown id": (("deploy/web", "--accept", "PF999", "--reason", "r"), "no check 'PF999'"),
    "an id in small letters": (("deploy/web", "--accept", "pf801", "--reason", "r"), "no check"),
    "an id that nothing lifts": (
        ("deploy/web", "--accept", "PF802", "--reason", "r"),
        "cannot be accepted",
    ),
    "no such revision cannot be accepted": (
        ("deploy/web", "--accept", "PF101", "--reason", "r"),
        "cannot be accepted",
    ),
    "a long reason": (("deploy/web", "--reason", "x" * 501), "500 characters at most"),
    "health by ftp": (("deploy/web", "--health", "ftp://x/"), "--health takes"),
    "health with a password": (("deploy/web", "--health", "http://u:pw@x/"), "--health takes"),
    "health in words": (("deploy/web", "--health", "not a path"), "--health takes"),
    "health with a blank": (("deploy/web", "--health", "/a b"), "--health takes"),
    "a revision and the last healthy": (
        ("deploy/web", "--to-revision", "1", "--to-last-healthy"),
        "contradict each other",
    ),
    "a revision and an image": (
        ("deploy/web", "--to-revision", "1", "--to-image", "shop:v1"),
        "--to-revision and --to-image contradict each other",
    ),
    "no time to rehearse": (
        ("deploy/web", "--rehearse-timeout", "0"),
        "a time span of more than 0",
    ),
    "one of two healths by ftp": (
        ("deploy/web", "--health", "/up", "--health", "ftp://x/"),
        "--health takes",
    ),
    "a health status that is none": (("deploy/web", "--health-status", "2x"), "'2x' is no status"),
    "a JSON field without a value": (("deploy/web", "--health-json", "status"), "not PATH=VALUE"),
    "a method for a Service": (
        ("deploy/web", "--health", "/up", "--health-method", "POST"),
        "--health-method is for URLs",
    ),
    "a method for nothing": (
        ("deploy/web", "--health-method", "HEAD"),
        "--health-method is for URLs",
    ),
    "a body of HEAD": (
        ("deploy/web", "--health", "http://x/", "--health-method", "HEAD", "--health-text", "ok"),
        "HEAD has no body",
    ),
    "headers for a Service": (
        ("deploy/web", "--health", "/up", "--health-header-file", "h"),
        "--health-header-file is for URLs",
    ),
    "headers for two hosts": (
        (
            *("deploy/web", "--health", "http://a/", "--health", "http://b/"),
            *("--health-header-file", "h"),
        ),
        "go to one host only",
    ),
    "a CA for plain http": (
        ("deploy/web", "--health", "http://x/", "--health-ca", "ca.pem"),
        "--health-ca is for https",
    ),
    "a soak that never ends": (
        ("deploy/web", "--soak", "10s", "--health-timeout", "10s"),
        "--soak must be shorter",
    ),
    "no successes": (("deploy/web", "--health-successes", "0"), "takes a number from 1 to 100"),
    "no rollbacks": (("deploy/web", "--rollback-limit", "0"), "from 1 to 50"),
    "an output that is none": (("deploy/web", "-o", "yaml"), "takes text or json; got 'yaml'"),
    "a dry run that is none": (
        ("deploy/web", "--dry-run=client"),
        "--dry-run takes none or server; got 'client'",
    ),
    "a trace id with spaces": (("deploy/web", "--trace-id", "a b"), "--trace-id takes"),
    "an empty trace id": (("deploy/web", "--trace-id", ""), "--trace-id takes"),
    "an endless trace id": (("deploy/web", "--trace-id", "a" * 129), "--trace-id takes"),
    "an option that is none": (("deploy/web", "--force"), "there is no option '--force'"),
    "the beginning of two options": (
        ("deploy/web", "--to", "2"),
        "there is no option '--to'; did you mean --to-revision or --to-image or --to-last-healthy?",
    ),
}


def refused(*arguments: str, **environ: str) -> Finished:
    """Return what the command says where argv alone makes it end."""
    with patch.object(sys, "argv", [PROGRAM, *arguments]):
        ended = CliRunner(catch_exceptions=False).invoke(
            cli, arguments, prog_name=PROGRAM, env={"KUBECONFIG": "/nowhere", **environ}
        )
    return Finished(ended.exit_code, ended.stdout, ended.stderr)


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_argument_ends_with_exit_2_and_one_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    check_refused(refused("undo", *arguments), sentence)


def check_refused(done: Finished, sentence: str) -> None:
    errors = [line for line in done.lines if line.startswith("Error: ")]

    assert done.code == 2, done.err
    assert done.out == ""
    assert errors == [done.lines[-1]]
    assert sentence in errors[0]
    assert "\x1b" not in done.err
    assert "pw@" not in done.err


OTHERS = {
    "mark without a word": (("ledger", "mark", "deploy/web", "--reason", "r"), "needs --healthy"),
    "mark without a reason": (("ledger", "mark", "deploy/web", "--bad"), "and --reason TEXT"),
    "mark with an empty reason": (
        ("ledger", "mark", "deploy/web", "--bad", "--reason", " "),
        "and --reason TEXT",
    ),
    "mark with a long reason": (
        ("ledger", "mark", "deploy/web", "--bad", "--reason", "x" * 501),
        "500 characters at most",
    ),
    "mark nothing": (("ledger", "mark", "--bad", "--reason", "r"), "name one workload"),
    "mark two": (("ledger", "mark", "deploy/a", "deploy/b", "--bad", "--reason", "r"), "name one"),
    "a word without mark": (("ledger", "deploy/web", "--bad"), "--bad goes with: ledger mark"),
    "a revision without mark": (("ledger", "deploy/web", "--revision", "2"), "goes with"),
    "all namespaces and a name": (("ledger", "-A", "deploy/web"), "takes no TYPE/NAME"),
    "a list of local ledgers": (("ledger", "--ledger", "local"), "name it, TYPE/NAME"),
    "a ledger of a pod": (("ledger", "pod/web"), "not a kind"),
    "verify nothing": (("verify",), "name one workload"),
    "verify for less than it must hold": (
        ("verify", "deploy/web", "--timeout", "1s"),
        "--timeout 1s is over before --soak 5s has held",
    ),
    "watch for less than it must hold": (
        ("status", "deploy/web", "--timeout", "1s"),
        "--timeout 1s is over before --soak 5s has held",
    ),
    "resume for less than it must hold": (
        ("resume", "deploy/web", "--timeout", "1s"),
        "--timeout 1s is over before --soak 5s has held",
    ),
    "verify by ftp": (("verify", "deploy/web", "--health", "ftp://x/"), "--health takes"),
    "verify with a long reason": (
        ("verify", "deploy/web", "--reason", "x" * 501),
        "500 characters at most",
    ),
    "check a revision and the last healthy": (
        ("check", "deploy/web", "--to-revision", "1", "--to-last-healthy"),
        "contradict each other",
    ),
    "resume nothing": (("resume",), "name one workload"),
    "a lease that is over at once": (
        ("resume", "deploy/web", "--lease-duration", "1s"),
        "--lease-duration takes 2 s to 10 min",
    ),
    "a lease for ever": (("undo", "deploy/web", "--lease-duration", "1h"), "takes 2 s to 10 min"),
    "a ledger elsewhere": (("undo", "deploy/web", "--ledger", "s3"), "takes cluster or local"),
    "status of nothing": (("status",), "name one workload"),
    "status of revision zero": (("status", "deploy/web", "--revision", "0"), "at least 1"),
    "a kind that is nearly one": (("undo", "depoy/web"), "did you mean deploy/web?"),
    "two workloads": (("undo", "deploy/a", "deploy/b"), "name one workload, not 2: "),
    "an option without its value": (("undo", "--to-revision"), "--to-revision takes a value"),
    "a word too many": (("rbac", "extra"), "rbac does not take 'extra'"),
    "a shell that is none": (("completion", "tcsh"), "completion takes bash, zsh or fish; got"),
    "a namespace that is none": (("rbac", "-n", "A_B"), "takes the name of a namespace; got"),
    "check nothing": (("check",), "write --all for every workload of the namespace"),
    "check a bare type": (("check", "deploy"), "a name is required"),
    "check all and one": (("check", "--all", "deploy/web"), "they take no TYPE/NAME"),
    "check selected ones and one": (("check", "-l", "a=b", "deploy/web"), "take no TYPE/NAME"),
    "check the cluster and a pod": (("check", "-A", "pods"), "take no TYPE/NAME"),
    "check a deployment and a pod": (("check", "deploy/web", "pod/web"), "not a kind"),
    "check a name without its type": (("check", "deploy/web", "api"), "write deployment/api"),
    "check jobs": (("check", "job", "a", "b"), "not a kind"),
    "one revision of several": (
        ("check", "deploy/web", "deploy/api", "--to-revision", "1"),
        "--to-revision is a revision of one workload",
    ),
    "one image of several": (("check", "--all", "--to-image", "shop:v1"), "of one workload"),
    "one revision of all": (("check", "--all", "--to-revision", "1"), "of one workload"),
    "explain a job": (("explain", "job/agent"), "not a kind"),
}


@pytest.mark.parametrize(("arguments", "sentence"), OTHERS.values(), ids=OTHERS.keys())
def test_a_wrong_argument_of_any_command_is_one_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    check_refused(refused(*arguments), sentence)


@pytest.mark.parametrize("name", ["an option that is none", "an escape in the name"])
async def test_the_program_itself_ends_with_exit_2_and_one_sentence(
    backout: Command, name: str
) -> None:
    arguments, sentence = WRONG[name]

    check_refused(await backout("undo", *arguments), sentence)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("undoo", ": did you mean 'undo'?"),
        ("rollback", ": did you mean 'undo'?"),
        ("roolback", ": did you mean 'undo'?"),
        ("hstory", ": did you mean 'history'?"),
        ("zzz", "; --help lists the commands"),
    ],
)
def test_a_command_that_is_none_gets_its_neighbour(name: str, hint: str) -> None:
    sentence = f"there is no command '{name}'{hint}"

    check_refused(refused(name, "deploy/web"), sentence)
    check_refused(refused("help", name), sentence)


def test_a_wrong_value_of_a_variable_is_told_with_the_variable() -> None:
    wrong = {
        "BACKOUT_HEALTH_SUCCESSES": (
            "abc",
            "a number from 1 to 100; got 'abc' from BACKOUT_HEALTH_SUCCESSES",
        ),
        "BACKOUT_STRICT": (
            "maybe",
            "--strict takes true or false; got 'maybe' from BACKOUT_STRICT",
        ),
        "BACKOUT_SOAK": ("5x", "such as 30s, 5m or 1h; got '5x' from BACKOUT_SOAK"),
    }
    for variable, (value, sentence) in wrong.items():
        check_refused(refused("undo", "deploy/web", **{variable: value}), sentence)


def test_no_time_is_a_time_span_where_it_means_something() -> None:
    for option in ("--timeout", "--soak", "--wait-lock"):
        done = refused("undo", "deploy/web", "--trace-id", "a b", option, "0s")

        check_refused(done, "--trace-id takes")  # the next thing that is wrong


def test_a_level_of_kubectl_shows_requests_from_6_on() -> None:
    assert plain(["-v=6", "x", "--v=9", "-v6"]) == ["-v", "x", "-v", "-v"]
    assert plain(["-v=5", "--v=0", "x"]) == ["x"]
    assert plain(["-v", "6", "--", "-v=6", "--dry-run"]) == ["-v", "6", "--", "-v=6", "--dry-run"]
    assert plain(["--dry-run", "--insecure-skip-tls-verify=false"]) == ["--dry-run=server"]


async def test_a_wrong_argument_is_told_before_the_kubeconfig_is_read(backout: Command) -> None:
    backout.kubeconfig.unlink()
    for arguments in (("job/db",), ("deploy/web", "--trace-id", "a b")):
        assert (await backout("undo", *arguments)).code == 2


@pytest.mark.parametrize("flag", ["--help", "-h"])
async def test_help_is_on_stdout_with_exit_0(backout: Command, flag: str) -> None:
    done = await backout("undo", flag)

    assert (done.code, done.err) == (0, "")
    assert "backout undo deploy/web" in done.out
    assert "--to-revision" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("deploy/web",),
        ("deployment/web",),
        ("deployments/web",),
        ("deployment.apps/web",),
        ("deployments.v1.apps/web",),
        ("Deployment/web",),
        ("deploy", "web"),
    ],
)
async def test_a_deployment_may_be_named_as_kubectl_takes_it(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    api.denied.add("get deployments")
    done = await backout("undo", *words)

    assert done.code == 1, done.err
    assert any(line == "GET deployments" for line in api.lines)


@pytest.mark.parametrize(
    ("words", "plural"),
    [
        (("sts/web",), "statefulsets"),
        (("statefulsets.v1.apps/web",), "statefulsets"),
        (("StatefulSet", "web"), "statefulsets"),
        (("ds/web",), "daemonsets"),
        (("daemonset.apps/web",), "daemonsets"),
    ],
)
async def test_a_stateful_set_and_a_daemon_set_may_be_named_as_kubectl_takes_them(
    backout: Command, api: ApiServer, words: tuple[str, ...], plural: str
) -> None:
    api.denied.add(f"get {plural}")
    done = await backout("undo", *words)

    assert done.code == 1, done.err
    assert any(line == f"GET {plural}" for line in api.lines)


@pytest.mark.slow
async def test_flags_may_stand_before_or_after_the_command(
    backout: Command, api: ApiServer
) -> None:
    before = await backout("-n", "before", "-o", "json", "undo", "deploy/web")
    after = await backout("undo", "deploy/web", "-n", "after", "-o", "json")
    both = await backout("-n", "first", "undo", "deploy/web", "-n", "last", "-o", "json")
    asked = [r.path.split("/")[5] for r in api.requests if r.path.endswith("/deployments/web")]

    assert [d.last["object"]["namespace"] for d in (before, after, both)] == [
        "before",
        "after",
        "last",
    ]
    assert list(dict.fromkeys(asked)) == ["before", "after", "last"]


async def test_a_flag_outranks_the_environment_and_that_outranks_the_default(
    backout: Command, api: ApiServer
) -> None:
    assert api.url
    backout.environment = {"BACKOUT_OUTPUT": "json", "BACKOUT_HEALTH_SUCCESSES": "0"}
    wrong = await backout("undo", "deploy/web")
    right = await backout("undo", "deploy/web", "--health-successes", "1", "--dry-run")
    text = await backout("undo", "deploy/web", "--health-successes", "1", "--dry-run", "-o", "text")

    assert wrong.code == 2
    assert right.last["result"] == "dry run"
    assert text.out.startswith("context test")


async def test_help_loads_no_library_that_it_does_not_need(
    backout: Command,
) -> None:
    for arguments in (("--help",), ("undo", "--help"), ("undo",)):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-X", "importtime", "-m", "backout", *arguments),
            env=backout.surroundings(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
        modules = {line.rpartition("|")[2].strip() for line in err.decode().splitlines()}

        assert "click" in modules
        assert not modules & {"h11", "rich", "yaml", "asyncio"}, arguments
        if arguments == ("--help",):
            assert not modules & {"backout.cli.commands.undo", "dataclasses", "msgspec"}
