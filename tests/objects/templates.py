"""Pod templates: one container `app` that serves on a port named http."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.metadata import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.objects.metadata import Object

READY: dict[str, Any] = {"httpGet": {"path": "/ready", "port": 8080}}


def template(
    image: str = "reg.example/app:v1",
    *,
    app: str = "web",
    spec: Mapping[str, Any] | None = None,
    **container: Any,
) -> Object:
    """Return a template; `container` are fields of the container, `spec` those of the Pod."""
    made = {
        "name": "app",
        "image": image,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {},
    }
    return {
        "metadata": {"labels": {"app": app}},
        "spec": merged(
            {"containers": [merged(made, container)], "restartPolicy": "Always"},
            spec,
        ),
    }
