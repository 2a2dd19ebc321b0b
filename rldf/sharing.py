"""Base classes for objects that copies share, and for models that are pickled without weights.

A copy of an environment, a reward or a search changes independently but uses the same models: so
objects that never change are shared, not copied. Models are pickled as the call that made them
(class, files, options); the process that loads the pickle makes that call again.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Self


class Shared:
    """An object that never changes: copying it returns the same object."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Return the same object."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return the same object."""
        return self


class Remade(Shared):
    """An object with weights or connections, which is pickled as the call that makes it."""

    _made_by: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the constructor of a subclass store its arguments."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _remembering(cls.__init__)  # type: ignore[method-assign]

    def made_by(self, make: Callable[..., Any], *arguments: Any) -> None:
        """Store a call other than the constructor's that makes an equal object."""
        self._made_by = (make, arguments, {})

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return the stored call, which pickle makes again when it loads the object."""
        return _call, self._made_by


def _remembering(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def remember(self: Remade, *arguments: Any, **named: Any) -> None:
        if "_made_by" not in vars(self):  # the outermost constructor alone stores its call
            given = {name: _anywhere(value) for name, value in named.items()}
            self._made_by = (type(self), tuple(map(_anywhere, arguments)), given)
        init(self, *arguments, **named)

    return remember


def _anywhere(value: Any) -> Any:
    """Make a path absolute, so that a process in another folder finds the file."""
    return value.absolute() if isinstance(value, Path) else value


def _call(make: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return make(*arguments, **named)
