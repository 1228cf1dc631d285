"""kubectl's flags that say where to go and as whom, by the names of their values."""

from __future__ import annotations

CHOOSING = ("kubeconfig", "context", "cluster", "user", "namespace", "kuberc")
"""kubectl's flags that choose entries and files."""
REPLACING = (
    "server",
    "certificate_authority",
    "insecure_skip_tls_verify",
    "tls_server_name",
    "proxy_url",
    "token",
    "client_certificate",
    "client_key",
    "impersonate",
    "impersonate_groups",
    "impersonate_uid",
    "impersonate_extra",
)
"""kubectl's flags that replace what an entry says."""
FLAGS = (*CHOOSING, *REPLACING)
