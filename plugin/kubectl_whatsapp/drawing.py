"""A QR code as a drawing for the terminal, a picture, or its text; to the screen or to a file.

Pure but for `write`. segno is imported late: `kubectl whatsapp status` needs none of it. The demo draws with it too.
"""

import io
import json
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Any

from session_protocol.times import format_time

from kubectl_whatsapp.errors import DrawingError
from kubectl_whatsapp.runner import QrCode

__all__ = ["CodeFormat", "draw", "picture", "write"]


class CodeFormat(StrEnum):
    """The output formats of `qr`."""

    TERMINAL = "terminal"
    """ Drawn with block characters. """
    PNG = "png"
    SVG = "svg"
    TEXT = "text"
    """ What the code says, for a program that draws it itself. """
    JSON = "json"
    """ The text with its round and its end. """


BLACK_ON_WHITE = "\x1b[30;107m"
""" Both colours are named, because a code drawn in the terminal's own is inverted on a light screen. """
NORMAL = "\x1b[0m"
BORDER = 2
""" Modules around the code; four are asked for, two are enough for phones and save four columns. """
BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
SCALE = 8
""" Pixels per module of a picture. """


def draw(text: str, *, columns: int | None, colours: bool) -> str:
    """Draw a code with half blocks, two rows of modules to a line.

    Without colours the light modules are drawn, which is right on a dark screen.

    :raises DrawingError: it does not fit into the columns.
    """
    modules = [[bool(module) is colours for module in row] for row in _symbol(text).matrix_iter(border=BORDER)]
    if columns is not None and len(modules[0]) > columns:
        raise DrawingError(
            f"the QR code is {len(modules[0])} columns wide and the terminal has {columns}: "
            "enlarge it, choose a smaller font, or write a picture with `-o png FILE`"
        )
    if len(modules) % 2:
        modules.append([not colours] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    lines = ("".join(BLOCKS[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs)
    return "\n".join(f"{BLACK_ON_WHITE}{line}{NORMAL}" if colours else line for line in lines)


def picture(code: QrCode, form: CodeFormat) -> bytes:
    """Return a code as the content of a file or a pipe."""
    if form is CodeFormat.TERMINAL:
        return f"{draw(code.text, columns=None, colours=False)}\n".encode()
    if form is CodeFormat.TEXT:
        return f"{code.text}\n".encode()
    if form is CodeFormat.JSON:
        ends = None if code.expires is None else format_time(code.expires)
        return f"{json.dumps({'text': code.text, 'expiryTime': ends, 'round': code.round})}\n".encode()
    out = io.BytesIO()
    _symbol(code.text).save(out, kind=form.value, scale=SCALE, border=4)
    return out.getvalue()


def write(content: bytes, path: Path) -> None:
    """Write a file atomically that only its owner can read, because whoever sees the code can link a phone.

    :raises DrawingError: it cannot be written.
    """
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made for its owner alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(partial).replace(path)
        except OSError:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DrawingError(f"{path} cannot be written: {error.strerror}") from error


def _symbol(text: str) -> Any:
    import segno

    try:
        return segno.make_qr(text, error="l")
    except segno.DataOverflowError as error:
        raise DrawingError(f"a text of {len(text)} characters does not fit into a QR code") from error
