"""Draw a code for clients that cannot: the app draws its own, this is the fallback.

Drawing takes 20 to 75 ms of computing, therefore beside the event loop, a few at once, and each
picture once: the text of a booking's code does not change.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from citizen_cloud.web.beside import Beside

QUIET_ZONE = 4
MODULE_PIXELS = 6
KEPT = 512

_drawing = Beside(at_once=2, patience_s=5.0)


@lru_cache(maxsize=KEPT)
def svg(code: str) -> str:
    """Return the code as one SVG path, black on white. Raises ``Unavailable`` under overload."""
    return _drawing.run(lambda: _svg(_modules(code)))


@lru_cache(maxsize=KEPT)
def png(code: str) -> bytes:
    """Return the code as a PNG of one bit per pixel. Raises ``Unavailable`` under overload."""
    return _drawing.run(lambda: _png(_modules(code)))


def version(code: str) -> int:
    """Return the QR version (1 to 40) a text needs at level M."""
    return _symbol(code).version


def _symbol(code: str) -> QRCode[Any]:
    symbol: QRCode[Any] = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    # In one piece: every character of a code is of the alphanumeric mode.
    symbol.add_data(code, optimize=0)
    symbol.make(fit=True)
    return symbol


def _modules(code: str) -> list[list[bool]]:
    return [[bool(module) for module in row] for row in _symbol(code).get_matrix()]


def _svg(modules: list[list[bool]]) -> str:
    side = len(modules)
    path = "".join(
        f"M{x} {y}h{length}v1h-{length}z"
        for y, row in enumerate(modules)
        for x, length in _dark_runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" '
        f'shape-rendering="crispEdges"><title>QR</title><rect width="{side}" height="{side}" '
        f'fill="#fff"/><path d="{path}"/></svg>'
    )


def _dark_runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Return where dark modules begin in a row, and how many stand side by side."""
    x = 0
    for is_dark, modules in groupby(row):
        length = len(list(modules))
        if is_dark:
            yield x, length
        x += length


def _png(modules: list[list[bool]]) -> bytes:
    side = len(modules)
    picture = Image.new("1", (side, side), 1)
    picture.putdata([not is_dark for row in modules for is_dark in row])
    scaled = picture.resize((side * MODULE_PIXELS,) * 2, Image.Resampling.NEAREST)
    out = io.BytesIO()
    scaled.save(out, format="PNG", optimize=True)
    return out.getvalue()
