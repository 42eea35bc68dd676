"""Writes a QR code to the screen, a pipe or a file, with a message about it."""

from datetime import datetime
from pathlib import Path

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.drawing import CodeFormat, draw, picture, write
from kubectl_whatsapp.errors import DrawingError
from kubectl_whatsapp.runner import QrCode

__all__ = ["show", "validity"]

CLEAR = "\x1b[H\x1b[2J"
SHORT = 10
""" Seconds that are hardly enough to take out a phone. """
CAPTION_LINES = 3
""" Lines below a drawing: the two that go with it, and the cursor's. """


def show(
    code: QrCode, *, whose: str, form: CodeFormat, file: Path | None, console: Console, clear: bool = False
) -> None:
    """Write the code in its form and say until when it is valid; `clear` clears the screen before a drawing.

    :raises DrawingError: it cannot be drawn or written.
    """
    if file is not None:
        write(picture(code, form), file)
        console.info(f"wrote {file}: whoever sees it can link a phone, so delete it afterwards")
    elif form is CodeFormat.TERMINAL:
        _show_drawing(code, console=console, clear=clear and console.coloured)
    else:
        console.raw.write(picture(code, form))
        console.raw.flush()
    console.info(f"{whose}, round {code.round}: {validity(code.expires, now=console.now())}")
    console.info("On the phone: Settings > Linked devices > Link a device")


def _show_drawing(code: QrCode, *, console: Console, clear: bool) -> None:
    """Draw on the screen, or into a pipe, which has no width."""
    drawing = draw(code.text, columns=console.columns if console.terminal else None, colours=console.coloured)
    encoding = console.out.encoding or "utf-8"
    try:
        drawing.encode(encoding)
    except UnicodeEncodeError as error:
        raise DrawingError(
            f"the QR code is drawn with block characters, which {encoding} does not have: set LC_ALL=C.UTF-8, or write a "
            "picture with `-o png FILE`"
        ) from error
    console.draw(f"{CLEAR}{drawing}" if clear else drawing)
    height = drawing.count("\n") + 1
    if console.terminal and height + CAPTION_LINES > console.lines:
        console.info(
            f"(the code is {height} lines high and the terminal has {console.lines}: a phone has to see all of it, so "
            "enlarge the window, choose a smaller font, or write a picture with `-o png FILE`)"
        )


def validity(expires: datetime | None, *, now: datetime) -> str:
    """Return until when a code can be scanned, in the local time zone."""
    if expires is None:
        return "valid for some seconds"
    left = (expires - now).total_seconds()
    clock = expires.astimezone().strftime("%H:%M:%S")
    if left <= 0:
        return f"expired at {clock}: ask again"
    advice = "; --watch shows the next one" if left < SHORT else ""
    return f"valid until {clock} ({left:.0f} s left{advice})"
