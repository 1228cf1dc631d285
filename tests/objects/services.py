"""Services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.objects.metadata import Object


def service(
    app: str = "web",
    *ports: dict[str, Any],
    name: str = "",
    port: int | str = "http",
    **spec: Any,
) -> Object:
    """Return a Service that selects the Pods of `app`; `port` is where its port 80 leads to.

    It has the name of `app` where it has none of its own.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name or app},
        "spec": {
            "selector": {"app": app},
            "ports": list(ports) or [{"port": 80, "targetPort": port}],
            **spec,
        },
    }
