"""A reader of QR codes that was written elsewhere (ZXing), and what it must find."""

import io
import json

import zxingcpp
from PIL import Image

from citizen_cloud.credentials import claims, compact, proofs, qr

HIGHEST_VERSION = 13


def read(png: bytes) -> str:
    """Return what a camera reads in a picture: one code, of level M, of version 13 at most."""
    with Image.open(io.BytesIO(png)) as picture:
        (found,) = zxingcpp.read_barcodes(
            picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode
        )
    assert found.ec_level == "M"
    assert int(found.extra["Version"]) <= HIGHEST_VERSION
    return found.text


def drawn(text: str) -> str:
    """Draw a text and read it back."""
    return read(qr.png(text))


def read_back(draw):
    """Return the drawing of the application, with every code it draws read back at once."""

    def drawing(code):
        modules = draw(code)
        assert read(qr._png(modules)) == code
        names_nobody(code)
        return modules

    return drawing


def names_nobody(code):
    """See that a signed code holds its type's members and no others: of a name, 姓 and a star."""
    try:
        header, payload, _ = compact.scan(code).jws.split(".")
        kind = json.loads(proofs.from_text(header))["typ"].removesuffix("+jwt")
    except (compact.NotACode, KeyError, TypeError, ValueError):
        return
    said = json.loads(proofs.from_text(payload))
    assert set(said) == set(claims.TYPES[kind])
    assert said.get("n", "王*").endswith("*")
    assert len(said.get("n", "王*")) <= 3
