"""Giving a QR code to the person: on the screen, down a pipe or into a file, with the words that go with it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.drawing import Form, draw, picture, write
from kubectl_whatsapp.runner import Code

__all__ = ["show", "validity"]

CLEAR = "\x1b[H\x1b[2J"


def show(code: Code, *, whose: str, form: Form, file: Path | None, console: Console, afresh: bool = False) -> None:
    """Give the code out in its form and say until when it holds; `afresh` clears the screen before a drawing.

    Raises CannotDraw.
    """
    if file is not None:
        write(picture(code, form), file)
        console.say(f"wrote {file}: whoever sees it can link a phone, so delete it afterwards")
    elif form is Form.TERMINAL:
        drawing = draw(code.text, columns=console.columns, colours=console.terminal)
        console.show(f"{CLEAR}{drawing}" if afresh and console.terminal else drawing)
    else:
        console.raw.write(picture(code, form))
        console.raw.flush()
    console.say(f"{whose}, round {code.round}: {validity(code.expires, now=console.now())}")
    console.say("On the phone: Settings > Linked devices > Link a device")


def validity(expires: datetime | None, *, now: datetime) -> str:
    """Until when a code can be scanned, in the person's own time zone."""
    if expires is None:
        return "valid for some seconds"
    left = (expires - now).total_seconds()
    clock = expires.astimezone().strftime("%H:%M:%S")
    return f"valid until {clock} ({left:.0f} s left)" if left > 0 else f"ran out at {clock}: ask again"
