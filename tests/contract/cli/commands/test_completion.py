"""Completion in a real interactive bash: TAB is pressed, the command line is read.

No zsh and no fish here: of them click's protocol is tested, without the shell.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.api_server import ApiServer, failure
from tests.contract.scripted_server import Answer, Close, Hang, Received, Step
from tests.objects.controller_revisions import controller_revision
from tests.objects.stateful_sets import stateful_set
from tests.objects.templates import template
from tests.packaging.bash import ALL, TAB, Bash, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.cli.command import Command

PATIENCE = 1.0
"""Seconds for names; starting the interpreter, 0.1 s where nothing else runs, is measured apart."""
LOADED = 20
"""On a machine that is busy with other tests the best of so many tries counts."""
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "web;touch pwned",
    "web touch",
    "web\ntouch",
    "\x1b[2Jweb",
    "\u202eweb",
    "*",
    "-v",
    "--yes",
    "Web",
    "",
]


@contextmanager
def bash(backout: Command, settings: str = "", **environment: str) -> Iterator[Bash]:
    with Bash(backout.home, {**backout.surroundings(), **environment}, settings) as shell:
        yield shell


async def offered(backout: Command, line: str) -> list[str]:
    def ask() -> list[str]:
        with bash(backout) as shell:
            return shell.offered(line)

    return await asyncio.to_thread(ask)


def also_named(backout: Command, *contexts: str) -> None:
    content = json.loads(backout.kubeconfig.read_text())
    given = content["contexts"][0]["context"]
    content["contexts"] += [{"name": name, "context": given} for name in contexts]
    backout.kubeconfig.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("typed", "line"),
    {
        "backout und": "backout undo ",
        "backout comp": "backout completion ",
        "backout undo --dry": "backout undo --dry-run ",
        "backout undo --dry-run=ser": "backout undo --dry-run=server ",
        "backout --kubec": "backout --kubeconfig ",
        "backout -o js": "backout -o json ",
        "backout completion f": "backout completion fish ",
        "backout undo deployme": "backout undo deployment/",
        "true; backout und": "true; backout undo ",
        "A=1 backout und": "A=1 backout undo ",
        "backout undo --kubeconfig notes.y": "backout undo --kubeconfig notes.yaml ",
        "backout undo --context te": "backout undo --context test ",
        "backout --context=te": "backout --context=test ",
        "backout --context arn:": "backout --context arn:aws:eks:eu-west-1:1:cluster/prod ",
        "backout --context=arn:aws:e": "backout --context=arn:aws:eks:eu-west-1:1:cluster/prod ",
        "backout --context kubernetes-admin@": "backout --context kubernetes-admin@kubernetes ",
    }.items(),
)
def test_bash_completes_the_word_that_is_being_typed(
    backout: Command, typed: str, line: str
) -> None:
    also_named(backout, "arn:aws:eks:eu-west-1:1:cluster/prod", "kubernetes-admin@kubernetes")
    (backout.home / "notes.yaml").touch()
    with bash(backout) as shell:
        assert shell.completed(typed) == line


@pytest.mark.parametrize("typed", ["backout undo 'unfinished", "backout undo web x"])
def test_bash_leaves_the_line_alone_where_nothing_fits(backout: Command, typed: str) -> None:
    with bash(backout) as shell:
        pressed = shell.press(typed)

    assert (pressed.line, pressed.shown.strip()) == (typed, "")


def test_bash_completes_where_the_user_took_the_colon_out_of_the_word_breaks(
    backout: Command,
) -> None:
    also_named(backout, "arn:aws:eks:prod")
    with bash(backout, "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n") as shell:
        assert shell.completed("backout --context arn:a") == "backout --context arn:aws:eks:prod "


def test_bash_offers_every_command_and_every_option(backout: Command) -> None:
    with bash(backout) as shell:
        commands = shell.offered("backout ")
        options = shell.offered("backout undo --")

    assert {"undo", "completion"} <= set(commands)
    assert {"--to-revision", "--dry-run", "--context", "--namespace", "--help"} <= set(options)


async def test_bash_offers_the_workloads_of_the_namespace(backout: Command, api: ApiServer) -> None:
    api.before = listing("api.v2", "web")

    assert await offered(backout, "backout undo deploy/") == ["deploy/api.v2", "deploy/web"]
    assert await offered(backout, "backout undo deploy w") == ["web"]


async def test_bash_offers_workloads_of_every_kind_and_their_revisions(
    backout: Command, api: ApiServer
) -> None:
    uid = api.add("statefulsets", stateful_set(template("reg.example/app:v2")))["metadata"]["uid"]
    for number in (1, 2):
        api.add("controllerrevisions", controller_revision(number, owner=uid))

    assert await offered(backout, "backout undo sts/") == ["sts/web"]
    assert await offered(backout, "backout undo sts/web --to-revision ") == ["1"]


async def test_bash_offers_the_revisions_to_go_to_and_not_the_current_one(
    backout: Command, api: ApiServer
) -> None:
    assert api.find("deployments", "web") is not None
    assert await offered(backout, "backout undo deploy/web --to-revision ") == ["1"]
    assert await offered(backout, "backout undo --to-revision=1 deploy/w") == ["deploy/web"]


@pytest.mark.usefixtures("api")
async def test_bash_lists_revisions_with_what_is_known_of_them_and_inserts_the_number_alone(
    backout: Command,
) -> None:
    line = "backout diff deploy/web --from "

    def pressed() -> str:
        with bash(backout) as shell:
            shell.completed("backout hel")  # what is loaded is in the machine's memory now
            tries = (shell.press(line, TAB * 2) for _ in range(LOADED))
            return next((one.shown for one in tries if "app" in one.shown), "")

    listed = await asyncio.to_thread(pressed)
    assert re.search(r"2  app:bad, \d+ \w+ old\s+1  app:good, \d+ \w+ old", listed), listed
    assert await offered(backout, line) == ["2", "1"]


async def test_bash_offers_the_images_to_go_to_by_their_short_names(
    backout: Command, api: ApiServer
) -> None:
    assert api.find("deployments", "web") is not None
    assert await offered(backout, "backout undo deploy/web --to-image ") == ["app:good"]


async def test_bash_offers_the_namespaces(backout: Command, api: ApiServer) -> None:
    api.before = listing("shop", "till")

    assert await offered(backout, "backout undo -n ") == ["shop", "till"]


async def test_options_before_and_after_the_command_choose_where_names_come_from(
    backout: Command, api: ApiServer
) -> None:
    asked: list[str] = []
    api.before = lambda request: asked.append(request.path)

    await offered(backout, "backout -n shop undo deploy/")
    await offered(backout, "backout undo -n till deploy/")

    assert asked[0] == "/apis/apps/v1/namespaces/shop/deployments"
    assert asked[-1] == "/apis/apps/v1/namespaces/till/deployments"


async def test_hostile_names_from_the_cluster_never_reach_the_prompt(
    backout: Command, api: ApiServer
) -> None:
    api.before = listing("honest", *HOSTILE)

    assert await offered(backout, "backout undo deploy/") == ["deploy/honest"]
    assert await offered(backout, "backout undo -n ") == ["honest"]
    assert not (backout.home / "pwned").exists()


def test_hostile_contexts_never_reach_the_prompt(backout: Command) -> None:
    also_named(backout, *HOSTILE[:-2])
    with bash(backout) as shell:
        assert shell.offered("backout --context ") == ["test"]


TROUBLE: dict[str, Step] = {
    "never answers": Hang(),
    "hangs up": Close(),
    "knows us not": failure(401, "Unauthorized", "who are you"),
    "forbids": failure(403, "Forbidden", "no"),
    "is overloaded": failure(429, "TooManyRequests", "later", Retry_After="30"),
    "is down": failure(503, "ServiceUnavailable", "down"),
    "talks nonsense": Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
    "has no metadata": Answer(json={"kind": "List", "metadata": {}, "items": [{}, 5]}),
}


@pytest.mark.parametrize("step", TROUBLE.values(), ids=TROUBLE.keys())
async def test_a_server_in_trouble_leaves_the_prompt_alone_within_a_second(
    backout: Command, api: ApiServer, step: Step
) -> None:
    api.before = lambda _: step

    # Where the machine is busy, the time may be up before the server is asked at all.
    for _ in range(LOADED):
        await asyncio.to_thread(is_silent_and_quick, backout)
        if api.requests:
            return
    pytest.fail(f"in {LOADED} tries the server was not asked")


def test_a_server_that_cannot_be_reached_leaves_the_prompt_alone(backout: Command) -> None:
    is_silent_and_quick(backout)


def test_a_black_hole_leaves_the_prompt_alone_within_a_second(backout: Command) -> None:
    with socket.socket() as full:
        # A queue of one that is full: the kernel drops what else knocks, as a firewall does.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with ExitStack() as waiting:
            for _ in range(4):
                one = waiting.enter_context(socket.socket())
                one.setblocking(False)  # noqa: FBT003
                one.connect_ex(address)
            backout.point_to(f"https://{address[0]}:{address[1]}")
            is_silent_and_quick(backout)


@pytest.mark.parametrize("content", ["", "]", "\x00", "just words", "contexts: 5\n"])
def test_a_broken_kubeconfig_leaves_the_prompt_alone(backout: Command, content: str) -> None:
    backout.kubeconfig.write_text(content)

    is_silent_and_quick(backout)
    is_silent_and_quick(backout, "backout --context ")


def test_a_kubeconfig_that_never_ends_leaves_the_prompt_alone(backout: Command) -> None:
    backout.kubeconfig.unlink()
    subprocess.run(["mkfifo", str(backout.kubeconfig)], check=True)

    is_silent_and_quick(backout)
    is_silent_and_quick(backout, "backout --context ")


def test_a_plugin_that_hangs_leaves_the_prompt_alone_and_no_process(backout: Command) -> None:
    life = backout.home / "life"
    with_plugin(backout, f"echo $$ >{life}; echo asking >&2; exec tail -f /dev/null")

    is_silent_and_quick(backout)

    assert not Path(f"/proc/{life.read_text().strip()}").exists()


def test_a_plugin_that_complains_is_not_heard_at_the_prompt(backout: Command) -> None:
    with_plugin(backout, "echo please log in >&2; echo please log in >/dev/tty; exit 1")

    is_silent_and_quick(backout)


@pytest.mark.parametrize(
    "setting", ["BACKOUT_OUTPUT=nonsense", "BACKOUT_TIMEOUT=soon", "HTTPS_PROXY=::"]
)
def test_a_wrong_setting_leaves_the_prompt_alone(backout: Command, setting: str) -> None:
    with bash(backout) as shell:
        shell.press(f"export {setting}", "\n")

        assert shell.completed("backout und") == "backout undo "
        assert shell.press("backout undo deploy/").shown.strip() == ""


def with_plugin(backout: Command, script: str) -> None:
    backout.point_to("https://127.0.0.1:1")
    content = json.loads(backout.kubeconfig.read_text())
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/sh",
        "args": ["-c", script],
        "interactiveMode": "IfAvailable",
    }
    content["users"] = [{"name": "tester", "user": {"exec": plugin}}]
    backout.kubeconfig.write_text(json.dumps(content))


def is_silent_and_quick(backout: Command, line: str = "backout undo deploy/") -> None:
    with bash(backout) as shell:
        for _ in range(LOADED):
            start = shell.press("backout nonsen")
            tried = shell.press(line, ALL)
            assert (tried.line, tried.shown.strip()) == (line, "")
            if tried.seconds - start.seconds < PATIENCE:
                return
    pytest.fail(f"it took {tried.seconds:.2f} s, the start alone {start.seconds:.2f} s")


def listing(*names: str) -> Any:
    items = [{"metadata": {"name": name}} for name in names]

    def answer(_: Received) -> Step:
        return Answer(json={"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})

    return answer


def asked(backout: Command, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={**backout.surroundings(), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def answered(backout: Command, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ask until there is an answer: where the machine is busy, the time may be up before."""
    for _ in range(LOADED):
        done = asked(backout, *words, **environment)
        if done.stdout:
            break
    return done


def test_zsh_is_answered_by_clicks_protocol_without_a_zsh(backout: Command) -> None:
    words = {"COMP_WORDS": "backout undo --context te", "COMP_CWORD": "3"}
    command = str(program(backout.home) / "backout")
    done = answered(backout, command, _BACKOUT_COMPLETE="zsh_complete", **words)

    assert (done.stdout, done.stderr) == ("plain\ntest\n_\n", "")


@pytest.mark.usefixtures("api")
async def test_revisions_are_offered_with_image_and_age(backout: Command) -> None:
    command = str(program(backout.home) / "backout")
    for words, told in (
        ("backout undo deploy/web --to-revision", {"1": "app:good"}),
        ("backout diff deploy/web --from", {"2": "app:bad", "1": "app:good"}),
        ("backout ledger mark deploy/web --revision", {"2": "app:bad", "1": "app:good"}),
    ):
        line = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()))}
        done = await asyncio.to_thread(
            answered, backout, command, _BACKOUT_COMPLETE="zsh_complete", **line
        )
        lines = done.stdout.splitlines()

        assert lines[1::3] == list(told)
        assert [re.sub(r"\d+", "N", s) for s in lines[2::3]] == [
            f"{image}, N s old" for image in told.values()
        ]


def test_fish_is_answered_by_clicks_protocol_without_a_fish(backout: Command) -> None:
    words = {"COMP_WORDS": "backout undo --context te", "COMP_CWORD": "te"}
    command = str(program(backout.home) / "backout")
    done = answered(backout, command, _BACKOUT_COMPLETE="fish_complete", **words)

    assert (done.stdout, done.stderr) == ("plain,test\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_the_script_names_the_command_and_the_variable_that_answers(
    backout: Command, shell: str
) -> None:
    done = await backout("completion", shell)

    assert (done.code, done.err) == (0, "")
    assert f"_BACKOUT_COMPLETE={shell}_complete" in done.out


def test_bash_accepts_the_script_where_nothing_may_fail(backout: Command) -> None:
    program(backout.home)
    path = f"{backout.home}/bin:{backout.surroundings()['PATH']}"
    script = "set -euo pipefail; source <(backout completion bash); complete -p backout"
    done = asked(backout, "bash", "--norc", "-c", script, PATH=path)

    assert done.stdout.strip() == "complete -o nosort -F _backout_completion backout"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "answer"),
    {
        ("und",): "undo\n:4\n",
        (): "",
        ("undo", "--dry-run", "s"): "server\n:4\n",
        ("undo", "--context", ""): "test\n:4\n",
        ("undo", "deployme"): "deployment/\n:6\n",
        ("undo", "--kubeconfig", ""): ":0\n",
        ("undo", "deploy/"): ":4\n",
        ("nonsense", "--x", "\x1b"): ":4\n",
    }.items(),
)
def test_kubectl_is_answered_with_names_and_a_directive(
    backout: Command, words: tuple[str, ...], answer: str
) -> None:
    command = str(program(backout.home) / "kubectl_complete-backout")
    done = asked(backout, command, *words)

    assert done.stdout.endswith(answer or ":4\n")
    assert done.stderr == ""
