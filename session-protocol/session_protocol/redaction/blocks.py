"""PEM blocks: keys and certificates between dashes."""

import re
from typing import Final

from session_protocol.redaction.spans import Placeholder, Span

_EDGE: Final = re.compile(r"-----(?P<which>BEGIN|END)[ \n](?P<label>[^-\n]*-----)?")
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_LONGEST_LINE: Final = 128


def find_blocks(folded: str) -> list[Span]:
    """Return PEM blocks, also without their beginning or end."""
    spans: list[Span] = []
    begin, done = None, 0
    for edge in _EDGE.finditer(folded):
        if edge["which"] == "BEGIN":
            begin = edge.start() if begin is None else begin
            continue
        if begin is None:  # its beginning was cut off
            before = max(done, edge.start() - _LONGEST_LINE)
            line = folded[before : edge.start()].rstrip("\n ")
            begin = before + len(line.rstrip(_BASE64))
        spans.append(Span(begin, edge.end(), Placeholder.SECRET))
        begin, done = None, edge.end()
    return spans if begin is None else [*spans, Span(begin, len(folded), Placeholder.SECRET)]
