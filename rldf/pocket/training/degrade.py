"""Makes drawings look a little like generated pictures, for the readers' training.

Readers see drawings only; blur, noise and JPEG keep them from leaning on pixel-sharp edges.
"""

import io

import numpy as np
from PIL import Image, ImageFilter


def degrade(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Soften two pictures of five; leave the others as they are.

    Args:
        image: RGB.
        rng: random source.

    Returns:
        The image, degraded or not.
    """
    if rng.random() > 0.4:
        return image
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
    else:
        side = round(image.width / rng.uniform(1.3, 2.6))
        image = image.resize((side, side), Image.Resampling.BOX).resize(
            image.size, Image.Resampling.BICUBIC
        )
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(2, 12), (image.height, image.width, 3))
        image = Image.fromarray(np.uint8(np.clip(np.asarray(image) + noise, 0, 255)))
    if rng.random() < 0.3:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(30, 80)))
        image = Image.open(file).convert("RGB")
    return image
