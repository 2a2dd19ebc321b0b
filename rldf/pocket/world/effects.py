"""Weather, light, style and colour: what changes every pixel, the way it would in a photograph.

All functions take and return float32 images of shape (h, w, 3), range 0 to 1.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.float32]

_TINTS = {"day": (1.0, 1.0, 1.0), "sunset": (1.06, 0.80, 0.66), "night": (0.40, 0.44, 0.66)}


def light(pixels: Pixels, time: str, strength: float = 1.0) -> Pixels:
    """Tint an image by the time of day.

    Args:
        pixels: the image.
        time: "day", "sunset" or "night".
        strength: 0 leaves the image, 1 is the full tint.

    Returns:
        The tinted image.
    """
    tint = 1 + strength * (np.array(_TINTS[time], np.float32) - 1)
    tinted: Pixels = np.clip(pixels * tint, 0, 1)
    return tinted


def fog(pixels: Pixels, horizon: float) -> Pixels:
    """Veil an image in grey, thickest at the horizon and beyond.

    Args:
        pixels: the image.
        horizon: y of the horizon, px.

    Returns:
        The veiled image.
    """
    height = pixels.shape[0]
    depth = np.clip((height - np.arange(height)) / (height - horizon), 0, 1)
    veil = (0.14 + 0.46 * depth).astype(np.float32)[:, None, None]
    veiled: Pixels = pixels * (1 - veil) + np.float32(0.84) * veil
    return veiled


def rain(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Darken an image a little and draw slanted streaks over it.

    Args:
        pixels: the image.
        rng: random source.

    Returns:
        The rainy image.
    """
    height, width, _ = pixels.shape
    wet = pixels * np.float32(0.82)
    slant = rng.uniform(-0.35, 0.35)
    n = height * width // 560
    x, y = rng.uniform(0, width, n), rng.uniform(0, height, n)
    for step in range(height // 14):
        xs = ((x + slant * step) % width).astype(int)
        ys = ((y + step) % height).astype(int)
        wet[ys, xs] = wet[ys, xs] * 0.45 + np.array((0.86, 0.92, 1.0), np.float32) * 0.55
    return wet


def snow(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Lighten an image a little and scatter flakes over it.

    Args:
        pixels: the image.
        rng: random source.

    Returns:
        The snowy image.
    """
    height, width, _ = pixels.shape
    pale = pixels * np.float32(0.86) + np.float32(0.11)
    mask = Image.new("L", (width, height))
    stamp = Image.new("L", (7, 7))
    for n, r in ((60, 1), (44, 2), (20, 3)):
        flake = stamp.copy()
        flake.paste(255, (3 - r, 3 - r, 3 + r, 3 + r))
        for x, y in rng.integers(0, (width, height), (n, 2)):
            mask.paste(255, (int(x), int(y)), flake)
    blurred = np.asarray(mask.filter(ImageFilter.BoxBlur(0.7)), np.float32)
    alpha = blurred[..., None] / np.float32(255)
    snowy: Pixels = pale * (1 - alpha) + alpha
    return snowy


def pencil_sketch(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn an image into pencil lines along its edges, shaded by its tones, on paper.

    Args:
        pixels: the image.
        rng: random source.

    Returns:
        The sketch (all three channels nearly equal).
    """
    grey = pixels @ np.array((0.30, 0.59, 0.11), np.float32)
    inverted = Image.fromarray(np.uint8(255 * (1 - grey)))
    blurred = np.asarray(inverted.filter(ImageFilter.GaussianBlur(5)), np.float32) / 255
    lines = np.clip(grey / np.maximum(1 - blurred, 0.05), 0, 1) ** 2
    shade = rng.uniform(0.22, 0.34) + 0.7 * grey  # the tones tell a tiger from a cat
    paper = np.array((0.98, 0.97, 0.93), np.float32)
    sketch: Pixels = np.clip((lines * shade)[..., None] * paper, 0, 1)
    return sketch


def watercolour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn an image into soft patches of pale paint on paper.

    Args:
        pixels: the image.
        rng: random source.

    Returns:
        The painting.
    """
    image = Image.fromarray(np.uint8(255 * pixels))
    small = image.reduce(2).filter(ImageFilter.MedianFilter(3))
    flat = np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), np.float32) / 255
    coarse = Image.fromarray(np.uint8(rng.integers(0, 256, (12, 12))))
    wash = np.asarray(coarse.resize(image.size, Image.Resampling.BICUBIC), np.float32) / 255
    paint = flat * 0.78 + 0.2
    return np.clip(paint + 0.16 * (wash[..., None] - 0.4), 0, 1)


def recolour(sprite: Image.Image, hue: float) -> Image.Image:
    """Give the coloured parts of a cut-out picture another hue; grey parts and shading stay.

    Args:
        sprite: RGBA.
        hue: 0 to 1, as in HSV.

    Returns:
        The picture in that hue.
    """
    hsv = np.array(sprite.convert("RGB").convert("HSV"))
    hues, saturations = hsv[..., 0].astype(np.int16), hsv[..., 1]
    strong = (saturations > 90) & (np.asarray(sprite.getchannel("A")) > 128)
    main = int(np.bincount(hues[strong], minlength=256).argmax())
    apart = (hues - main + 128) % 256 - 128
    near = np.clip(apart // 3, -8, 8)  # the parts of other hues come along, nearly alike
    hsv[..., 0] = np.where(saturations > 60, (round(hue * 256) + near) % 256, hues)
    coloured = Image.fromarray(hsv, "HSV").convert("RGB")
    coloured.putalpha(sprite.getchannel("A"))
    return coloured


HUES = {"red": 0.0, "yellow": 0.14, "green": 0.36, "blue": 0.6, "purple": 0.79}
"""Hue by colour word."""

STYLES = {"pencil sketch": pencil_sketch, "watercolour": watercolour}
"""Painter by style; a photo is left as it is."""
