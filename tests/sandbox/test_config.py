from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandbox import certificates
from sandbox.components import components
from sandbox.config import kubernetes, prometheus, runtime
from sandbox.layout import Layout
from sandbox.machine import addresses

STATE = Path("/state")
MADE = certificates.Certificates(STATE / "certificates")
TOKENS = {user: f"token-of-{user}" for user in kubernetes.USERS}


def audit_rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = json.loads(kubernetes.audit_policy())["rules"]
    return rules


def test_only_the_admin_and_the_node_are_in_a_group() -> None:
    lines = kubernetes.token_file(TOKENS).splitlines()

    assert "token-of-admin,admin,admin,system:masters" in lines
    assert "token-of-nobody,nobody,nobody" in lines


def test_the_kubeconfig_has_the_promised_contexts_and_the_first_is_current() -> None:
    config = json.loads(kubernetes.kubeconfig(MADE, TOKENS, "admin", "nobody"))

    contexts = {one["name"]: one["context"]["user"] for one in config["contexts"]}
    assert contexts == {"sandbox": "admin", "sandbox-nobody": "nobody"}
    assert config["current-context"] == "sandbox"
    assert config["clusters"][0]["name"] == "sandbox"


def test_the_kubeconfig_points_to_loopback_so_that_no_proxy_is_asked() -> None:
    config = json.loads(kubernetes.kubeconfig(MADE, TOKENS, "admin"))

    assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")


def test_what_people_do_is_always_in_the_audit_log() -> None:
    silent = [rule for rule in audit_rules() if rule["level"] == "None"]

    for rule in silent:
        who = rule.get("users", []) + rule.get("userGroups", [])
        assert who
        assert not {"admin", "nobody", "system:masters"} & set(who)
    assert audit_rules()[-1] == {"level": "Metadata"}


def test_a_full_disk_evicts_nothing() -> None:
    config = json.loads(kubernetes.kubelet(STATE, STATE / "socket", MADE))

    assert config["evictionHard"]["nodefs.available"] == "0%"
    assert config["evictionHard"]["imagefs.available"] == "0%"
    assert "memory.available" not in config["evictionHard"]


def test_the_kubelet_answers_only_to_who_holds_a_certificate() -> None:
    config = json.loads(kubernetes.kubelet(STATE, STATE / "socket", MADE))

    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authentication"]["x509"] == {"clientCAFile": "/state/certificates/ca.crt"}


def test_containerd_keeps_everything_in_our_folder() -> None:
    config = tomllib.loads(runtime.containerd(STATE, Path("/plugins")))

    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert (config["root"], config["state"]) == ("/state/root", "/state/state")
    assert config["grpc"]["address"] == "/state/containerd.sock"
    assert cri["netns_mounts_under_state_dir"] is True
    assert cri["restrict_oom_score_adj"] is True
    assert cri["containerd"]["runtimes"]["runc"]["options"]["Root"] == "/state/runc"


def test_the_network_keeps_its_addresses_in_our_folder() -> None:
    (plugin,) = json.loads(runtime.network(STATE))["plugins"]

    assert plugin["ipam"]["dataDir"] == "/state/addresses"


def test_the_registry_allows_deletion_and_listens_on_loopback() -> None:
    text = runtime.registry(STATE, "secret")

    assert "delete: {enabled: true}" in text
    assert f"addr: 127.0.0.1:{addresses.REGISTRY_PORT}" in text


def test_the_node_address_is_not_loopback() -> None:
    assert not addresses.NODE.startswith("127.")


@pytest.mark.parametrize("port", [port for _, port in addresses.LISTENERS])
def test_ports_lie_below_those_that_the_kernel_gives_to_clients(port: int) -> None:
    assert 1024 < port < 30000


def test_every_component_names_the_state_folder_so_that_it_can_be_found() -> None:
    layout = Layout(STATE)

    for component in components(layout):
        assert any("/state" in argument for argument in component.argv), component.name


def test_no_component_listens_on_all_addresses() -> None:
    for component in components(Layout(STATE)):
        assert "0.0.0.0" not in " ".join(component.argv), component.name  # noqa: S104


def test_prometheus_asks_every_second_the_pods_that_it_is_told() -> None:
    config = json.loads(prometheus.configuration(STATE / "rules.json"))

    (job,) = config["scrape_configs"]
    assert config["global"]["scrape_interval"] == config["global"]["evaluation_interval"] == "1s"
    assert job["http_sd_configs"] == [{"url": "http://127.0.0.1:29091/", "refresh_interval": "1s"}]
    assert config["rule_files"] == ["/state/rules.json"]


def test_the_alert_fires_at_once_and_names_namespace_and_app() -> None:
    ((rule,),) = [group["rules"] for group in json.loads(prometheus.rules())["groups"]]

    assert (rule["alert"], rule["for"]) == ("HighErrorRatio", "0s")
    assert "by (namespace, app)" in rule["expr"]


def test_prometheus_itself_accepts_both_files(tmp_path: Path) -> None:
    rules, config = tmp_path / "rules.json", tmp_path / "prometheus.json"
    rules.write_text(prometheus.rules())
    config.write_text(prometheus.configuration(rules))

    argv = ["promtool", "check", "config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
