"""Image files: equal bytes for equal pixels, and their origin written in them."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from rldf.dataset.image_file import blank, encode_image, source_type, xmp_packet

SENTENCE = 'a photo of <one> "zebra" & no people\x00\u202e in snow ☃'
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8))


def packet_of(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        found = image.info["xmp"] if image.format == "JPEG" else image.info["XML:com.adobe.xmp"]
    text = found.decode() if isinstance(found, bytes) else found
    return ET.fromstring(text[text.index("?>") + 2 : text.rindex("<?")])


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_file_tells_its_sentence_and_that_a_model_made_it(kind):
    xmp = xmp_packet(SENTENCE, "trainedAlgorithmicMedia")
    root = packet_of(encode_image(NOISE, kind, xmp))
    description = next(root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"))
    assert (
        description.attrib["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"]
        == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    )
    told = next(root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")).text
    assert told == 'a photo of <one> "zebra" & no people\\x00\\u202e in snow ☃'


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_equal_pixels_give_equal_bytes(kind):
    xmp = xmp_packet("a", "algorithmicMedia")
    assert encode_image(NOISE, kind, xmp) == encode_image(NOISE.copy(), kind, xmp)


def test_png_keeps_every_pixel_and_jpeg_nearly():
    with Image.open(io.BytesIO(encode_image(NOISE, "png", b""))) as image:
        assert np.array_equal(image, NOISE)
    smooth = NOISE.resize((480, 320), Image.Resampling.BICUBIC)
    data = encode_image(smooth, "jpg", b"")
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"
        assert np.abs(np.asarray(image, int) - np.asarray(smooth, int)).mean() < 1.5
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # no chroma subsampling


def test_the_renderer_is_no_trained_model():
    assert source_type("drawn") == "algorithmicMedia"
    assert source_type("diffusion") == source_type("anything") == "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.new("RGB", (8, 8)), "black"),
        (Image.new("RGB", (8, 8), (10, 9, 3)), "black"),
        (Image.new("RGB", (8, 8), (11, 0, 0)), "constant"),
        (Image.new("RGB", (8, 8), "white"), "constant"),
        (Image.new("RGB", (8, 8), (200, 100, 50)), "constant"),
        (NOISE, ""),
        (NOISE.point(lambda value: value // 10), ""),
    ],
)
def test_images_that_show_nothing_are_known(image, kind):
    assert blank(image) == kind


def test_one_bright_spot_is_something():
    image = Image.new("RGB", (8, 8))
    image.putpixel((3, 3), (255, 255, 255))
    assert blank(image) == ""
