"""Secrets with which the kubelet pulls images."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.objects.metadata import Object

DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"


def encoded(content: Any) -> str:
    """Return text, or anything else as JSON, in base64."""
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.b64encode(text.encode()).decode()


def secret(kind: str, **content: Any) -> Object:
    """Return a Secret of this type; `content` is what it holds, encoded already."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pull"},
        "type": kind,
        "data": content,
    }


def pull_secret(content: Any, name: str = "pull") -> Object:
    made = secret(DOCKER_CONFIG, **{".dockerconfigjson": encoded(content)})
    return {**made, "metadata": {"name": name}}
