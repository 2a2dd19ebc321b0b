"""Seeds derived from one seed and from names, the same on every machine.

A run has one seed. Each random part of it has a separate generator, derived from that seed and the
name of the part, so that a new part never changes the random numbers of the others.
"""

import hashlib
import json
import operator

import numpy as np

SEED_BITS = 63  # fits a signed 64-bit integer, the narrowest seed that a library here accepts


def derive(seed: int, *parts: str | int) -> int:
    """Derive a seed from a seed and from names and numbers that say what it is for.

    The result is the first 63 bits of the SHA-256 of the JSON list `[seed, *parts]` (ASCII, no
    spaces), so `1` and `"1"` give different seeds, as do `"a", "b"` and `"ab"`.

    Args:
        seed: any integer, of any sign and size.
        parts: what the seed is for, for example a class name and the index of an image.

    Returns:
        An integer in `[0, 2**63)`.

    Raises:
        TypeError: a part is neither text nor an integer.
    """
    names = [part if isinstance(part, str) else int(operator.index(part)) for part in parts]
    text = json.dumps([int(operator.index(seed)), *names], separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def rng(seed: int, *parts: str | int) -> np.random.Generator:
    """Make a fresh generator, seeded with `derive(seed, *parts)`.

    Args:
        seed: any integer.
        parts: what the generator is for.

    Returns:
        A generator with the bit generator PCG64, whatever the default of numpy is.

    Raises:
        TypeError: a part is neither text nor an integer.
    """
    return np.random.Generator(np.random.PCG64(derive(seed, *parts)))
