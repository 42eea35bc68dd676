"""Takes out of a foreign text what must never reach status, events or logs: numbers, identities, codes, tokens.

Used on everything a runner or its container says in free words (`core.facts`). The runner scrubs its own texts too;
this is the second lock on the same door, for a traceback that the kubelet took from the log, or an older runner.
It rather takes too much: a long number may be a phone's. Times, UUIDs and addresses are kept, because they help and
have a form of their own.
"""

import re
from typing import Final

LONGEST: Final = 1024
""" Characters of a scrubbed text: a status is no place for a log. """

_KEPT: Final = "kept"
_PATTERN: Final = re.compile(
    r"""
    (?P<kept> (?<![\w+-]) (?:
          \d{4}-\d{2}-\d{2} (?: [T ] \d{2}:\d{2} (?: :\d{2} (?: [.,]\d{1,9} )? )? (?: Z | [+-]\d{2}:?\d{2} )? )?
        | [0-9a-fA-F]{8} (?: -[0-9a-fA-F]{4} ){3} -[0-9a-fA-F]{12}
        | \d{1,3} (?: \.\d{1,3} ){3} (?: :\d{1,5} )?
      ) (?! [\w@+-] | [.:]\d ) )
  | (?P<code> (?: \S*\# )? \b \d @ [A-Za-z0-9+/=_,-]{16,} )
  | (?P<account> [\w.:+-]+ @ (?: s\.whatsapp\.net | c\.us | g\.us | lid | broadcast | newsletter ) (?![A-Za-z0-9]) )
  | (?P<bearer> \b (?: bearer | token | password | secret | authorization ) \b ["']? \s*[:=\s]\s* ["']? [^\s"'\[\]]{6,} )
  | (?P<secret> (?<![A-Za-z0-9+/_=-]) (?:
          [0-9a-fA-F]{32,}
        | (?= [A-Za-z+/_-]* \d ) (?= [a-z0-9+/_-]* [A-Z] ) (?= [A-Z0-9+/_-]* [a-z] ) [A-Za-z0-9+/_-]{32,} ={0,2}
      ) (?![A-Za-z0-9+/_=-]) )
  | (?P<number> (?<![A-Za-z0-9]) (?: \+ | \( )? \d (?: [\s().-]{0,3} \d ){7,} )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def scrub(text: str, *, longest: int = LONGEST) -> str:
    """Return the text on one line without secrets, at most `longest` characters: the end, where an error says what it is.

    Scrubbing twice changes nothing.
    """
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text[-16 * longest :]).split())
    text = _until_stable(text)
    if len(text) > longest:
        tail = text[-(longest - 1) :]
        words = tail.split(" ", 1)  # no half word: the end of a redacted number would look like another text
        text = _until_stable("…" + words[-1].lstrip())[:longest]
    return text


def _until_stable(text: str) -> str:
    while (again := _PATTERN.sub(_replacement, text)) != text:
        text = again
    return text


def _replacement(match: re.Match[str]) -> str:
    kind = match.lastgroup or _KEPT
    return match.group() if kind == _KEPT else f"[{kind}]"
