"""A kubeconfig as text: plain, and in the ways that are legal but that nobody expects."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

STYLES = ("json", "block", "flow", "quoted", "multi-document", "tagged", "anchored", "commented")


def text_of(document: dict[str, Any], style: str) -> str:
    """Return the document in one of STYLES."""
    match style:
        case "json":
            return json.dumps(document, ensure_ascii=False)
        case "flow":
            return yaml.safe_dump(document, default_flow_style=True, allow_unicode=True)
        case "quoted":
            return yaml.safe_dump(document, default_style='"')
        case "multi-document":
            other = json.dumps({"current-context": "elsewhere", "clusters": "nonsense"})
            return f"---\n{yaml.safe_dump(document)}...\n---\n{other}\n--- [\n"
        case "tagged":
            return "!!map " + json.dumps(document)
        case "anchored":
            return _anchored(document)
        case "commented":
            return "\ufeff# Zürich\n%YAML 1.1\n---\n" + yaml.safe_dump(document, sort_keys=False)
        case "plain-namespace":
            text = json.dumps(document)
            return re.sub(r'"namespace": "([^"]*)"', r'"namespace": \1', text)
        case _:
            return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _anchored(document: dict[str, Any]) -> str:
    """Return YAML in which entries are aliases, one merges another, and keys stand twice."""
    lines = ["x-anchors:"]
    names: dict[str, list[str]] = {"clusters": [], "users": [], "contexts": []}
    for kind, listed in names.items():
        for index, item in enumerate(document[kind]):
            anchor = f"{kind}{index}"
            lines.append(f"- &{anchor} {json.dumps(item)}")
            listed.append(anchor)
    for kind, listed in names.items():
        lines.append(f"{kind}: [overwritten]")
        lines.append(f"{kind}:")
        lines += [f"- {{<<: *{anchor}}}" for anchor in listed]
    rest = {name: value for name, value in document.items() if name not in names}
    lines += [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in rest.items()]
    return "\n".join(lines) + "\n"
