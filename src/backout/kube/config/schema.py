"""What type each field of a kubeconfig has. Pure.

kubectl decodes the whole file before it looks at any of it: one number where text belongs makes
the file unusable, even in an entry that nobody asks for. Unknown fields are ignored.
Source: client-go tools/clientcmd/api/v1/types.go.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rule = Callable[[Any, str], Iterator[str]]
    """(value, its name) -> what is wrong with it; null is right everywhere."""


def complaints(kind: str, fields: Any) -> Iterator[str]:
    """Yield what is wrong with an entry's fields, without the values: they may be secrets."""
    return _ENTRIES[kind](fields, "")


def _text(value: Any, name: str) -> Iterator[str]:
    if not isinstance(value, str | None):
        yield f"{name} is not text"


def _flag(value: Any, name: str) -> Iterator[str]:
    if not isinstance(value, bool | None):
        yield f"{name} is not true or false"


def _base64(value: Any, name: str) -> Iterator[str]:
    if not isinstance(value, str | None):
        yield f"{name} is not text"
        return
    try:
        decoded(value or "")
    except ValueError:
        yield f"{name} is not base64"


def decoded(text: str) -> bytes:
    """Return what base64 says, line breaks allowed; raise ValueError."""
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except binascii.Error as exc:
        raise ValueError(str(exc)) from None


def _anything(_value: Any, _name: str) -> Iterator[str]:
    yield from ()


def _list(inner: Rule) -> Rule:
    def rule(value: Any, name: str) -> Iterator[str]:
        if not isinstance(value, list | None):
            yield f"{name} is not a list"
            return
        for item in value or ():
            yield from inner(item, f"an entry of {name}")

    return rule


def _mapping(inner: Rule) -> Rule:
    def rule(value: Any, name: str) -> Iterator[str]:
        if not isinstance(value, dict | None):
            yield f"{name} is not a mapping"
            return
        for item in (value or {}).values():
            yield from inner(item, f"an entry of {name}")

    return rule


def _fields(**rules: Rule) -> Rule:
    """Return the rule of a mapping with known fields; `a_b` stands for `a-b`."""
    named = {name.replace("_", "-"): rule for name, rule in rules.items()}

    def rule(value: Any, name: str) -> Iterator[str]:
        if not isinstance(value, dict | None):
            yield f"{name or 'it'} is not a mapping"
            return
        for field, inner in named.items():
            yield from inner((value or {}).get(field), f"{name}: {field}" if name else field)

    return rule


_extensions = _list(_fields(name=_text, extension=_anything))
_EXEC = _fields(
    command=_text,
    args=_list(_text),
    env=_list(_fields(name=_text, value=_text)),
    apiVersion=_text,
    installHint=_text,
    provideClusterInfo=_flag,
    interactiveMode=_text,
)

_ENTRIES: dict[str, Rule] = {
    "cluster": _fields(
        server=_text,
        tls_server_name=_text,
        insecure_skip_tls_verify=_flag,
        certificate_authority=_text,
        certificate_authority_data=_base64,
        proxy_url=_text,
        disable_compression=_flag,
        extensions=_extensions,
    ),
    "user": _fields(
        client_certificate=_text,
        client_certificate_data=_base64,
        client_key=_text,
        client_key_data=_base64,
        token=_text,
        tokenFile=_text,
        **{"as": _text},
        as_uid=_text,
        as_groups=_list(_text),
        as_user_extra=_mapping(_list(_text)),
        username=_text,
        password=_text,
        auth_provider=_fields(name=_text, config=_mapping(_text)),
        exec=_EXEC,
        extensions=_extensions,
    ),
    "context": _fields(cluster=_text, user=_text, namespace=_text, extensions=_extensions),
    "kubeconfig": _fields(
        kind=_text,
        apiVersion=_text,
        preferences=_fields(colors=_flag, extensions=_extensions),
        clusters=_list(_fields(name=_text, cluster=_anything)),
        users=_list(_fields(name=_text, user=_anything)),
        contexts=_list(_fields(name=_text, context=_anything)),
        current_context=_text,
        extensions=_extensions,
    ),
}
