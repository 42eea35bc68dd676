"""PEM blocks: keys and certificates between dashes."""

from typing import Final

from session_protocol.redaction.marks import Claim, Mark

_BEGIN: Final = "-----BEGIN "
_END: Final = "-----END "
_DASHES: Final = "-----"
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def find_blocks(folded: str) -> list[Claim]:
    """Return PEM blocks, also without their beginning or end."""
    claims: list[Claim] = []
    done = 0
    while (end := folded.find(_END, done)) >= 0 or folded.find(_BEGIN, done) >= 0:
        begin = folded.find(_BEGIN, done)
        if begin < 0 or 0 <= end < begin:  # its beginning was cut off
            line = folded[max(done, end - 128) : end].rstrip("\n ")
            begin = max(done, end - 128) + len(line.rstrip(_BASE64))
        close = folded.find(_DASHES, end + len(_END)) if end >= 0 else -1
        stop = close + len(_DASHES) if close >= 0 else len(folded)
        claims.append(Claim(begin, stop, Mark.SECRET))
        done = stop
    return claims
