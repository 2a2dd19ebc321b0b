"""The sixteen places of the drawn world, painted at twice the size of the picture.

Every painter takes a canvas whose sky is done, the horizon's y, and a random source; colours,
positions and proportions differ with every draw. Lamps and windows that shine at night are
noted on the canvas, so that they are painted after the dark.
"""

from collections.abc import Callable

import numpy as np

from rldf.pocket.world.canvas import SIZE, Canvas, Colour

_WALLS: tuple[Colour, ...] = ((196, 120, 96), (208, 176, 120), (150, 132, 160), (128, 150, 160))


def _tree(c: Canvas, x: float, foot: float, height: float, leaf: Colour) -> None:
    r = height * 0.36
    c.draw.rectangle((x - 4, foot - height * 0.5, x + 4, foot), fill=c.near((104, 70, 44), 8))
    c.draw.ellipse((x - r, foot - height, x + r, foot - height + 2 * r), fill=c.near(leaf, 10))
    shine = (x - r * 0.6, foot - height + 3, x + r * 0.3, foot - height + r)
    c.draw.ellipse(shine, fill=(255, 255, 255, 34))


def _conifer(c: Canvas, x: float, foot: float, height: float, leaf: Colour) -> None:
    c.draw.rectangle((x - 4, foot - height * 0.25, x + 4, foot), fill=(84, 58, 44))
    for k in range(3):
        top = foot - height + k * height * 0.24
        half = height * (0.17 + 0.07 * k)
        low = top + height * 0.36
        c.draw.polygon([(x, top), (x - half, low), (x + half, low)], fill=leaf)


def _path(c: Canvas, x: float, half: float, low: float, high: float) -> list[tuple[float, float]]:
    """Lay out a path from the horizon, x - half to x + half wide, to the lower edge."""
    right, left = x + c.uniform(low, high), x - c.uniform(low, high)
    return [(x - half, c.horizon), (x + half, c.horizon), (right, SIZE), (left, SIZE)]


def vegetable_garden(c: Canvas) -> None:
    """Paint beds of green plants on brown soil, with a fence behind."""
    c.ground(c.near((120, 74, 44)), c.near((92, 54, 34)))
    post = c.near((214, 190, 150))
    c.draw.rectangle((0, c.horizon - 14, SIZE, c.horizon - 10), fill=post)
    foot, head = c.horizon, c.horizon - 18
    for x0 in range(int(c.uniform(0, 20)), SIZE, 20):
        tip, x1 = (x0 + 4, head - 5), x0 + 8
        c.draw.polygon([(x0, foot), (x0, head), tip, (x1, head), (x1, foot)], fill=post)
    leaf, fruit = c.near((66, 146, 56), 16), c.near((214, 74, 50), 26)
    y, gap, offset = c.horizon + 8.0, 13.0, c.uniform(0, 20)
    while y < SIZE + 20:
        r = gap * 0.42
        x = -offset
        while x < SIZE + r:
            c.draw.ellipse((x - r, y - r, x + r, y + r * 0.7), fill=c.near(leaf, 14))
            if c.rng.random() < 0.15:
                c.draw.ellipse((x - r * 0.3, y - r * 0.4, x + r * 0.2, y + r * 0.1), fill=fruit)
            x += r * 2.1
        y += gap
        gap *= 1.2


def farm_field(c: Canvas) -> None:
    """Paint golden furrows that run to a vanishing point, and a red barn."""
    c.ground(c.near((222, 190, 92)), c.near((206, 156, 62)))
    vanishing, furrow = c.uniform(60, 196), c.near((160, 114, 44), 10)
    for end in range(-400, SIZE + 400, 44):
        c.draw.line((vanishing, c.horizon - 4, end, SIZE + 20), fill=furrow, width=3)
    c.draw.rectangle((0, c.horizon - 3, SIZE, c.horizon + 2), fill=c.near((120, 140, 60)))
    x, w, h = c.uniform(20, 190), c.uniform(40, 54), c.uniform(24, 32)
    wall, y = c.near((176, 44, 38)), c.horizon + 2
    c.draw.rectangle((x, y - h, x + w, y), fill=wall)
    roof = [(x - 5, y - h), (x + w / 2, y - h - 22), (x + w + 5, y - h)]
    c.draw.polygon(roof, fill=c.near((94, 44, 40)))
    c.draw.rectangle((x + w / 2 - 8, y - 18, x + w / 2 + 8, y), fill=(240, 232, 220))
    c.lights.append((x + w / 2 - 5, y - h - 10, x + w / 2 + 5, y - h - 1))


def park(c: Canvas) -> None:
    """Paint a lawn with a light path, round trees and a lamp."""
    leaf = c.near((58, 138, 52), 18)
    c.ground(c.near((120, 186, 82)), c.near((96, 168, 66)))
    x = c.uniform(70, 186)
    sand = c.near((230, 208, 170))
    c.draw.polygon(_path(c, x, 8, 40, 70), fill=sand)
    for k in range(6):
        middle, foot = (k + c.uniform(0.15, 0.85)) * SIZE / 6, c.horizon + c.uniform(2, 14)
        _tree(c, middle, foot, c.uniform(56, 84), leaf)
    lamp = x + c.uniform(34, 52)
    c.draw.rectangle((lamp - 1.5, c.horizon - 34, lamp + 1.5, c.horizon + 16), fill=(70, 74, 80))
    c.lights.append((lamp - 6, c.horizon - 44, lamp + 6, c.horizon - 32))
    c.draw.ellipse(c.lights[-1], fill=(250, 244, 214))


def soccer_field(c: Canvas) -> None:
    """Paint mown stripes, white lines, a goal and a stand."""
    green = c.near((64, 164, 70), 10)
    c.ground(green, green)
    y, gap, k = float(c.horizon), 7.0, 0
    while y < SIZE:
        if k % 2:
            c.draw.rectangle((0, y, SIZE, y + gap), fill=(255, 255, 255, 34))
        y, gap, k = y + gap, gap * 1.28, k + 1
    stand = c.near((120, 128, 150), 16)
    c.draw.rectangle((0, c.horizon - 30, SIZE, c.horizon - 6), fill=stand)
    for seat in range(0, SIZE, 6):
        top = c.horizon - 28 + seat * 7 % 13
        c.draw.ellipse((seat, top, seat + 4, top + 4), fill=c.near((220, 170, 150), 34))
    c.draw.rectangle((0, c.horizon - 8, SIZE, c.horizon), fill=c.near((40, 60, 120), 30))
    x = c.uniform(70, 140)
    white = (248, 248, 248)
    bar, foot, front = c.horizon - 34, c.horizon + 10, c.horizon + 44
    c.draw.line((0, foot, SIZE, foot), fill=white, width=3)
    c.draw.rectangle((x, bar, x + 70, foot), fill=(255, 255, 255, 60))
    frame = [(x, foot), (x, bar), (x + 70, bar), (x + 70, foot)]
    c.draw.line(frame, fill=white, width=4)
    area = [(x - 34, foot), (x - 62, front), (x + 132, front), (x + 104, foot)]
    c.draw.line(area, fill=white, width=4)
    c.lights += [(8, 6, 36, 14), (SIZE - 36, 6, SIZE - 8, 14)]


def playground(c: Canvas) -> None:
    """Paint a slide and a swing on soft orange ground, with a hedge behind."""
    c.draw.rectangle((0, c.horizon - 20, SIZE, c.horizon + 4), fill=c.near((74, 132, 62), 10))
    for left in range(-8, SIZE + 8, 18):
        bush = (left, c.horizon - 30 + left * 5 % 9, left + 26, c.horizon)
        c.draw.ellipse(bush, fill=c.near((84, 146, 70), 10))
    c.ground(c.near((226, 140, 96)), c.near((206, 112, 78)))
    post, seat = c.near((214, 60, 66)), c.near((52, 110, 200))
    x, top, foot = c.uniform(24, 70), c.horizon - 62, c.horizon + 16
    c.draw.line([(x, foot), (x + 14, top), (x + 70, top), (x + 84, foot)], fill=post, width=6)
    for k in (26, 50):
        c.draw.line((x + k, top, x + k - 2, foot - 16), fill=(80, 84, 92), width=2)
        c.draw.rectangle((x + k - 10, foot - 18, x + k + 6, foot - 13), fill=seat)
    x = c.uniform(140, 190)
    c.draw.rectangle((x, top + 12, x + 8, foot), fill=seat)
    c.draw.rectangle((x + 20, top + 12, x + 28, foot), fill=seat)
    c.draw.polygon([(x - 6, top + 12), (x + 14, top - 10), (x + 34, top + 12)], fill=post)
    slide = [
        (x + 24, top + 26),
        (x + 62, foot - 2),
        (x + 78, foot),
        (x + 78, foot + 8),
        (x + 56, foot + 8),
    ]
    c.draw.polygon([*slide, (x + 20, top + 40)], fill=c.near((246, 198, 60)))


def forest_path(c: Canvas) -> None:
    """Paint dark conifers over the whole sky and a brown path."""
    dark = c.near((22, 62, 44), 8)
    c.draw.rectangle((0, 0, SIZE, c.horizon), fill=c.near((44, 92, 62), 8))
    c.ground(c.near((52, 74, 36), 8), c.near((70, 88, 42), 8))
    x = c.uniform(80, 176)
    c.draw.polygon(_path(c, x, 6, 50, 90), fill=c.near((130, 100, 64)))
    for row, (height, shade) in enumerate(((112, 1.0), (134, 0.78))):
        leaf = (round(dark[0] * shade), round(dark[1] * shade), round(dark[2] * shade))
        for k in range(8):
            middle, foot = (k + c.uniform(0, 1)) * SIZE / 8, c.horizon + 4 + row * 8
            _conifer(c, middle, foot, height * c.uniform(0.85, 1.15), c.near(leaf, 6))


def mountain(c: Canvas) -> None:
    """Paint grey peaks with snow caps over an alpine meadow with rocks."""
    rock = c.near((116, 118, 132), 12)
    for k in range(3):
        x, w = (k + c.uniform(0.1, 0.9)) * SIZE / 3, c.uniform(70, 96)
        top = c.horizon - c.uniform(62, 92)
        c.draw.polygon([(x - w, c.horizon), (x, top), (x + w, c.horizon)], fill=c.near(rock, 8))
        c.draw.polygon([(x, top), (x + w, c.horizon), (x + w * 0.2, c.horizon)], fill=(0, 0, 0, 40))
        h = c.horizon - top
        cap = [(-0.3, 0.3), (0.0, 0.0), (0.3, 0.3), (0.1, 0.24), (-0.08, 0.38)]
        c.draw.polygon([(x + w * dx, top + h * dy) for dx, dy in cap], fill=(244, 248, 252))
    c.ground(c.near((148, 158, 96)), c.near((120, 132, 78)))
    for _ in range(9):
        x, y, r = c.uniform(0, SIZE), c.uniform(c.horizon + 8, SIZE), c.uniform(6, 13)
        c.draw.ellipse((x - r, y - r * 0.6, x + r, y + r * 0.6), fill=c.near((150, 150, 152), 16))


def wind_farm(c: Canvas) -> None:
    """Paint white wind turbines on green hills."""
    c.ridge(30, 5, c.near((112, 170, 104), 8))
    c.ground(c.near((150, 200, 104)), c.near((126, 184, 88)))
    white = (244, 246, 248)
    for k in range(3):
        x, tall = (k + c.uniform(0.25, 0.75)) * SIZE / 3, c.uniform(58, 84)
        foot = c.horizon + c.uniform(2, 12)
        hub, turn = foot - tall, c.uniform(0, 2)
        c.draw.polygon([(x - 4, foot), (x - 1.5, hub), (x + 1.5, hub), (x + 4, foot)], fill=white)
        for blade in range(3):
            angle = turn + blade * 2 * np.pi / 3
            dx, dy = np.cos(angle), np.sin(angle)
            tip = (x + 34 * dx, hub + 34 * dy)
            wide = [(x - 3 * dy, hub + 3 * dx), (x + 3 * dy, hub - 3 * dx)]
            c.draw.polygon([*wide, tip], fill=white)
        c.lights.append((x - 4, hub - 4, x + 4, hub + 4))
        c.draw.ellipse(c.lights[-1], fill=(214, 218, 222))


def lake(c: Canvas) -> None:
    """Paint blue-green hills, a band of water with their reflection, and a reedy bank."""
    hill = c.near((72, 120, 104), 12)
    c.ridge(46, 6, hill)
    shore = c.horizon + round(c.uniform(34, 44))
    c.draw.rectangle((0, c.horizon, SIZE, shore), fill=c.near((64, 136, 176), 12))
    for _ in range(10):
        x, y = c.uniform(0, SIZE), c.uniform(c.horizon + 4, shore - 4)
        c.draw.line((x, y, x + c.uniform(14, 40), y), fill=(226, 242, 250, 150), width=2)
    c.horizon, water = shore, c.horizon
    c.ground(c.near((128, 160, 84)), c.near((108, 142, 70)))
    for _ in range(26):
        x, h = c.uniform(0, SIZE), c.uniform(10, 24)
        reed = (x, shore + 5, x + c.uniform(-3, 3), shore + 5 - h)
        c.draw.line(reed, fill=c.near((92, 116, 52)), width=3)
    for k in range(3):
        _conifer(c, c.uniform(0, SIZE), water + 3, 24 + 5 * k, c.near((38, 80, 62), 8))


def swimming_pool(c: Canvas) -> None:
    """Paint a turquoise pool with lane ropes, tiles around it, and parasols behind."""
    c.draw.rectangle((0, c.horizon - 16, SIZE, c.horizon), fill=c.near((90, 148, 84), 10))
    c.ground(c.near((232, 222, 204), 8), c.near((222, 206, 184), 8))
    for k in range(3):
        x, top = (k + c.uniform(0.2, 0.8)) * SIZE / 3, c.horizon - c.uniform(44, 54)
        shade = c.near(((226, 84, 74), (246, 190, 66), (84, 130, 214))[k], 14)
        c.draw.rectangle((x - 1.5, top + 6, x + 1.5, c.horizon + 6), fill=(120, 110, 100))
        c.draw.pieslice((x - 28, top - 6, x + 28, top + 34), 180, 360, fill=shade)
    far, near = float(c.horizon + 12), float(c.horizon + 58)
    left, right = c.uniform(10, 40), c.uniform(10, 40)
    corners = [(left + 24, far), (SIZE - right - 24, far), (SIZE - right, near), (left, near)]
    c.draw.polygon(corners, fill=c.near((54, 186, 212), 8))
    c.draw.line([*corners, corners[0]], fill=(250, 250, 250), width=5)
    for depth in (0.3, 0.62):
        rope = far + (near - far) * depth
        inset = 24 * (1 - depth) + 6
        c.draw.line((left + inset, rope, SIZE - right - inset, rope), fill=(232, 96, 84), width=3)


def beach(c: Canvas) -> None:
    """Paint the sea, foam, sand and a palm."""
    shore = c.horizon + round(c.uniform(30, 40))
    deep = c.near((26, 112, 176), 14)
    c.draw.rectangle((0, c.horizon, SIZE, shore), fill=deep)
    c.draw.rectangle((0, c.horizon + 14, SIZE, shore), fill=c.near((46, 158, 196), 10))
    c.horizon = shore
    c.ground(c.near((244, 216, 158)), c.near((232, 196, 132)))
    phase = c.uniform(0, 6)
    foam = [(x, shore + 4 * np.sin(x / 17 + phase)) for x in range(-4, SIZE + 8, 4)]
    c.draw.line(foam, fill=(250, 252, 252), width=8)
    x, lean = c.uniform(16, 240), c.uniform(-16, 16)
    foot, top = shore + 22, shore - 62
    c.draw.line((x, foot, x + lean, top), fill=c.near((140, 100, 60)), width=7)
    for angle in np.linspace(-0.4, 3.54, 7):
        tip = (x + lean + 32 * np.cos(angle), top - 14 * np.sin(angle) + 8)
        c.draw.line((x + lean, top, *tip), fill=c.near((46, 132, 60)), width=6)


def canyon(c: Canvas) -> None:
    """Paint layered red cliffs on both sides and a river bed."""
    rock = c.near((190, 96, 66), 12)
    layers = [c.near(rock, 16) for _ in range(4)]
    for side in (0, 1):
        wide, top = c.uniform(74, 108), c.horizon - c.uniform(70, 90)
        height = (c.horizon + 18 - top) / len(layers)
        for k, layer in enumerate(layers):
            y, reach = top + k * height, wide * (0.62 + 0.16 * k)
            step = [(0, y), (reach - 8, y), (reach, y + height), (0, y + height)]
            c.draw.polygon([(SIZE - x if side else x, v) for x, v in step], fill=layer)
    c.draw.rectangle((0, c.horizon + 17, SIZE, SIZE), fill=c.near((214, 150, 104), 8))
    c.horizon += 12
    c.ground(c.near((220, 156, 108), 8), c.near((204, 132, 86), 8))
    x, river = c.uniform(96, 160), c.near((86, 160, 178), 10)
    bends = [(0, 0, 5), (14, 0.3, 10), (-10, 0.6, 18), (8, 1.0, 30)]
    left = [(x + dx - w, c.horizon + (SIZE - c.horizon) * t) for dx, t, w in bends]
    right = [(x + dx + w, c.horizon + (SIZE - c.horizon) * t) for dx, t, w in bends]
    c.draw.polygon([*left, *reversed(right)], fill=river)


def desert(c: Canvas) -> None:
    """Paint dunes and cacti."""
    sand = c.near((226, 158, 92), 10)
    c.ridge(34, 5, c.near((206, 128, 76), 8))
    c.ground(sand, c.near((238, 184, 116), 8))
    for _ in range(4):
        x, y, w = c.uniform(0, SIZE), c.uniform(c.horizon + 20, SIZE), c.uniform(60, 120)
        shade = c.near((202, 134, 78), 8)
        c.draw.arc((x - w, y - 14, x + w, y + 26), 190, 350, fill=shade, width=4)
    for _ in range(3):
        x, h = c.uniform(6, SIZE - 6), c.uniform(34, 52)
        foot, green = c.horizon + c.uniform(4, 16), c.near((70, 124, 66), 8)
        c.draw.rounded_rectangle((x - 5, foot - h, x + 5, foot), 5, fill=green)
        for x1, low, high in ((x + 14, 0.4, 0.75), (x - 13, 0.3, 0.6)):
            arm = [(x, foot - h * low), (x1, foot - h * low), (x1, foot - h * high)]
            c.draw.line(arm, fill=green, width=6)


def snowfield(c: Canvas) -> None:
    """Paint pale hills, white ground and conifers with snow on them."""
    c.ridge(48, 6, c.near((196, 204, 222), 8))
    c.ridge(26, 7, c.near((216, 222, 236), 8))
    c.ground((240, 244, 250), c.near((250, 252, 254), 3))
    for _ in range(int(c.rng.integers(3, 6))):
        x, h = c.uniform(0, SIZE), c.uniform(40, 64)
        _conifer(c, x, c.horizon + 8, h, c.near((36, 84, 72), 8))
        top, low = c.horizon + 8 - h, c.horizon + 8 - h * 0.8
        c.draw.polygon([(x, top), (x - h * 0.1, low), (x + h * 0.1, low)], fill=(250, 252, 255))
    for _ in range(3):
        x, y, w = c.uniform(0, SIZE), c.uniform(c.horizon + 24, SIZE), c.uniform(50, 100)
        c.draw.arc((x - w, y, x + w, y + 30), 200, 340, fill=(214, 224, 240), width=4)


def street(c: Canvas) -> None:
    """Paint house fronts with windows, a pavement and asphalt with a dashed line."""
    x = -c.uniform(0, 30)
    while x < SIZE:
        w, h = c.uniform(38, 60), c.uniform(58, 98)
        wall = c.near(_WALLS[c.rng.integers(4)])
        c.draw.rectangle((x, c.horizon - h, x + w, c.horizon), fill=wall)
        for wy in np.arange(c.horizon - h + 8, c.horizon - 10, 18):
            for wx in np.arange(x + 6, x + w - 9, 14):
                c.draw.rectangle((wx, wy, wx + 8, wy + 10), fill=(232, 240, 246))
                if c.rng.random() < 0.6:
                    c.lights.append((wx, wy, wx + 8, wy + 10))
        x += w
    c.draw.rectangle((0, c.horizon, SIZE, c.horizon + 18), fill=c.near((186, 184, 180), 8))
    c.horizon += 18
    asphalt = c.near((86, 88, 98), 8)
    c.ground(asphalt, asphalt)
    y = c.horizon + c.uniform(54, 66)
    for x in np.arange(-c.uniform(0, 40), SIZE, 48):
        c.draw.polygon([(x + 4, y), (x + 30, y), (x + 28, y + 7), (x, y + 7)], fill=(244, 240, 226))


def train_station_platform(c: Canvas) -> None:
    """Paint a train at a platform under a roof, with the yellow line."""
    c.draw.rectangle((0, 0, SIZE, c.horizon), fill=c.near((198, 202, 210), 10))
    c.draw.rectangle((0, 0, SIZE, 18), fill=c.near((92, 98, 110), 8))
    for post in range(int(c.uniform(0, 50)), SIZE, 84):
        c.draw.rectangle((post, 0, post + 8, c.horizon), fill=(110, 116, 126))
    top = c.horizon - round(c.uniform(66, 78))
    paint = c.near(((34, 84, 168), (30, 112, 130), (150, 44, 52))[c.rng.integers(3)])
    c.draw.rounded_rectangle((-20, top, SIZE + 20, c.horizon - 4), 10, fill=paint)
    c.draw.rectangle((0, c.horizon - 26, SIZE, c.horizon - 18), fill=(236, 236, 240))
    c.draw.rectangle((0, c.horizon - 6, SIZE, c.horizon + 2), fill=(50, 50, 56))
    for x in np.arange(-c.uniform(0, 44), SIZE, 44):
        window = (x + 6, top + 12, x + 36, top + 34)
        c.draw.rounded_rectangle(window, 3, fill=(206, 230, 244))
        c.lights.append(window)
    floor = c.near((170, 162, 158), 8)
    c.ground(floor, floor)
    c.draw.rectangle((0, c.horizon + 8, SIZE, c.horizon + 16), fill=c.near((244, 200, 60), 8))
    for near in range(-200, SIZE + 200, 46):
        far = SIZE / 2 + (near - SIZE / 2) * 0.55
        c.draw.line((far, c.horizon + 18, near, SIZE), fill=(142, 134, 130), width=2)


PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "vegetable garden": vegetable_garden,
    "farm field": farm_field,
    "park": park,
    "playground": playground,
    "soccer field": soccer_field,
    "forest path": forest_path,
    "mountain": mountain,
    "wind farm": wind_farm,
    "lake": lake,
    "swimming pool": swimming_pool,
    "beach": beach,
    "canyon": canyon,
    "desert": desert,
    "snowfield": snowfield,
    "street": street,
    "train station platform": train_station_platform,
}
"""Painter by scene, the words of grammars/pocket.yaml."""
