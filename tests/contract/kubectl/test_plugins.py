from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.errors import ConfigError
from backout.kube.config.kubeconfig import load
from tests.contract.kubectl import asked, pki
from tests.contract.kubectl.recorder import Recorder
from tests.contract.kubectl.sets import Written

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "client.authentication.k8s.io"
PLUGIN = f"""#!{sys.executable}
import json, os
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps(info) + "\\n")
said = {{"apiVersion": info["apiVersion"], "kind": "ExecCredential", "status": {{"token": "t"}}}}
print(json.dumps(said) if os.environ["PRINTS"] == "json" else
      f"apiVersion: {{info['apiVersion']}}\\nkind: ExecCredential\\nstatus: {{{{token: t}}}}")
"""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(pki.server_context) as running:
        yield running


@pytest.fixture
def login(tmp_path: Path) -> Path:
    script = tmp_path / "bin" / "login"
    script.parent.mkdir()
    script.write_text(PLUGIN)
    script.chmod(0o755)
    return script


def written(
    login: Path, recorder: Recorder, *, cluster: Any = None, prints: str = "json", **fields: Any
) -> Written:
    folder = login.parent.parent
    command = {"apiVersion": f"{VERSION}/v1", "command": "login", "interactiveMode": "IfAvailable"}
    place = {"server": f"https://127.0.0.1:{recorder.tls}", **(cluster or {})}
    if "insecure-skip-tls-verify" not in place:
        place["certificate-authority-data"] = pki.inline("ca.pem")
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": place}],
        "users": [{"name": "u", "user": {"exec": {**command, **fields}}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(json.dumps(content))
    environ = {
        "KUBECONFIG": str(folder / "config"),
        "HOME": str(folder / "home"),
        "PATH": f"{login.parent}:/usr/bin:/bin",
        "SEEN": str(folder / "seen"),
        "PRINTS": prints,
    }
    return Written(folder=folder, environ=environ, flags={})


def both_ask(made: Written, recorder: Recorder) -> tuple[asked.Said, asked.Said]:
    said = asked.backout_says(made)
    ours = said if said.error else asked.backout_asks(said.value, recorder)
    return asked.kubectl_asks(made, recorder), ours


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize(
    "cluster",
    [
        {},
        {"tls-server-name": "kubernetes", "disable-compression": True},
        {"insecure-skip-tls-verify": True},
        {"proxy-url": "http://127.0.0.1:{proxy}"},
        {"server": "https://127.0.0.1:{tls}/a//b/?x=1"},
        {"server": "https://127.0.0.1:{tls}/"},
        {
            "extensions": [
                {"name": f"{VERSION}/exec", "extension": {"audience": "x", "n": [1, None]}}
            ]
        },
    ],
)
def test_a_plugin_is_told_the_same_by_both(
    login: Path, recorder: Recorder, version: str, cluster: dict[str, Any]
) -> None:
    ports = {"{proxy}": str(recorder.proxy), "{tls}": str(recorder.tls)}
    text = json.dumps(cluster)
    for mark, port in ports.items():
        text = text.replace(mark, port)
    made = written(
        login,
        recorder,
        cluster=json.loads(text),
        apiVersion=f"{VERSION}/{version}",
        provideClusterInfo=True,
    )
    theirs, ours = both_ask(made, recorder)
    told = [json.loads(line) for line in (made.folder / "seen").read_text().splitlines()]

    assert not ours.error
    assert theirs == ours
    assert len(told) == 2
    assert told[0] == told[1]


def test_a_plugin_may_print_yaml(login: Path, recorder: Recorder) -> None:
    theirs, ours = both_ask(written(login, recorder, prints="yaml"), recorder)

    assert theirs == ours
    assert not ours.error


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        ({}, True),
        ({"credentialPluginPolicy": "AllowAll"}, True),
        ({"credentialPluginPolicy": "DenyAll"}, False),
        ({"credentialPluginPolicy": "Nonsense"}, False),
        ({"credentialPluginPolicy": "Allowlist"}, False),
        ({"credentialPluginPolicy": "Allowlist", "credentialPluginAllowlist": []}, False),
        ({"credentialPluginAllowlist": [{"command": "login"}]}, False),
        (
            {
                "credentialPluginPolicy": "Allowlist",
                "credentialPluginAllowlist": [{"command": "other"}, {"command": "login"}],
            },
            True,
        ),
        (
            {
                "credentialPluginPolicy": "Allowlist",
                "credentialPluginAllowlist": [{"command": "/else/login"}],
            },
            False,
        ),
    ],
)
@pytest.mark.parametrize("command", ["login", "bin/login"])
def test_kuberc_decides_for_both_which_plugin_may_run(
    login: Path, recorder: Recorder, policy: dict[str, Any], command: str, *, runs: bool
) -> None:
    made = written(login, recorder, command=command)
    kuberc = made.folder / "home" / ".kube" / "kuberc"
    kuberc.parent.mkdir(parents=True)
    head = {"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference"}
    kuberc.write_text(json.dumps({**head, **policy}))
    theirs, ours = both_ask(made, recorder)

    assert bool(theirs.error) == bool(ours.error) == (not runs)


def test_a_broken_kuberc_stops_the_plugin_of_backout_only(login: Path, recorder: Recorder) -> None:
    made = written(login, recorder)
    kuberc = made.folder / "home" / ".kube" / "kuberc"
    kuberc.parent.mkdir(parents=True)
    kuberc.write_text("{")

    assert not asked.kubectl_asks(made, recorder).error
    with pytest.raises(ConfigError, match="kuberc"):
        load(path=None, context=None, environ=made.environ, home=Path(made.environ["HOME"]))


def test_kuberc_can_be_named_or_switched_off(login: Path, recorder: Recorder) -> None:
    made = written(login, recorder)
    (made.folder / "deny").write_text(
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
        "credentialPluginPolicy: DenyAll\n"
    )
    for name, runs in ((str(made.folder / "deny"), False), ("off", True), ("/none", False)):
        made.environ["KUBERC"] = name
        theirs, ours = both_ask(made, recorder)

        assert bool(theirs.error) == bool(ours.error) == (not runs), name


def test_a_kuberc_that_is_named_by_flag_outranks_the_variable(
    login: Path, recorder: Recorder
) -> None:
    made = written(login, recorder)
    head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
    (made.folder / "deny").write_text(f"{head}credentialPluginPolicy: DenyAll\n")
    (made.folder / "allow").write_text(f"{head}credentialPluginPolicy: AllowAll\n")
    for flag, variable, runs in (("allow", "deny", True), ("deny", "allow", False)):
        made.environ["KUBERC"] = str(made.folder / variable)
        made.flags["kuberc"] = str(made.folder / flag)
        theirs, ours = both_ask(made, recorder)

        assert bool(theirs.error) == bool(ours.error) == (not runs), flag
