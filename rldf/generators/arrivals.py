"""Images one by one as they come, from generators that can give them so."""

from collections.abc import Iterator, Sequence

from PIL.Image import Image

from rldf.ports import ImageGenerator


def arrivals(
    generator: ImageGenerator, sentences: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[int, Image]]:
    """Draw sentences, and give each image as soon as it is there.

    A generator whose images come one by one has a method `arrivals` of this form; any other gives
    them all at the end. What has come can be kept, whatever happens to the rest.

    Args:
        generator: what draws.
        sentences: prompts.
        seeds: one for each.

    Yields:
        Place in the list, RGB image; each place once, in any order.
    """
    one_by_one = getattr(generator, "arrivals", None)
    if one_by_one is None:
        yield from enumerate(generator.generate(sentences, seeds))
    else:
        yield from one_by_one(sentences, seeds)
