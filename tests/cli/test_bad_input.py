"""Bad input: one line that helps, exit code 2, nothing written."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rldf.cli.main import app
from rldf.io.images import read_image

EXAMPLE = Path(__file__).parents[2] / "examples" / "dog-in-park.png"


@pytest.fixture(autouse=True)
def nothing_left(call, tmp_path):
    yield
    left = list((tmp_path / "here").iterdir())
    assert left == [], "a refused command left something behind"


def refused(answer, *told):
    code, out, err = answer
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for words in told:
        assert words in err


def bomb():
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def jpeg():
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).save(
        data, "JPEG"
    )
    return data.getvalue()


BAD_FILES = {
    "text.jpg": (b"this is no image", "is not an image"),
    "cut.jpg": (jpeg()[:4000], "damaged"),
    "nothing.png": (b"", "is empty"),
    "bomb.png": (bomb(), "at most 64 million"),
}


@pytest.mark.parametrize("command", ["search", "encode"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_are_no_images(call, tmp_path, name, command):
    data, told = BAD_FILES[name]
    (tmp_path / name).write_bytes(data)
    refused(call(command, tmp_path / name), told, name)


@pytest.mark.parametrize("command", ["search", "encode"])
def test_a_missing_file_and_a_folder(call, tmp_path, command):
    refused(call(command, tmp_path / "none.png"), "none.png", "No such file")
    refused(call(command, tmp_path), "is a folder")


def test_one_bad_file_among_many_is_told_before_any_work(call, tmp_path):
    refused(call("encode", EXAMPLE, tmp_path / "none.png"), "none.png")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--renders", "0"], ["--renders 0", "1 or more"]),
        (["--episodes", "0"], ["--episodes 0"]),
        (["--steps", "-3"], ["--steps -3"]),
        (["--renders", "many"], ["--renders", "integer"]),
        (["--agent", "q", "--epsilon", "2"], ["--epsilon 2", "from 0 to 1"]),
        (["--agent", "q", "--alpha", "0"], ["--alpha 0"]),
        (["--agent", "q", "--gamma", "1"], ["--gamma 1"]),
        (["--image-seed", "-1"], ["--image-seed -1"]),
        (["--image-seed", str(2**63)], [f"--image-seed {2**63}", f"at most {2**63 - 1}"]),
        (["--models", "best"], ["no model set 'best'", "pocket"]),
        (["--agent", "dqn"], ["'dqn'", "q, sarsa, "]),
        (["--grammar", "english"], ["no grammar 'english'", "base"]),
        (["--reward", "love"], ["no reward 'love'", "clip"]),
        (["--resume"], ["--out"]),
        (["--colour"], ["--colour"]),
    ],
)
def test_options_out_of_range(call, words, told):
    refused(call("search", EXAMPLE, *words), *told)


@pytest.mark.parametrize(("option", "what"), [("--grammar", "grammar"), ("--reward", "reward")])
def test_files_with_errors_tell_them_all(call, tmp_path, option, what):
    file = tmp_path / "mine.yaml"
    file.write_text("name: Mine!\ncolour: red\n")
    refused(call("search", EXAMPLE, option, file), "colour", "name", "mine.yaml")


def test_an_out_folder_that_holds_something_is_left_alone(call, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    refused(call("search", EXAMPLE, "--out", out), "thesis.tex", "--out")
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


MODES = {
    "cmyk.jpg": Image.new("CMYK", (64, 48), (0, 255, 255, 0)),
    "grey16.png": Image.fromarray(np.full((48, 64), 40_000, np.uint16)),
    "palette.png": Image.new("RGB", (64, 48), "red").convert("P"),
    "transparent.png": Image.new("RGBA", (64, 48), (255, 0, 0, 0)),
    "animated.gif": Image.new("RGB", (64, 48), "red"),
}


@pytest.mark.parametrize("name", MODES)
def test_unusual_modes_are_read(tmp_path, name):
    extra = {}
    if name == "animated.gif":
        extra = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), "blue")]}
    MODES[name].save(tmp_path / name, **extra)
    image = read_image(tmp_path / name)
    assert (image.mode, image.size) == ("RGB", (64, 48))
    expected = {"grey16.png": (155, 155, 155), "transparent.png": (255, 255, 255)}
    wanted = expected.get(name, (254, 0, 0))
    found = image.getpixel((30, 20))
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 12, found


def test_a_turned_photograph_is_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 30)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").size == (30, 60)


def test_every_command_is_there():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    assert {"search", "encode", "doctor"} <= names
    assert {"grammar", "run", "cache", "pocket"} <= groups
