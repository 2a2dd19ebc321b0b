"""The glyphs of the drawn world: one sheet of cut-out pictures, and how it is rebuilt.

The pictures are glyphs of the Noto Color Emoji font (SIL Open Font License 1.1, see
`assets/OFL.txt`). They are shipped as one PNG with an index, so that nothing needs the font but
`build_sheet`.
"""

import json
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ASSETS = Path(__file__).resolve().parent.parent / "assets"
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_FONT_SIZE = 109  # the one size at which the font's bitmaps are stored
_CELL = 128  # px of the longer side in the sheet
_COLUMNS = 16

NOUNS = {
    "banana": "🍌", "orange": "🍊", "strawberry": "🍓", "pineapple": "🍍", "lemon": "🍋",
    "Granny Smith apple": "🍏", "broccoli": "🥦", "bell pepper": "🫑", "corn cob": "🌽",
    "mushroom": "🍄", "daisy": "🌼", "flowerpot": "🪴", "pizza": "🍕", "cheeseburger": "🍔",
    "hot dog": "🌭", "burrito": "🌯", "pretzel": "🥨", "bagel": "🥯", "ice cream": "🍦",
    "espresso": "☕", "red wine": "🍷", "beer glass": "🍺", "teapot": "🫖", "vase": "🏺",
    "jellyfish": "🪼", "conch": "🐚", "snail": "🐌", "Dungeness crab": "🦀",
    "American lobster": "🦞", "scorpion": "🦂", "tarantula": "🕷️", "ladybug": "🐞", "bee": "🐝",
    "monarch butterfly": "🦋", "great white shark": "🦈", "puffer": "🐡", "grey whale": "🐋 🐳",
    "tree frog": "🐸", "box turtle": "🐢", "African crocodile": "🐊", "green snake": "🐍",
    "rooster": "🐓", "hen": "🐔", "goose": "🪿", "drake": "🦆", "flamingo": "🦩",
    "king penguin": "🐧", "peacock": "🦚", "macaw": "🦜", "bald eagle": "🦅",
    "great grey owl": "🦉", "dog": "🐕 🐶", "tabby cat": "🐈", "tiger": "🐅 🐯", "lion": "🦁",
    "red fox": "🦊", "timber wolf": "🐺", "brown bear": "🐻", "polar bear": "🐻‍❄️",
    "giant panda": "🐼", "koala": "🐨", "wallaby": "🦘", "hare": "🐇 🐰", "fox squirrel": "🐿️",
    "skunk": "🦨", "gorilla": "🦍", "orangutan": "🦧", "hog": "🐖 🐷", "ram": "🐏", "bison": "🦬",
    "llama": "🦙", "Arabian camel": "🐪", "horse": "🐎", "zebra": "🦓", "elephant": "🐘",
    "car": "🚗", "cab": "🚕", "ambulance": "🚑", "fire engine": "🚒", "moving van": "🚚",
    "tractor": "🚜", "motor scooter": "🛵", "streetcar": "🚋", "bullet train": "🚄 🚅",
    "steam locomotive": "🚂", "speedboat": "🚤", "canoe": "🛶", "ocean liner": "🚢",
    "airplane": "✈️", "parachute": "🪂", "umbrella": "☂️", "mountain tent": "⛺",
    "castle": "🏰", "church": "⛪", "fountain": "⛲", "traffic light": "🚦", "street sign": "🛑",
    "gas pump": "⛽", "mailbox": "📬", "studio couch": "🛋️", "bucket": "🪣", "broom": "🧹",
    "padlock": "🔒", "candle": "🕯️", "jack-o'-lantern": "🎃", "hourglass": "⌛",
    "analog clock": "⏰", "dial telephone": "☎️", "television": "📺", "laptop": "💻",
    "reflex camera": "📷", "joystick": "🕹️", "backpack": "🎒", "purse": "👛", "T-shirt": "👕",
    "jeans": "👖", "running shoe": "👟", "lipstick": "💄", "soccer ball": "⚽",
    "rugby ball": "🏉", "drum": "🥁", "accordion": "🪗", "saxophone": "🎷",
    "electric guitar": "🎸", "violin": "🎻",
}  # fmt: skip
"""Glyphs by noun, the words of grammars/pocket.yaml; where there are two, each is a look of it."""

_POSES = {"standing": "🧍", "walking": "🚶", "running": "🏃", "cycling": "🚴"}
_DANCERS = {"man": "🕺", "woman": "💃"}
_SIGNS = {"man": "\u200d♂️", "woman": "\u200d♀️"}
_TONES = {"light": "🏻", "medium-light": "🏼", "medium": "🏽", "medium-dark": "🏾", "dark": "🏿"}


def people() -> dict[str, str]:
    """Name every picture of a person.

    Returns:
        Glyph sequence by name, which is "<action>/<gender>/<skin tone>".
    """
    glyphs = {}
    for tone, mark in _TONES.items():
        for gender, sign in _SIGNS.items():
            for action, base in _POSES.items():
                glyphs[f"{action}/{gender}/{tone}"] = base + mark + sign
            glyphs[f"dancing/{gender}/{tone}"] = _DANCERS[gender] + mark
    return glyphs


@cache
def sprites() -> dict[str, Image.Image]:
    """Load the sheet.

    Returns:
        Cut-out RGBA picture by look of a noun ("hog/0", "hog/1") or by person's name; the longer
        side is 128 px.
    """
    boxes = json.loads((ASSETS / "sprites.json").read_text(encoding="utf-8"))
    with Image.open(ASSETS / "sprites.png", formats=("PNG",)) as sheet:
        rgba = sheet.convert("RGBA")
    return {name: rgba.crop(tuple(box)) for name, box in boxes.items()}


@cache
def looks(word: str) -> tuple[str, ...]:
    """List the sprites of a noun, or of the people who do one thing.

    Args:
        word: a noun, or "standing", "walking", "running", "dancing" or "cycling".

    Returns:
        Sprite names.
    """
    return tuple(sorted(name for name in sprites() if name.startswith(f"{word}/")))


def nouns() -> dict[str, str]:
    """Name every look of every noun.

    Returns:
        Glyph by name, which is "<noun>/<number of the look>".
    """
    return {
        f"{noun}/{k}": glyph
        for noun, glyphs in NOUNS.items()
        for k, glyph in enumerate(glyphs.split())
    }


def build_sheet(font: Path, out: Path) -> None:
    """Draw the sheet and its index from the font.

    Args:
        font: NotoColorEmoji.ttf (Debian package fonts-noto-color-emoji).
        out: folder that gets sprites.png and sprites.json.
    """
    face = ImageFont.truetype(str(font), _FONT_SIZE)
    glyphs = nouns() | people()
    rows = -(-len(glyphs) // _COLUMNS)
    sheet = Image.new("RGBA", (_COLUMNS * _CELL, rows * _CELL))
    boxes = {}
    for i, (name, glyph) in enumerate(glyphs.items()):
        picture = _cut_out(glyph, face)
        x, y = i % _COLUMNS * _CELL, i // _COLUMNS * _CELL
        sheet.paste(picture, (x, y))
        boxes[name] = (x, y, x + picture.width, y + picture.height)
    sheet.save(out / "sprites.png", optimize=True)
    (out / "sprites.json").write_text(
        json.dumps(boxes, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def _cut_out(glyph: str, face: ImageFont.FreeTypeFont) -> Image.Image:
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((8, 8), glyph, font=face, embedded_color=True)
    picture = canvas.crop(canvas.getbbox())
    ratio = _CELL / max(picture.size)
    size = (round(picture.width * ratio), round(picture.height * ratio))
    return picture.resize(size, Image.Resampling.LANCZOS)
