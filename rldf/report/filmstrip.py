"""The trajectory as a filmstrip: the input, then the distinct states in order (paper Fig. 12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from rldf.grammar.encoding import Encoding
from rldf.io.text import plain
from rldf.report.images import Font, load_image, wrapped
from rldf.report.states import VisitedState, by_reward, thinned
from rldf.runs.folder import RunFolder

FRAMES = 40
COLUMNS = 6

_Color = tuple[int, int, int]

_PICTURE, _GAP, _MARGIN = 192, 18, 26  # px
_CAPTION, _PERFORATION, _TITLE = 52, 30, 58  # px, heights; a caption has lines besides
_MIN_WIDTH = 620  # px, so that the title has room
_HOLE_SIZE, _PITCH = 14, 30
_LINE = 19
_SENTENCE_LINES = 4

_FILM: _Color = (24, 25, 29)
_HOLE: _Color = (52, 54, 62)
_TEXT: _Color = (233, 234, 238)
_FAINT: _Color = (150, 154, 166)
_TRACK: _Color = (48, 50, 58)
_PLAIN_BAR: _Color = (120, 144, 196)
_INPUT: _Color = (236, 236, 240)
_BEST: _Color = (246, 190, 66)
_GOAL: _Color = (88, 200, 140)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One frame: an image with its captions; `bar` is 0 to 1, or None for no bar."""

    picture: Image.Image
    left: str
    right: str
    lines: Sequence[str]
    badges: tuple[tuple[str, _Color], ...] = ()
    bar: float | None = None


def draw_filmstrip(
    run: RunFolder, states: Sequence[VisitedState], goal: Encoding | None
) -> Image.Image:
    """Draw the filmstrip of a run."""
    shown = thinned(list(states), goal, FRAMES)
    frames = [_input_frame(run), *_state_frames(run, shown, goal)]
    rows = -(-len(frames) // COLUMNS)
    columns = -(-len(frames) // rows)  # rows of about one length
    row_height = _PERFORATION + _PICTURE + _CAPTION + max(len(f.lines) for f in frames) * _LINE
    width = max(2 * _MARGIN + columns * (_PICTURE + _GAP) - _GAP, _MIN_WIDTH)
    height = _TITLE + rows * row_height + _PERFORATION
    strip = Image.new("RGB", (width, height), _FILM)
    draw = ImageDraw.Draw(strip)
    _draw_title(draw, _title(len(states), len(shown)), width)
    for row in range(rows + 1):
        _draw_perforation(draw, _TITLE + row * row_height, width)
    for i, frame in enumerate(frames):
        x = _MARGIN + (i % columns) * (_PICTURE + _GAP)
        y = _TITLE + (i // columns) * row_height + _PERFORATION
        _draw_frame(strip, draw, frame, x, y)
    return strip


def _title(n_states: int, n_shown: int) -> str:
    noun = "state" if n_states == 1 else "states"
    states = f"{n_states} distinct {noun} in order of first visit, numbered by step"
    return states if n_shown == n_states else f"{states} \N{MIDDLE DOT} {n_shown} of them shown"


def _input_frame(run: RunFolder) -> _Frame:
    return _Frame(
        picture=load_image(run.input_path, _PICTURE),
        left="input",
        right="",
        lines=("the image to find again",),
        badges=(("INPUT", _INPUT),),
    )


def _state_frames(
    run: RunFolder, states: Sequence[VisitedState], goal: Encoding | None
) -> Iterator[_Frame]:
    """Make the frames; bars show rewards between the lowest and the highest shown."""
    ranked = by_reward(states, goal)
    reached = "GOAL?" if run.record.doubtful else "GOAL"
    for state in states:
        low, high = ranked[-1].reward, ranked[0].reward
        words = f"{state.first}. {plain(state.sentence)}"
        marks = ((reached, _GOAL, state.is_goal(goal)), ("BEST", _BEST, state is ranked[0]))
        yield _Frame(
            picture=load_image(run.image_path(state.encoding, state.best.seed), _PICTURE),
            left=f"reward {state.reward:.4g}",
            right="" if state.distance is None else f"distance {state.distance}",
            lines=wrapped(words, _font(14), _PICTURE, _SENTENCE_LINES),
            badges=tuple((word, color) for word, color, is_so in marks if is_so),
            bar=(state.reward - low) / (high - low) if high > low else 1.0,
        )


def _draw_title(draw: ImageDraw.ImageDraw, title: str, width: int) -> None:
    draw.text((_MARGIN, 22), "Trajectory", font=_font(20), fill=_TEXT)
    draw.text((width - _MARGIN, 27), title, font=_font(14), fill=_FAINT, anchor="ra")


def _draw_perforation(draw: ImageDraw.ImageDraw, y: int, width: int) -> None:
    spare = (width - 2 * _MARGIN - _HOLE_SIZE) % _PITCH
    for x in range(_MARGIN + spare // 2, width - _MARGIN - _HOLE_SIZE + 1, _PITCH):
        draw.rounded_rectangle((x, y + 6, x + _HOLE_SIZE, y + 15), radius=3, fill=_HOLE)


def _draw_frame(
    strip: Image.Image, draw: ImageDraw.ImageDraw, frame: _Frame, x: int, y: int
) -> None:
    _paste(strip, frame.picture, x, y)
    for inset, (_, color) in enumerate(frame.badges):
        _outline(draw, x, y, color, inset)
    _draw_badges(draw, frame.badges, x, y)
    below = y + _PICTURE + 8
    if frame.bar is not None:
        _draw_bar(draw, frame, x, below)
    draw.text((x, below + 9), frame.left, font=_font(15), fill=_TEXT)
    draw.text((x + _PICTURE, below + 11), frame.right, font=_font(13), fill=_FAINT, anchor="ra")
    for i, line in enumerate(frame.lines):
        draw.text((x, below + 32 + i * _LINE), line, font=_font(14), fill=_TEXT)


def _paste(strip: Image.Image, picture: Image.Image, x: int, y: int) -> None:
    """Centre an image in its square, scaled to touch two edges, with rounded corners."""
    scale = _PICTURE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    fitted = picture.resize(size, Image.Resampling.LANCZOS)
    mask = Image.new("L", (size[0] * 4, size[1] * 4), 0)  # drawn large: round corners need it
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 28, fill=255)
    place = (x + (_PICTURE - size[0]) // 2, y + (_PICTURE - size[1]) // 2)
    strip.paste(fitted, place, mask.resize(size, Image.Resampling.LANCZOS))


def _outline(draw: ImageDraw.ImageDraw, x: int, y: int, color: _Color, inset: int) -> None:
    grow = 5 - 4 * inset  # a second mark lies inside the first
    box = (x - grow, y - grow, x + _PICTURE - 1 + grow, y + _PICTURE - 1 + grow)
    draw.rounded_rectangle(box, radius=8 + grow, outline=color, width=4)


def _draw_badges(
    draw: ImageDraw.ImageDraw, badges: Sequence[tuple[str, _Color]], x: int, y: int
) -> None:
    left, font = x + 8, _font(13)
    for text, color in badges:
        right = left + round(font.getlength(text)) + 14
        draw.rounded_rectangle((left, y + 8, right, y + 28), radius=10, fill=color)
        draw.text(((left + right) / 2, y + 18.5), text, font=font, fill=_FILM, anchor="mm")
        left = right + 6


def _draw_bar(draw: ImageDraw.ImageDraw, frame: _Frame, x: int, y: int) -> None:
    color = frame.badges[-1][1] if frame.badges else _PLAIN_BAR
    length = max(4, round((frame.bar or 0.0) * (_PICTURE - 1)))
    draw.rounded_rectangle((x, y, x + _PICTURE - 1, y + 3), radius=2, fill=_TRACK)
    draw.rounded_rectangle((x, y, x + length, y + 3), radius=2, fill=color)


def _font(size: int) -> Font:
    return ImageFont.load_default(size=size)
