"""The QR code as JSON, PNG or SVG. Pure; used by the QR route."""

import io

import msgspec
from session_protocol import answers
from session_protocol.times import whole_seconds

from session_runner.store import Code

OFFERED = ("application/json", "image/png", "image/svg+xml")
""" In the order of preference, for callers that accept all. """


def render(code: Code, media_type: str) -> bytes:
    """Return the body of the answer in one of the OFFERED types."""
    if media_type == "application/json":
        return msgspec.json.encode(
            answers.Code(
                text=code.text,
                issued_time=whole_seconds(code.issued),
                expiry_time=whole_seconds(code.expires),
                round=code.round,
            )
        )
    import segno  # 0.7 MB that a session needs once at most, while it is being linked

    image = io.BytesIO()
    kind = "png" if media_type == "image/png" else "svg"
    # Error correction L, as the page itself uses: the text is long and the code is read from a clean screen.
    segno.make(code.text, error="l", micro=False, boost_error=False).save(image, kind=kind, scale=6, border=4)
    return image.getvalue()
