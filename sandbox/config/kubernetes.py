"""Configuration of Kubernetes' own components. JSON is YAML: they read it as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.certificates import USER as SANDBOX
from sandbox.machine import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.certificates import Certificates


ADMIN = "admin"
NOBODY = "nobody"
CONTROLLER_MANAGER = "system:kube-controller-manager"
SCHEDULER = "system:kube-scheduler"
PROXY = "system:kube-proxy"
NODE = f"system:node:{addresses.NODE_NAME}"

GROUPS = {ADMIN: ("system:masters",), NODE: ("system:nodes",)}
USERS = (ADMIN, NOBODY, CONTROLLER_MANAGER, SCHEDULER, PROXY, NODE)

MAXIMUM_PODS = 250


def token_file(tokens: Mapping[str, str]) -> str:
    """Return the API server's list of static tokens: token, user, uid, group."""
    lines = [",".join((tokens[user], user, user, *GROUPS.get(user, ()))) for user in USERS]
    return "\n".join(lines) + "\n"


def kubeconfig(certificates: Certificates, tokens: Mapping[str, str], *users: str) -> str:
    """Return a kubeconfig; its first user's context is the current one and named `sandbox`."""
    cluster = {
        "server": addresses.API_SERVER,
        "certificate-authority": str(certificates.authority),
    }
    contexts = {user: "sandbox" if user == users[0] else f"sandbox-{user}" for user in users}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": tokens[user]}} for user in users],
        "contexts": [
            {"name": context, "context": {"cluster": "sandbox", "user": user}}
            for user, context in contexts.items()
        ],
    }
    return _text(config)


def audit_policy() -> str:
    """Log who did what, one line a request; the components' own reading is noise."""
    components: dict[str, Any] = {
        "level": "None",
        "users": [CONTROLLER_MANAGER, SCHEDULER, PROXY, NODE, "system:apiserver", SANDBOX],
    }
    controllers = {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]}
    reading = {"verbs": ["get", "list", "watch"]}
    chatter = {
        "resources": [
            {"group": "", "resources": ["events", "nodes/status"]},
            {"group": "events.k8s.io", "resources": ["events"]},
            {"group": "coordination.k8s.io", "resources": ["leases"]},
        ]
    }
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            *({**who, **what} for who in (components, controllers) for what in (reading, chatter)),
            {"level": "Metadata"},
        ],
    }
    return _text(policy)


def kubelet(folder: Path, containerd_socket: Path, certificates: Certificates) -> str:
    """Return the kubelet's configuration: nothing outside of the folder, no eviction."""
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": addresses.NODE,
        "port": addresses.KUBELET_PORT,
        "healthzBindAddress": addresses.LOOPBACK,
        "healthzPort": addresses.KUBELET_HEALTH_PORT,
        "containerRuntimeEndpoint": f"unix://{containerd_socket}",
        "tlsCertFile": str(certificates.certificate),
        "tlsPrivateKeyFile": str(certificates.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(certificates.authority)},
        },
        # Who holds a certificate of ours is the API server.
        "authorization": {"mode": "AlwaysAllow"},
        "clusterDomain": "cluster.local",
        "clusterDNS": [addresses.DNS_SERVICE],
        "resolvConf": str(folder / "resolv.conf"),
        "podLogsDir": str(folder / "pod-logs"),
        "volumePluginDir": str(folder / "volume-plugins"),
        # kube-proxy alone owns the chains.
        "makeIPTablesUtilChains": False,
    }
    return _text(config | _resources() | _speed())


def _resources() -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("imagefs.available", "imagefs.inodesFree", "nodefs.available", "nodefs.inodesFree"), "0%"
    )
    return {
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/backout-sandbox",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        # A machine that is merely full must not evict the demo.
        "evictionHard": nothing,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": MAXIMUM_PODS,
        # Lowering it needs a capability that containers often lack.
        "oomScoreAdj": 0,
    }


def _speed() -> dict[str, Any]:
    return {
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 200,
        "eventBurst": 400,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
    }


def proxy(kubeconfig_path: Path) -> str:
    """Return kube-proxy's configuration: iptables, and no kernel settings of its own."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig_path), "qps": 100, "burst": 200},
        "mode": "iptables",
        "clusterCIDR": addresses.POD_CIDR,
        "hostnameOverride": addresses.NODE_NAME,
        "bindAddress": addresses.NODE,
        "healthzBindAddress": f"{addresses.LOOPBACK}:{addresses.PROXY_HEALTH_PORT}",
        "metricsBindAddress": f"{addresses.LOOPBACK}:{addresses.PROXY_METRICS_PORT}",
        # Node ports on our address only; on loopback they would need route_localnet.
        "nodePortAddresses": [f"{addresses.NODE}/32"],
        "iptables": {"minSyncPeriod": "100ms", "localhostNodePorts": False},
        "oomScoreAdj": 0,
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    return _text(config)


def _text(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
