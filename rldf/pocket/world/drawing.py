"""The drawn world: a sentence and a seed in, a picture with exact ground truth out.

The sentence is one of grammars/pocket.yaml (every sentence of base.yaml is). The canvas is
256 x 256 and is reduced to 128 x 128 (Lanczos). The same sentence and seed give the same picture.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from rldf.grammar.grammar import Grammar, load_grammar
from rldf.pocket.world import effects
from rldf.pocket.world.backdrops import PAINTERS
from rldf.pocket.world.canvas import SIZE, Canvas, Edges, paint_sky
from rldf.pocket.world.sprites import looks, sprites
from rldf.seeding import rng as seeded

PICTURE = 128
"""Side of a picture, px."""

_COUNTS = {"no": (0, 0), "one": (1, 1), "two": (2, 2), "many": (3, 4)}
_PEOPLE = {"no": (0, 0), "one": (1, 1), "many": (2, 4)}
_OBJECT_SIDES = {1: (62, 74), 2: (47, 57), 3: (40, 47), 4: (36, 43)}
_COMPANION = 0.76  # a companion is smaller, so that one can tell which noun is the first
_LEAST_SIDE = 26  # however crowded: a smaller thing could not be recognised
_PERSON_HEIGHTS = {1: (50, 60), 2: (44, 52), 3: (40, 46), 4: (36, 43)}


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in a picture.

    Attributes:
        label: the detector's label (a COCO name where there is one; of people what they do).
        xyxy: left, top, right and lower edge, px of the 128 x 128 picture.
    """

    label: str
    xyxy: Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture and what is in it.

    Attributes:
        image: 128 x 128 RGB.
        boxes: every object and person, from the farthest to the nearest.
        scene: the scene classifier's label (a Places365 name).
        words: value by axis of grammars/pocket.yaml.
    """

    image: Image.Image
    boxes: tuple[Box, ...]
    scene: str
    words: dict[str, str]


@dataclass(slots=True)
class _Item:
    label: str
    sprite: Image.Image
    side: float  # px of the picture: longer side of an object, height of a person
    x: float = 0.0  # middle, px of the canvas
    foot: float = 0.0  # lower edge, px of the canvas

    def box(self) -> Edges:
        ratio = self.side * SIZE / PICTURE / max(self.sprite.size)
        w, h = self.sprite.width * ratio, self.sprite.height * ratio
        return self.x - w / 2, self.foot - h, self.x + w / 2, self.foot


@cache
def world_grammar() -> Grammar:
    """Load the grammar of everything the world can draw.

    Returns:
        grammars/pocket.yaml.
    """
    return load_grammar("pocket")


def draw(sentence: str, seed: int) -> Drawing:
    """Draw a sentence.

    Args:
        sentence: a sentence of grammars/pocket.yaml.
        seed: which of its pictures, 0 or more.

    Returns:
        The drawing.

    Raises:
        GrammarError: if the sentence is not of that grammar.
    """
    grammar = world_grammar()
    words = grammar.decode(grammar.parse(sentence))
    rng = seeded(seed, "drawing", sentence)
    horizon = int(rng.integers(98, 118))
    mood = words["Time"]
    if mood == "day" and words["Weather"] != "clear":
        mood = "overcast"
    image = paint_sky(horizon, mood, rng)
    canvas = Canvas(draw=ImageDraw.Draw(image, "RGBA"), rng=rng, horizon=horizon)
    PAINTERS[words["Scene"]](canvas)
    items = _place(_items(words, rng), horizon, rng)
    pixels = _compose(image, canvas, items, words, horizon)
    picture = Image.fromarray(np.uint8(np.clip(pixels * 255, 0, 255) + 0.5))
    return Drawing(
        image=picture.resize((PICTURE, PICTURE), Image.Resampling.LANCZOS),
        boxes=tuple(Box(item.label, _reduced(item.box())) for item in items),
        scene=_label("Scene", words["Scene"]),
        words=words,
    )


def _reduced(box: Edges) -> Edges:
    """Take a box from the canvas to the picture, and cut off what is outside."""
    left, top, right, lower = (float(np.clip(v * PICTURE / SIZE, 0, PICTURE)) for v in box)
    return left, top, right, lower


def _label(symbol: str, value: str) -> str:
    axis = world_grammar().axis(symbol)
    return axis.values[axis.index(value)].labels[0]


def _items(words: dict[str, str], rng: np.random.Generator) -> list[_Item]:
    """Choose every picture to paste and its size: fewer things are larger."""
    first = int(rng.integers(*_inclusive(_COUNTS[words["Frequency"]])))
    second = 0
    if words["Companion"] != "nothing":
        second = _COUNTS[words["CompanionFrequency"]][0]
    n_people = int(rng.integers(*_inclusive(_PEOPLE[words["Density"]])))
    low, high = _OBJECT_SIDES[min(first + second, 4)]
    shrink = {0: 1.0, 1: 0.92}.get(n_people, 0.84)
    items = []
    for noun, n, share in ((words["Noun"], first, 1.0), (words["Companion"], second, _COMPANION)):
        look = looks(noun)[rng.integers(len(looks(noun)))] if n else ""
        hue = _hue(words["Colour"], noun, rng) if share == 1.0 else None
        for _ in range(n):
            sprite = _varied(sprites()[look], rng)
            if hue is not None:
                sprite = effects.recolour(sprite, hue + rng.uniform(-0.015, 0.015))
            side = max(shrink * share * rng.uniform(low, high), _LEAST_SIDE)
            items.append(_Item(_label("Noun", noun), sprite, side))
    for _ in range(n_people):
        names = looks(words["Verb"])
        sprite = _varied(sprites()[names[rng.integers(len(names))]], rng, turn=2)
        height = rng.uniform(*_PERSON_HEIGHTS[n_people]) * (1.0 if len(items) < 3 else 0.92)
        # A cyclist is wider than high.
        items.append(
            _Item(_label("Verb", words["Verb"]), sprite, height * max(sprite.size) / sprite.height)
        )
    return items


def _hue(colour: str, noun: str, rng: np.random.Generator) -> float | None:
    """Choose the hue of all things of a noun; None leaves a noun as it is that has one look."""
    if colour != "any":
        return effects.HUES[colour]
    condition = world_grammar().axis("Colour").when
    assert condition is not None
    hues = list(effects.HUES.values())
    return hues[rng.integers(len(hues))] if noun in condition[1] else None


def _inclusive(bounds: tuple[int, int]) -> tuple[int, int]:
    return bounds[0], bounds[1] + 1


def _varied(sprite: Image.Image, rng: np.random.Generator, turn: float = 6) -> Image.Image:
    """Mirror half of the pictures and turn each by a few degrees."""
    if rng.random() < 0.5:
        sprite = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turned = sprite.rotate(rng.uniform(-turn, turn), Image.Resampling.BILINEAR, expand=True)
    return turned.crop(turned.getchannel("A").getbbox())


def _place(items: list[_Item], horizon: int, rng: np.random.Generator) -> list[_Item]:
    """Put things on the ground with little overlap, and sort them from far to near."""
    for _ in range(5):
        worst = 0.0
        for k, item in enumerate(items):
            worst = max(worst, _settle(item, items[:k], horizon, rng))
        if worst < 0.12:
            break
        for item in items:
            item.side = max(0.95 * item.side, _LEAST_SIDE)
    return sorted(items, key=lambda item: item.foot)


def _settle(item: _Item, others: list[_Item], horizon: int, rng: np.random.Generator) -> float:
    """Try places until one is free, keep the freest, and return its overlap."""
    left, top, right, foot = item.box()
    half, height = (right - left) / 2, foot - top
    best = (2.0, 0.0, 0.0)
    taken = [other.box() for other in others]
    low = max(horizon + 26.0, height + 4)
    for _ in range(30):
        x, y = rng.uniform(half + 2, SIZE - half - 2), rng.uniform(low, SIZE - 5)
        box = (x - half, y - height, x + half, y)
        overlap = max((_overlap(box, other) for other in taken), default=0.0)
        best = min(best, (overlap, float(x), float(y)))
        if overlap < 0.02:
            break
    _, item.x, item.foot = best
    return best[0]


def _overlap(a: Edges, b: Edges) -> float:
    """Compute the shared area as a share of the smaller box."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _compose(
    image: Image.Image, canvas: Canvas, items: list[_Item], words: dict[str, str], horizon: int
) -> effects.Pixels:
    """Light the backdrop, then stand things in it, then cover all with weather and style."""
    time, weather = words["Time"], words["Weather"]
    if time != "day":
        image = _as_image(effects.light(_as_pixels(image), time))
        if time == "night":
            shine = ImageDraw.Draw(image, "RGBA")
            for box in canvas.lights:
                shine.rectangle(box, fill=(255, 214, 110))
    shadows = ImageDraw.Draw(image, "RGBA")
    for item in items:
        left, _, right, foot = item.box()
        w = right - left
        shadow = (left + w * 0.08, foot - w * 0.09, right - w * 0.08, foot + w * 0.07)
        shadows.ellipse(shadow, fill=(0, 0, 0, 70))
        x0, y0, x1, y1 = (round(v) for v in item.box())
        sprite = item.sprite.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR)
        if time != "day":
            lit = _as_image(effects.light(_as_pixels(sprite.convert("RGB")), time, 0.6))
            lit.putalpha(sprite.getchannel("A"))
            sprite = lit
        image.paste(sprite, (x0, y0), sprite)
    pixels = _as_pixels(image)
    if weather == "fog":
        pixels = effects.fog(pixels, horizon)
    elif weather == "rain":
        pixels = effects.rain(pixels, canvas.rng)
    elif weather == "snow":
        pixels = effects.snow(pixels, canvas.rng)
    if words["Style"] in effects.STYLES:
        pixels = effects.STYLES[words["Style"]](pixels, canvas.rng)
    return pixels


def _as_pixels(image: Image.Image) -> effects.Pixels:
    return np.asarray(image, np.float32) / np.float32(255)


def _as_image(pixels: effects.Pixels) -> Image.Image:
    return Image.fromarray(np.uint8(pixels * 255 + 0.5))
