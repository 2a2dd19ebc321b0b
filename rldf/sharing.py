"""What copies share, and what a pickle holds instead of weights.

A copy of an environment, a reward or a search walks on by itself but looks through the same models:
so whatever does not change is its own copy. Models are pickled as the call that made them (class,
files, options), and made again by it in the process that reads the pickle.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Self


class Shared:
    """Something that does not change once it is made: a copy of it is itself."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Give itself."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give itself."""
        return self


class Remade(Shared):
    """Something that holds weights or connections: pickled as the call that makes it."""

    _made_by: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Have the constructor of a subclass remember what it was given."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _remembering(cls.__init__)  # type: ignore[method-assign]

    def made_by(self, make: Callable[..., Any], *arguments: Any) -> None:
        """State another call that makes it, where the constructor's would say less."""
        self._made_by = (make, arguments, {})

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Say how it is made again."""
        return _call, self._made_by


def _remembering(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def remember(self: Remade, *arguments: Any, **named: Any) -> None:
        if "_made_by" not in vars(self):  # else a subclass was called
            given = {name: _anywhere(value) for name, value in named.items()}
            self._made_by = (type(self), tuple(map(_anywhere, arguments)), given)
        init(self, *arguments, **named)

    return remember


def _anywhere(value: Any) -> Any:
    """Name a file so that a process in another folder finds it too."""
    return value.absolute() if isinstance(value, Path) else value


def _call(make: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return make(*arguments, **named)
