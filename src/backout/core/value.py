"""`dataclass` as the standard one, for keyword-only classes, and without compiling anything.

The standard one compiles up to six methods for each class: 1.3 ms each where it is frozen, and a
start makes 130 of them, a quarter of the processor time of a whole `check` (measured; CPython 3.11,
Lib/dataclasses.py: `_create_fn`). These methods are written once and ask the class for its names.
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
        # The standard one would spell the signature out for it.
        cls.__doc__ = cls.__doc__ or cls.__name__
        bare = dataclasses.dataclass(kw_only=True, init=False, repr=False, eq=False)
        return _known(bare(cls))

    return made


if not TYPE_CHECKING:
    dataclass = _dataclass


def _methods(*, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    methods: dict[str, Any] = {"__init__": _init, "__repr__": _repr}
    if eq:
        methods |= {**_EQ, "__hash__": _hash if frozen else None}
    if frozen:
        methods |= {"__setattr__": _set, "__delattr__": _delete}
    return {**methods, **_ORDER} if order else methods


def _known(cls: Any) -> type:
    fields, absent = dataclasses.fields(cls), dataclasses.MISSING
    if hasattr(cls, "__post_init__") or any(not one.init for one in fields):
        raise TypeError(f"{cls.__name__} needs the standard dataclass")
    cls.__value_names__ = frozenset(one.name for one in fields)
    cls.__value_shown__ = tuple(one.name for one in fields if one.repr)
    cls.__value_compared__ = tuple(one.name for one in fields if one.compare)
    cls.__value_defaults__ = {f.name: f.default for f in fields if f.default is not absent}
    makers = {f.name: f.default_factory for f in fields if f.default_factory is not absent}
    cls.__value_makers__ = makers
    return cls  # type: ignore[no-any-return]


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
