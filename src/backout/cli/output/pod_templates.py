"""Pod templates as YAML, with or without the values that may be secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from backout.core.difference.shown import HIDDEN, hidden
from backout.core.kubernetes.template import without_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.core.model import Object

_PLAIN = re.compile(r"[ -~]*")
_WIDEST = 1 << 30


class _Dumper(yaml.SafeDumper):
    """Writes what is no plain line of ASCII, or what CI runners obey, in quotes with escapes.

    So no text of the cluster's begins a line, acts on a terminal or breaks one.
    """


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) is not None and "##" not in text and "::" not in text
    style = None if is_plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """Return a value as YAML, keys in their order; ASCII only, a line a field."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=_WIDEST, indent=2
    )
    return str(text).replace("##", "#\\x23")


def told(
    pod_template: Object, *, with_values: bool, veil: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """Return a template without the controller's label, and without secrets unless asked for."""
    plain = without_hash(pod_template)
    if with_values:
        return plain
    veiled: dict[str, Any] = hidden((), plain, veil) if veil is not None else hidden((), plain)
    return veiled


def hides(value: Any) -> bool:
    """Tell whether something is hidden in what `told` returned."""
    if isinstance(value, dict):
        return any(map(hides, value.values()))
    if isinstance(value, list):
        return any(map(hides, value))
    return isinstance(value, str) and value.startswith(HIDDEN)
