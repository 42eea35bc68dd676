"""PEM blocks: keys and certificates between dashes."""

import re
from typing import Final

from session_protocol.redaction.marks import Claim, Mark

_EDGE: Final = re.compile(r"-----(?P<which>BEGIN|END)[ \n](?P<label>[^-\n]*-----)?")
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_LONGEST_LINE: Final = 128


def find_blocks(folded: str) -> list[Claim]:
    """Return PEM blocks, also without their beginning or end."""
    claims: list[Claim] = []
    begin, done = None, 0
    for edge in _EDGE.finditer(folded):
        if edge["which"] == "BEGIN":
            begin = edge.start() if begin is None else begin
            continue
        if begin is None:  # its beginning was cut off
            before = max(done, edge.start() - _LONGEST_LINE)
            line = folded[before : edge.start()].rstrip("\n ")
            begin = before + len(line.rstrip(_BASE64))
        claims.append(Claim(begin, edge.end(), Mark.SECRET))
        begin, done = None, edge.end()
    return claims if begin is None else [*claims, Claim(begin, len(folded), Mark.SECRET)]
