"""YAML as Kubernetes reads it: go.yaml.in/yaml/v2 and sigs.k8s.io/yaml, not PyYAML's YAML 1.1.

What differs: `y` and `n` are booleans, `12:34` and dates are text, an unknown tag is no error, the
first of several documents counts. Bounded, and nothing is ever built but plain data.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import yaml

NODE_CAP = 1_000_000
"""With every alias written out; a kubeconfig of a thousand clusters has some 30,000 nodes."""
DEPTH_CAP = 100
"""A kubeconfig is 6 deep, an extension of it may be deeper."""

# The C loader reads 16 MiB in seconds, the Python one in minutes.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_NO_NUMBER = frozenset(
    sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")
) | {".nan", ".NaN", ".NAN"}
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def parse(content: bytes) -> Any:
    """Return the first document as plain data, None if there is none.

    Raises yaml.YAMLError, ValueError or RecursionError for what is no YAML, and for what nests too
    deeply or is too large once aliases are written out.
    """
    _refuse_bombs(content)
    loader = _Loader(content)
    try:
        return loader.get_data() if loader.check_data() else None
    finally:
        loader.dispose()


def documents(content: bytes) -> list[Any]:
    """Return every document as plain data; raises as `parse` does."""
    _refuse_bombs(content, is_whole=True)
    loader = _Loader(content)
    found = []
    try:
        while loader.check_data():
            found.append(loader.get_data())
    finally:
        loader.dispose()
    return found


class _Loader(_Base):  # type: ignore[misc] # whichever of two classes there is
    """The safe loader with Go's idea of which plain scalar is what."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node that has none."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _TAG + _plain(value)
        return super().resolve(kind, value, implicit)

    def construct_mapping(self, node: Any, **_deep: bool) -> dict[Any, Any]:
        """Return the mapping; of a key that stands twice, the last counts, merged ones included."""
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                for one in self._merged(value_node):
                    found.update(self.construct_mapping(one, deep=True))
                continue
            key = self.construct_object(key_node, deep=True)
            if key is None or isinstance(key, (dict, list)):
                raise _complaint("not a usable key", key_node)
            found[key] = self.construct_object(value_node, deep=True)
        return found

    def _merged(self, node: Any) -> list[Any]:
        """Return what `<<` names; of a list, the first outranks the later ones."""
        several = isinstance(node, yaml.SequenceNode)
        nodes = list(reversed(node.value)) if several else [node]
        if not all(isinstance(one, yaml.MappingNode) for one in nodes):
            raise _complaint("<< wants a mapping", node)
        return nodes


def _plain(text: str) -> str:
    """Return the kind of a plain scalar (resolve.go, resolve)."""
    if text in _NULL:
        return "null"
    if text in _TRUE or text in _FALSE:
        return "bool"
    if text in _NO_NUMBER:
        return "float"
    if text == "<<":
        return "merge"
    if text[0] not in "+-.0123456789":
        return "str"
    bare = text if text[0] == "." else text.replace("_", "")
    if _INTEGER.fullmatch(bare) and -(2**63) <= _integer(bare) < 2**64:
        return "int"
    if _FLOAT.fullmatch(bare) and math.isfinite(float(bare)):
        return "float"
    return "str"


def _integer(text: str) -> int:
    bare = text.replace("_", "")
    is_octal = re.fullmatch(r"[-+]?0[0-7]+", bare)
    return int(bare, 8) if is_octal else int(bare, 0)


def _construct_integer(_loader: Any, node: Any) -> int:
    return _integer(node.value)


def _construct_float(_loader: Any, node: Any) -> float:
    found = math.nan if node.value in _NO_NUMBER else float(node.value.replace("_", ""))
    if not math.isfinite(found):
        raise _complaint("a number that JSON does not have", node)
    return found


def _construct_flag(_loader: Any, node: Any) -> bool:
    if node.value not in _TRUE | _FALSE:
        raise _complaint("neither true nor false", node)
    return node.value in _TRUE


def _construct_binary(_loader: Any, node: Any) -> str:
    return base64.b64decode(node.value.encode()).decode(errors="replace")


def _construct_any(loader: Any, node: Any) -> Any:
    """Build what has a tag that nobody knows from its shape alone."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


for _kind, _construct in {
    "int": _construct_integer,
    "float": _construct_float,
    "bool": _construct_flag,
    "binary": _construct_binary,
}.items():
    _Loader.add_constructor(_TAG + _kind, _construct)
for _kind in ("timestamp", "set", "omap", "pairs", "value"):
    _Loader.add_constructor(_TAG + _kind, _construct_any)
_Loader.add_constructor(None, _construct_any)


def _complaint(problem: str, node: Any) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _refuse_bombs(content: bytes, *, is_whole: bool = False) -> None:
    """Raise for a document that is nested too deeply, or too large once aliases are written out.

    `is_whole`: all documents are looked at, else the first.
    Before anything is built: libyaml's composer recurses in C and would take the process with it.
    """
    sizes: dict[str, int] = {}
    stack: list[tuple[str | None, int]] = []  # (anchor, nodes before it began)
    total = 0
    for event in yaml.parse(content, Loader=_Loader):
        if isinstance(event, yaml.DocumentStartEvent) and event.version not in {None, (1, 1)}:
            raise _complaint("not YAML 1.1", event)
        if isinstance(event, yaml.DocumentEndEvent) and not is_whole:
            return
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = stack.pop()
            if anchor:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.NodeEvent):
            # An alias of what is still open (itself) or unknown counts as too much.
            is_alias = isinstance(event, yaml.AliasEvent)
            total += sizes.get(event.anchor or "", NODE_CAP) if is_alias else 1
            if isinstance(event, yaml.ScalarEvent) and event.anchor:
                sizes[event.anchor] = 1
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append((event.anchor, total - 1))
        if len(stack) > DEPTH_CAP or total > NODE_CAP:
            raise yaml.MarkedYAMLError(problem="nested too deeply, or too many nodes")
