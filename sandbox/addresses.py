"""The addresses and ports of the sandbox.

Fixed, below the range the kernel hands out to clients: image names and the kubeconfig stay the
same from one `up` to the next. Everything listens on loopback or on an address we made.
"""

from __future__ import annotations

LOOPBACK = "127.0.0.1"

# Not loopback: a kubelet refuses a loopback node address.
NODE = "10.213.0.1"
NODE_NAME = "node1"
NODE_LINK = "backout0"
POD_CIDR = "10.214.0.0/16"
SERVICE_CIDR = "10.215.0.0/16"
API_SERVICE = "10.215.0.1"
DNS_SERVICE = "10.215.0.10"

API_PORT = 26443
ETCD_PORT = 22379
ETCD_PEER_PORT = 22380
CONTROLLER_MANAGER_PORT = 20257
SCHEDULER_PORT = 20259
KUBELET_PORT = 20250
KUBELET_HEALTH_PORT = 20248
PROXY_HEALTH_PORT = 20256
PROXY_METRICS_PORT = 20249
REGISTRY_PORT = 25000

REGISTRY = f"{LOOPBACK}:{REGISTRY_PORT}"
API_SERVER = f"https://{LOOPBACK}:{API_PORT}"

LISTENERS = (
    (LOOPBACK, API_PORT),
    (LOOPBACK, ETCD_PORT),
    (LOOPBACK, ETCD_PEER_PORT),
    (LOOPBACK, CONTROLLER_MANAGER_PORT),
    (LOOPBACK, SCHEDULER_PORT),
    (LOOPBACK, KUBELET_HEALTH_PORT),
    (LOOPBACK, PROXY_HEALTH_PORT),
    (LOOPBACK, PROXY_METRICS_PORT),
    (LOOPBACK, REGISTRY_PORT),
)
