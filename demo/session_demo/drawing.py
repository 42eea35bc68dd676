"""A QR code in the terminal, drawn as `kubectl whatsapp qr` draws it."""

import shutil
import sys

from kubectl_whatsapp.drawing import draw
from kubectl_whatsapp.errors import DrawingError

from session_demo.errors import DemoError


def draw_qr(text: str) -> str:
    """Draw the code. :raises DemoError: the window is too narrow for it. A file or a pipe has no width."""
    screen = sys.stdout.isatty()
    try:
        return draw(text, columns=shutil.get_terminal_size().columns if screen else None, colours=screen)
    except DrawingError as error:
        raise DemoError(str(error)) from error
