"""A QR code in the terminal, drawn as `kubectl whatsapp qr` draws it."""

from __future__ import annotations

import sys

from kubectl_whatsapp.drawing import draw
from kubectl_whatsapp.errors import CannotDraw

from session_demo.errors import DemoError


def draw_qr(text: str) -> str:
    """Draw the code; raises DemoError when it does not fit."""
    try:
        return draw(text, columns=120, colours=sys.stdout.isatty())
    except CannotDraw as error:
        raise DemoError(str(error)) from error
