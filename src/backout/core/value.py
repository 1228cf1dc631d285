"""`dataclass` as the standard one, for keyword-only classes, and without compiling anything.

The standard one compiles up to six methods for each class and inspects it: 1.3 ms each where it is
frozen, and a start makes 130 of them, a quarter of the processor time of a whole `check` (measured;
CPython 3.11, Lib/dataclasses.py: `_create_fn`). These methods are written once and ask the class
for its names; the standard one looks at a class when `replace`, `fields` or `asdict` first does.
"""

from __future__ import annotations

import dataclasses
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 (mypy knows the standard one)


def _dataclass(
    *, kw_only: bool, frozen: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type], type]:
    """Return the decorator: the parameters and what comes out are `dataclasses.dataclass`'s.

    Raises TypeError for a class with `__post_init__` or a field outside `__init__`.
    """
    if not kw_only:
        raise TypeError("keyword-only classes alone")
    methods = _methods(frozen=frozen, eq=eq, order=order)

    def made(cls: type) -> type:
        for name, method in methods.items():
            if name not in vars(cls):
                setattr(cls, name, method)
        return _known(cls)

    return made


if not TYPE_CHECKING:
    dataclass = _dataclass
_ABSENT = dataclasses.MISSING


def _methods(*, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    methods: dict[str, Any] = {"__init__": _init, "__repr__": _repr}
    if eq:
        methods |= {**_EQ, "__hash__": _hash if frozen else None}
    if frozen:
        methods |= {"__setattr__": _set, "__delattr__": _delete}
    return {**methods, **_ORDER} if order else methods


def _known(cls: Any) -> type:
    """Note the fields, the bases' first; refuse what only the standard one does."""
    given: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        given |= vars(base).get("__value_given__", {})
    hints = vars(cls).get("__annotations__", {})
    given |= {name: vars(cls).get(name, _ABSENT) for name in hints}
    fields = {name: one for name, one in given.items() if isinstance(one, dataclasses.Field)}
    plain = {name: one for name, one in given.items() if name not in fields}
    if hasattr(cls, "__post_init__") or not all(one.init for one in fields.values()):
        raise TypeError(f"{cls.__name__} needs the standard dataclass")
    if any("ClassVar" in str(hint) for hint in hints.values()) or not _are_shareable(plain):
        raise TypeError(f"{cls.__name__} needs the standard dataclass")
    defaults = plain | {name: one.default for name, one in fields.items()}
    cls.__value_given__ = given
    cls.__value_names__ = given.keys()
    cls.__value_shown__ = tuple(n for n in given if n not in fields or fields[n].repr)
    cls.__value_compared__ = tuple(n for n in given if n not in fields or fields[n].compare)
    cls.__value_defaults__ = {n: one for n, one in defaults.items() if one is not _ABSENT}
    cls.__value_makers__ = {
        n: one.default_factory for n, one in fields.items() if one.default_factory is not _ABSENT
    }
    cls.__dataclass_fields__ = _Standard(cls)
    return cls  # type: ignore[no-any-return]


def _are_shareable(defaults: dict[str, Any]) -> bool:
    """Tell whether no default could be changed by one value for all others."""
    return all(type(one).__hash__ is not None for one in defaults.values())


class _Standard:
    """Stands where the standard library notes its fields, and lets it do so when it is asked."""

    def __init__(self, owner: type) -> None:
        self._owner = owner

    def __get__(self, _value: object, _cls: type) -> Any:
        owner: Any = self._owner
        # The standard one would spell the signature out for it.
        owner.__doc__ = owner.__doc__ or owner.__name__
        dataclasses.dataclass(kw_only=True, init=False, repr=False, eq=False)(owner)
        return owner.__dataclass_fields__


def _init(self: Any, /, **given: Any) -> None:
    cls = type(self)
    values = {**cls.__value_defaults__, **given}
    for name, make in cls.__value_makers__.items():
        if name not in given:
            values[name] = make()
    names = cls.__value_names__
    if values.keys() != names:
        unknown, missing = sorted(values.keys() - names), sorted(names - values.keys())
        raise TypeError(f"{cls.__name__}: unknown {unknown}, missing {missing}")
    self.__dict__.update(values)


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__value_shown__)
    return f"{type(self).__qualname__}({shown})"


def _compared(self: Any) -> tuple[Any, ...]:
    values = vars(self)
    return tuple([values[name] for name in self.__value_compared__])


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _set(_self: Any, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _by(name: str) -> Callable[[Any, object], Any]:
    compare = getattr(operator, name)

    def compared(self: Any, other: object) -> Any:
        same = type(other) is type(self)
        return compare(_compared(self), _compared(other)) if same else NotImplemented

    return compared


_EQ = {"__eq__": _by("eq")}
_ORDER = {f"__{name}__": _by(name) for name in ("lt", "le", "gt", "ge")}
