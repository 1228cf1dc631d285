"""Under which heading each option stands, and whether `--help` shows it or only `--help-all`."""

from __future__ import annotations

from typing import NamedTuple


class Section(NamedTuple):
    """A heading with the names of its parameters: `--help` shows `everyday`, `--help-all` both."""

    title: str
    everyday: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


OWN = "Options"
"""Where a command's other options stand: they are few, and all are shown."""
SECTIONS = (
    Section(
        title="Target",
        everyday=("to_revision", "to_image", "to_last_healthy", "pin"),
        more=("filename", "require_proof", "rehearse", "rehearse_timeout"),
    ),
    Section(
        title="Decide",
        everyday=("dry_run", "yes", "accepted", "reason"),
        more=(
            *("unpause", "heal", "replace_stuck_pods", "strict", "show_values"),
            *("preflight_budget", "fail_fast", "patience"),
        ),
    ),
    Section(
        title="Health",
        everyday=("health",),
        more=(
            *("health_status", "health_text", "health_json", "health_method"),
            *("health_header_file", "health_ca", "health_command", "health_command_timeout"),
            *("health_successes", "soak", "health_timeout", "require_health"),
        ),
    ),
    Section(
        title="Metrics, alerts and notifications",
        more=(
            *("metrics", "prometheus", "prometheus_token_file", "prometheus_basic_file"),
            *("prometheus_ca", "notify", "notify_key_file"),
        ),
    ),
    Section(title="Registry", more=("registry_auth_file", "registry_plain_http", "registry_ca")),
    Section(
        title="Lock, limit and record",
        more=(
            *("wait_lock", "take_over", "lease_duration", "rollback_limit", "rollback_window"),
            *("where", "journal", "trace_id"),
        ),
    ),
    Section(
        title="Connection, with kubectl's meaning",
        everyday=("namespace", "context"),
        more=(
            *("kubeconfig", "cluster", "user", "server", "token", "certificate_authority"),
            *("client_certificate", "client_key", "insecure_skip_tls_verify", "tls_server_name"),
            *("proxy_url", "impersonate", "impersonate_groups", "impersonate_uid"),
            *("impersonate_extra", "kuberc"),
        ),
    ),
    Section(
        title="Output and time",
        everyday=("output", "timeout"),
        more=("request_timeout", "quiet", "color", "verbose", "policy"),
    ),
)
