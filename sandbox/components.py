"""What runs in a sandbox: the arguments and the health address of each component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.machine import addresses
from sandbox.machine.prerequisites import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.layout import Layout

LOOPBACK = addresses.LOOPBACK


@dataclass(frozen=True)
class Component:
    """One daemon."""

    name: str
    argv: tuple[str, ...]
    health: str
    environment: Mapping[str, str] = field(default_factory=dict)


def foundation(layout: Layout) -> tuple[Component, ...]:
    """Return what depends on nothing; the API server waits for etcd by itself."""
    return (_etcd(layout), _api_server(layout), _registry(layout), _containerd(layout))


def clients(layout: Layout) -> tuple[Component, ...]:
    """Return what needs an API server that answers."""
    return (
        _controller_manager(layout),
        _scheduler(layout),
        _kubelet(layout),
        _proxy(layout),
        _targets(layout),
        _prometheus(layout),
    )


def components(layout: Layout) -> tuple[Component, ...]:
    """Return all, in the order in which they start."""
    return foundation(layout) + clients(layout)


def _etcd(layout: Layout) -> Component:
    url = f"https://{LOOPBACK}:{addresses.ETCD_PORT}"
    peer = f"https://{LOOPBACK}:{addresses.ETCD_PEER_PORT}"
    made = layout.certificates
    tls = [
        f"--{prefix}{flag}"
        for prefix in ("", "peer-")
        for flag in (
            f"cert-file={made.certificate}",
            f"key-file={made.key}",
            f"trusted-ca-file={made.authority}",
            "client-cert-auth=true",
        )
    ]
    argv = layout.kubernetes(
        "etcd",
        "--name=sandbox",
        f"--data-dir={layout.state}/etcd",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        # What a crash of the machine loses is lost with the sandbox anyway.
        "--unsafe-no-fsync",
        "--log-level=warn",
        *tls,
    )
    return Component("etcd", argv, f"{url}/health")


def _api_server(layout: Layout) -> Component:
    made = layout.certificates
    argv = layout.kubernetes(
        "kube-apiserver",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={addresses.API_PORT}",
        f"--advertise-address={addresses.NODE}",
        *_serving(layout),
        f"--client-ca-file={made.authority}",
        f"--etcd-servers=https://{LOOPBACK}:{addresses.ETCD_PORT}",
        f"--etcd-cafile={made.authority}",
        f"--etcd-certfile={made.certificate}",
        f"--etcd-keyfile={made.key}",
        f"--kubelet-certificate-authority={made.authority}",
        f"--kubelet-client-certificate={made.certificate}",
        f"--kubelet-client-key={made.key}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-cluster-ip-range={addresses.SERVICE_CIDR}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={made.token_public_key}",
        f"--service-account-signing-key-file={made.token_key}",
        f"--token-auth-file={layout.config}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--audit-policy-file={layout.config}/audit-policy.yaml",
        f"--audit-log-path={layout.audit_log}",
        # The line is there when the answer is.
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=1000",
        "--profiling=false",
    )
    forward = {
        "SANDBOX_FORWARD": f"{addresses.NODE}:{addresses.API_PORT}",
        "SANDBOX_FORWARD_TO": f"{LOOPBACK}:{addresses.API_PORT}",
    }
    return Component("kube-apiserver", argv, f"{addresses.API_SERVER}/readyz", forward)


def _registry(layout: Layout) -> Component:
    program = find("docker-registry") or "docker-registry"
    argv = (program, "serve", f"{layout.config}/registry.yaml")
    return Component("docker-registry", argv, f"http://{addresses.REGISTRY}/v2/")


def _containerd(layout: Layout) -> Component:
    argv = (find("containerd") or "containerd", "--config", f"{layout.config}/containerd.toml")
    return Component("containerd", argv, f"unix:{layout.containerd_socket}")


def _controller_manager(layout: Layout) -> Component:
    syncs = [f"--concurrent-{kind}-syncs=20" for kind in ("deployment", "replicaset", "endpoint")]
    argv = layout.kubernetes(
        "kube-controller-manager",
        f"--kubeconfig={layout.kubeconfig('system:kube-controller-manager')}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={addresses.CONTROLLER_MANAGER_PORT}",
        *_serving(layout),
        f"--root-ca-file={layout.certificates.authority}",
        f"--service-account-private-key-file={layout.certificates.token_key}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--flex-volume-plugin-dir={layout.state}/volume-plugins",
        "--controllers=*,-node-ipam-controller",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--terminated-pod-gc-threshold=100",
        "--profiling=false",
        *syncs,
    )
    health = f"https://{LOOPBACK}:{addresses.CONTROLLER_MANAGER_PORT}/healthz"
    return Component("kube-controller-manager", argv, health)


def _serving(layout: Layout) -> tuple[str, str]:
    made = layout.certificates
    return (f"--tls-cert-file={made.certificate}", f"--tls-private-key-file={made.key}")


def _scheduler(layout: Layout) -> Component:
    argv = layout.kubernetes(
        "kube-scheduler",
        f"--kubeconfig={layout.kubeconfig('system:kube-scheduler')}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={addresses.SCHEDULER_PORT}",
        *_serving(layout),
        "--leader-elect=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )
    health = f"https://{LOOPBACK}:{addresses.SCHEDULER_PORT}/healthz"
    return Component("kube-scheduler", argv, health)


def _kubelet(layout: Layout) -> Component:
    argv = layout.kubernetes(
        "kubelet",
        f"--config={layout.config}/kubelet.yaml",
        f"--kubeconfig={layout.kubeconfig(f'system:node:{addresses.NODE_NAME}')}",
        f"--root-dir={layout.state}/kubelet",
        f"--cert-dir={layout.state}/kubelet-pki",
        f"--hostname-override={addresses.NODE_NAME}",
        f"--node-ip={addresses.NODE}",
    )
    return Component("kubelet", argv, f"http://{LOOPBACK}:{addresses.KUBELET_HEALTH_PORT}/healthz")


def _proxy(layout: Layout) -> Component:
    argv = layout.kubernetes("kube-proxy", f"--config={layout.config}/kube-proxy.yaml")
    health = f"http://{LOOPBACK}:{addresses.PROXY_HEALTH_PORT}/healthz"
    return Component("kube-proxy", argv, health)


def _targets(layout: Layout) -> Component:
    argv = (
        str(layout.targets),
        "targets",
        f"{LOOPBACK}:{addresses.PROMETHEUS_TARGETS_PORT}",
        addresses.API_SERVER,
        str(layout.certificates.folder),
    )
    return Component("prometheus-targets", argv, addresses.PROMETHEUS_TARGETS)


def _prometheus(layout: Layout) -> Component:
    argv = (
        find("prometheus") or "prometheus",
        f"--config.file={layout.config}/prometheus.json",
        f"--storage.tsdb.path={layout.state}/prometheus",
        "--storage.tsdb.retention.time=2h",
        f"--web.listen-address={LOOPBACK}:{addresses.PROMETHEUS_PORT}",
        "--log.level=warn",
    )
    return Component("prometheus", argv, f"{addresses.PROMETHEUS}/-/ready")
