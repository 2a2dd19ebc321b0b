"""Encodes the image files of a clone and writes their origin into them.

Equal pixels and sentences give equal bytes. Each file contains an XMP packet with the sentence and
IPTC's digital source type, so a copy of the file still states that no camera took it.
See https://cv.iptc.org/newscodes/digitalsourcetype/
"""

import io
from typing import Literal, cast
from xml.sax.saxutils import escape

from PIL.Image import Image
from PIL.PngImagePlugin import PngInfo

from rldf.io.text import plain

ImageFormat = Literal["jpg", "png"]
SourceType = Literal["trainedAlgorithmicMedia", "algorithmicMedia"]

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_QUALITY = 95
_DARK = 10  # of 255: an image is black if no sample is greater
_FLAT = 3  # of 255: an image is constant if no channel's maximum - minimum is greater

# Adobe's XMP specification, part 1: the packet's begin attribute is a byte order mark.
_XMP = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\
<x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"\
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"\
 Iptc4xmpExt:DigitalSourceType="{source}">\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{sentence}</rdf:li></rdf:Alt>\
</dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def source_type(generator: str) -> SourceType:
    """Return IPTC's digital source type for the images of a generator class."""
    return "algorithmicMedia" if generator == "drawn" else "trainedAlgorithmicMedia"


def xmp_packet(sentence: str, source: SourceType) -> bytes:
    """Return the XMP packet with a sentence and a source type, in UTF-8."""
    text = _XMP.format(source=SOURCE_TYPES + source, sentence=escape(plain(sentence)))
    return text.encode("utf-8")


def encode_image(image: Image, file_format: ImageFormat, xmp: bytes) -> bytes:
    """Encode an RGB image with an XMP packet; equal arguments give equal bytes."""
    data = io.BytesIO()
    if file_format == "jpg":
        image.save(data, "JPEG", quality=_QUALITY, subsampling=0, xmp=xmp)
    else:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        image.save(data, "PNG", pnginfo=info)
    return data.getvalue()


def blank(image: Image) -> Literal["", "black", "constant"]:
    """Return why an image shows nothing, or "".

    It is "black" if no sample is greater than 10 of 255, and "constant" if maximum - minimum of
    each channel is at most 3.
    """
    ranges = cast(tuple[tuple[int, int], ...], image.getextrema())
    if max(high for _, high in ranges) <= _DARK:
        return "black"
    return "constant" if max(high - low for low, high in ranges) <= _FLAT else ""
