"""RLDF: find the sentence that makes a text-to-image model redraw an image.

    import rldf

    result = rldf.search("photo.jpg", reward="clip")
    print(result.sentence)

The functions below are loaded when they are first used, so `import rldf` is quick. docs/python.md
shows each of them. Errors are classes of `rldf.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rldf.api.clones import clone as clone
    from rldf.api.clones import clone_imagenet as clone_imagenet
    from rldf.api.evaluations import EvaluationResult as EvaluationResult
    from rldf.api.evaluations import evaluate as evaluate
    from rldf.api.generations import GeneratedImages as GeneratedImages
    from rldf.api.generations import generate as generate
    from rldf.api.searches import SearchResult as SearchResult
    from rldf.api.searches import encode as encode
    from rldf.api.searches import load_result as load_result
    from rldf.api.searches import make_env as make_env
    from rldf.api.searches import search as search
    from rldf.dataset.job import CloneResult as CloneResult
    from rldf.grammar.grammar import load_grammar as load_grammar
    from rldf.models.model_sets import load_model_set as load_models
    from rldf.perception.reading import ImageReading as ImageReading

__version__ = "0.1.0"

_EXPORTS = {
    "CloneResult": "rldf.dataset.job:CloneResult",
    "EvaluationResult": "rldf.api.evaluations:EvaluationResult",
    "GeneratedImages": "rldf.api.generations:GeneratedImages",
    "ImageReading": "rldf.perception.reading:ImageReading",
    "SearchResult": "rldf.api.searches:SearchResult",
    "clone": "rldf.api.clones:clone",
    "clone_imagenet": "rldf.api.clones:clone_imagenet",
    "encode": "rldf.api.searches:encode",
    "evaluate": "rldf.api.evaluations:evaluate",
    "generate": "rldf.api.generations:generate",
    "load_grammar": "rldf.grammar.grammar:load_grammar",
    "load_models": "rldf.models.model_sets:load_model_set",
    "load_result": "rldf.api.searches:load_result",
    "make_env": "rldf.api.searches:make_env",
    "search": "rldf.api.searches:search",
}
"""Where each name is, "module:name"."""

__all__ = [
    "CloneResult",
    "EvaluationResult",
    "GeneratedImages",
    "ImageReading",
    "SearchResult",
    "__version__",
    "clone",
    "clone_imagenet",
    "encode",
    "evaluate",
    "generate",
    "load_grammar",
    "load_models",
    "load_result",
    "make_env",
    "search",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'rldf' has no attribute '{name}'")
    module, _, attribute = _EXPORTS[name].partition(":")
    globals()[name] = found = getattr(import_module(module), attribute)
    return found


def __dir__() -> list[str]:
    """List the public names too that are not imported yet."""
    return sorted({*globals(), *__all__})
