"""Image files of a clone: the same bytes for the same picture, and their origin written in them.

Each file carries an XMP packet with the sentence and IPTC's digital source type, so that it tells
that no camera made it wherever it is copied to.
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
_DARK = 10  # of 255: the brightest that a black image may be
_FLAT = 3  # of 255: the widest range of a channel of a constant image

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
    """Return the XMP packet of an image, UTF-8."""
    text = _XMP.format(source=SOURCE_TYPES + source, sentence=escape(plain(sentence)))
    return text.encode("utf-8")


def encode_image(image: Image, file_format: ImageFormat, xmp: bytes) -> bytes:
    """Encode an RGB image; equal pixels give equal bytes."""
    data = io.BytesIO()
    if file_format == "jpg":
        image.save(data, "JPEG", quality=_QUALITY, subsampling=0, xmp=xmp)
    else:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        image.save(data, "PNG", pnginfo=info)
    return data.getvalue()


def blank(image: Image) -> Literal["", "black", "constant"]:
    """Return "black" (maximum at most 10 of 255), "constant" (range at most 3) or ""."""
    ranges = cast(tuple[tuple[int, int], ...], image.getextrema())
    if max(high for _, high in ranges) <= _DARK:
        return "black"
    return "constant" if max(high - low for low, high in ranges) <= _FLAT else ""
