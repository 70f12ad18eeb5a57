"""A reader of QR codes that was written elsewhere (ZXing), and what it must find."""

import io

import zxingcpp
from PIL import Image

from citizen_cloud.credentials import qr

HIGHEST_VERSION = 13


def read(png: bytes) -> str:
    """Return what a camera reads in a picture: one code, of level M, of version 13 at most."""
    with Image.open(io.BytesIO(png)) as picture:
        (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert found.ec_level == "M"
    assert int(found.extra["Version"]) <= HIGHEST_VERSION
    return found.text


def drawn(text: str) -> str:
    """Draw a text and read it back."""
    return read(qr.png(text))
