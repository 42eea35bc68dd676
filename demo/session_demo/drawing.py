"""A QR code as terminal text, small enough for 80 columns."""

from __future__ import annotations

import io

import segno


def draw_qr(text: str) -> str:
    """Draw with half blocks: two rows of modules per line of text."""
    out = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=out, compact=True, border=2)
    return out.getvalue()
