"""Groups of options: a command receives each as one value of a frozen class."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from backout.cli.options.declaring import F, with_options

if TYPE_CHECKING:
    from collections.abc import Callable


class Options(Struct, frozen=True, kw_only=True):
    """A group of options. `declared` are click's, each with the name of the field that it fills."""

    declared: ClassVar[tuple[Callable[[Any], Any], ...]] = ()


def receives(**groups: type[Options]) -> Callable[[F], F]:
    """Return what gives a command these groups, in this order in its help, by these names."""
    fields = {name: group.__struct_fields__ for name, group in groups.items()}

    def given(command: F) -> Callable[..., Any]:
        @wraps(command)
        def called(*args: Any, **values: Any) -> Any:
            made = {
                name: group(**{field: values.pop(field) for field in fields[name]})
                for name, group in groups.items()
            }
            return command(*args, **values, **made)

        declared = tuple(option for group in groups.values() for option in group.declared)
        return with_options(called, declared)

    return given  # type: ignore[return-value]
