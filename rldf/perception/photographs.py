"""Tells whether an image is of a kind that a model set does not know."""

from rldf.models.schema import ModelSetFile
from rldf.perception.reading import Reading


def photograph_hint(models: ModelSetFile, reading: Reading) -> tuple[str, ...]:
    """Say so if models that know drawings were given what looks like a photograph.

    Such an image has no object of the drawn world, or is unlike the sentence it was read as: the
    cosine of the two stays below the model set's `familiar`.
    """
    if models.knows != "drawings":
        return ()
    if reading.likeness is not None and reading.likeness >= models.familiar:
        return ()
    return (
        f"this looks like a photograph; the {models.name} models know drawings: use --models "
        "with a model set for photographs",
    )
