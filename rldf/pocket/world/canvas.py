"""What the painters of backdrops work on: a canvas, and the sky that is painted first."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

SIZE = 256  # px; the picture is half of it
Colour = tuple[int, int, int]
Edges = tuple[float, float, float, float]  # left, top, right, lower

_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((106, 168, 242), (220, 238, 252)),
    "overcast": ((142, 152, 166), (206, 212, 218)),
    "sunset": ((92, 76, 140), (252, 168, 96)),
    "night": ((10, 14, 40), (44, 56, 104)),
}


@dataclass(slots=True)
class Canvas:
    """What a painter works on.

    Attributes:
        draw: drawing context of a SIZE x SIZE RGB image that blends RGBA colours.
        rng: random source.
        horizon: y of the horizon, px.
        lights: boxes that shine at night, filled by the painters.
    """

    draw: ImageDraw.ImageDraw
    rng: np.random.Generator
    horizon: int
    lights: list[Edges] = field(default_factory=list)

    def near(self, colour: Colour, spread: int = 12) -> Colour:
        """Vary a colour a little.

        Args:
            colour: RGB, 0-255.
            spread: largest change of a channel.

        Returns:
            The varied colour.
        """
        change = self.rng.integers(-spread, spread + 1, 3)
        r, g, b = (int(np.clip(c + d, 0, 255)) for c, d in zip(colour, change, strict=True))
        return r, g, b

    def uniform(self, low: float, high: float) -> float:
        """Draw a number.

        Args:
            low: lowest value.
            high: highest value.

        Returns:
            A number between them.
        """
        return float(self.rng.uniform(low, high))

    def ground(self, far: Colour, near: Colour) -> None:
        """Fill the ground with a gradient.

        Args:
            far: colour at the horizon.
            near: colour at the lower edge.
        """
        for y in range(self.horizon, SIZE, 4):
            t = (y - self.horizon) / (SIZE - self.horizon)
            mixed = tuple(round(a + (b - a) * t) for a, b in zip(far, near, strict=True))
            self.draw.rectangle((0, y, SIZE, y + 4), fill=mixed)

    def ridge(self, height: float, steps: int, fill: Colour, foot: int | None = None) -> None:
        """Draw hills or peaks behind the horizon.

        Args:
            height: largest height above the horizon, px.
            steps: number of corners.
            fill: colour.
            foot: y of the lower edge; the horizon if None.
        """
        foot = self.horizon if foot is None else foot
        xs = np.linspace(-20, SIZE + 20, steps)
        ys = foot - self.rng.uniform(0.35, 1.0, steps) * height
        points = list(zip(xs.tolist(), ys.tolist(), strict=True))
        self.draw.polygon([(-20, foot), *points, (SIZE + 20, foot)], fill=fill)


def paint_sky(horizon: int, mood: str, rng: np.random.Generator) -> Image.Image:
    """Paint the sky: gradient, clouds by day, stars and a moon by night.

    Args:
        horizon: y of the horizon, px.
        mood: "day", "overcast", "sunset" or "night".
        rng: random source.

    Returns:
        A SIZE x SIZE RGB image.
    """
    jitter = rng.integers(-10, 11, 3)
    top, low = (np.clip(np.add(colour, jitter), 0, 255) for colour in _SKIES[mood])
    t = np.clip(np.arange(SIZE) / horizon, 0, 1)[:, None]
    rows = (top * (1 - t) + low * t).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(np.broadcast_to(rows[:, None], (SIZE, SIZE, 3))))
    draw = ImageDraw.Draw(image, "RGBA")
    if mood == "night":
        for x, y in rng.uniform((0, 0), (SIZE, horizon), (36, 2)):
            draw.ellipse((x, y, x + 1.6, y + 1.6), fill=(255, 255, 235, 230))
        x, y = rng.uniform(20, SIZE - 50), rng.uniform(8, 26)
        draw.ellipse((x, y, x + 24, y + 24), fill=(246, 242, 214))
    elif mood == "sunset":
        x = rng.uniform(30, SIZE - 70)
        draw.ellipse((x - 10, horizon - 48, x + 54, horizon + 16), fill=(255, 210, 120, 90))
        draw.ellipse((x, horizon - 38, x + 44, horizon + 6), fill=(255, 226, 140))
    elif mood == "day":
        for _ in range(int(rng.integers(1, 4))):
            _cloud(draw, rng.uniform(0, SIZE), rng.uniform(12, horizon * 0.6), rng)
    return image


def _cloud(draw: ImageDraw.ImageDraw, x: float, y: float, rng: np.random.Generator) -> None:
    for _ in range(4):
        dx, dy, r = rng.uniform(-22, 22), rng.uniform(-4, 4), rng.uniform(7, 14)
        box = (x + dx - r * 1.7, y + dy - r * 0.8, x + dx + r * 1.7, y + dy + r * 0.8)
        draw.ellipse(box, fill=(255, 255, 255, 190))
