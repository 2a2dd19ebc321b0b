"""`rldf.generate`: many images of a sentence that a search found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from rldf.api.progress import Progress, told
from rldf.api.searches import SearchResult
from rldf.experiments.applications.common import generator_models, hints
from rldf.experiments.applications.generate import SHEET, Generation
from rldf.experiments.applications.generate import generate as draw
from rldf.io.images import read_image
from rldf.io.text import counted
from rldf.models.model_set import ModelSet
from rldf.runs.result import in_words_of, read_result


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedImages:
    """Images of one sentence, with some words varied.

    Attributes:
        out: the folder with the images, the contact sheet and the manifest.
        paths: (n,) the image files.
        sentences: (n,) what each image was drawn from.
        warnings: what may not be expected, one line each.
    """

    out: Path
    paths: tuple[Path, ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def images(self) -> list[Image]:
        """The images, RGB, in order."""
        return [read_image(path) for path in self.paths]

    @property
    def sheet(self) -> Image:
        """All images on one sheet, RGB."""
        return read_image(self.out / SHEET)

    def _repr_html_(self) -> str:
        """Show the contact sheet, in a notebook."""
        from rldf.report.html import figure
        from rldf.report.images import data_uri

        return figure(data_uri(self.sheet), "contact sheet", counted(len(self.paths), "image"))


def generate(
    run: str | Path | SearchResult,
    n: int = 16,
    *,
    vary: Sequence[str] = (),
    grammar: str | Path | None = None,
    models: str | Path | ModelSet | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress | bool = False,
) -> GeneratedImages:
    """Draw the sentence that a search found with many seeds; the same call continues.

    Args:
        run: what `search` returned, or a run folder.
        n: how many images, 1 to 10000.
        vary: symbols of the axes whose values change from image to image, such as ["Weather"].
        grammar: a larger grammar that has the sentence too; the run's where it is left out.
        models: the model set that draws; the run's where it is left out.
        seed: of the images and of what varies.
        out: the folder; ./generated/<run> where it is left out.
        progress: True for a bar, or a function called with ("images", done, n).

    Returns:
        The images.

    Raises:
        UsageError: n is out of range, an axis is named twice, or there is no such axis.
        RunError: there is no such run, or `out` holds something else.
        ModelMissingError: the generator is not on this machine.
    """
    folder = run.out if isinstance(run, SearchResult) else Path(run)
    found = in_words_of(read_result(folder), None if grammar is None else str(grammar))
    named = None if models is None or isinstance(models, ModelSet) else str(models)
    drawn_by = models if isinstance(models, ModelSet) else generator_models(found, named)
    asked = Generation(found=found, models=drawn_by, n=n, vary=tuple(vary), seed=seed)
    place = Path("generated", folder.resolve().name) if out is None else Path(out)
    with told(progress) as show:
        made = draw(asked, place, lambda done: show("images", done, n))
    return GeneratedImages(
        out=place,
        paths=tuple(place / image.file for image in made.images),
        sentences=tuple(image.sentence for image in made.images),
        warnings=tuple(hints(found, drawn_by, named)),
    )
