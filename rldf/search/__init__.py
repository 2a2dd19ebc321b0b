"""The search: an agent walks the grid of encodings. `rldf.search(...)` itself can be called.

The package and the function of the public face have one name, and whoever imports a module of the
package makes `rldf.search` mean the package; so the package can be called.
"""

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """The package `rldf.search`, which can be called like the function `rldf.api.search`."""

    @property
    def __wrapped__(self) -> Any:
        """The function, for `help`, `inspect.signature` and IDEs."""
        from rldf.api.searches import search

        return search

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Search; see `rldf.api.searches.search`."""
        return self.__wrapped__(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
