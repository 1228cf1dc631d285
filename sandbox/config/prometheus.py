"""Configuration of Prometheus: every second it asks the Pods that say so by annotation.

prometheus.io/scrape: "true"
prometheus.io/port: "8080"
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.machine import addresses

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = 'sum by (namespace, app) (rate(http_requests_total{code=~"5.."}[5s]))'
REQUESTS = "sum by (namespace, app) (rate(http_requests_total[5s]))"


def configuration(rules_file: Path) -> str:
    """Return Prometheus' configuration. JSON is YAML: it reads it as it is."""
    pods = {"url": addresses.PROMETHEUS_TARGETS, "refresh_interval": "1s"}
    config = {
        # Never longer than a second: a test waits for what a scrape shows.
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules_file)],
        "scrape_configs": [{"job_name": "pods", "http_sd_configs": [pods]}],
    }
    return json.dumps(config, indent=2) + "\n"


def rules() -> str:
    """Return the alert: one a namespace and app whose requests fail too often, at once."""
    alert = {
        "alert": "HighErrorRatio",
        "expr": f"{ERRORS} / {REQUESTS} > 0.1",
        "for": "0s",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "more than a tenth of the requests fail"},
    }
    return json.dumps({"groups": [{"name": "sandbox", "rules": [alert]}]}, indent=2) + "\n"
