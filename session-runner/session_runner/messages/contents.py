"""What can be sent: one frozen dataclass for each kind, and the form in which it is stored and handed to the page.

A new kind is a class here with a line in `KINDS`, its reader in `readers.py`, and a function of its name in the page's
`sends.js`. Contents stay out of everything that is written for people.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text."""

    body: str = field(repr=False)


Content = Text
KINDS: Final[dict[str, type[Content]]] = {"text": Text}
""" By their names in the outbox and in the page. """
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


def kind_of(content: Content) -> str:
    """Return the name of its kind."""
    return _NAMES[type(content)]


def stored(content: Content) -> str:
    """Return the content as it is stored; its kind is kept beside it."""
    return msgspec.json.encode(content).decode()


def read_stored(kind: str, content: str) -> Content:
    """Return the content of what `stored` gave."""
    return msgspec.json.decode(content, type=KINDS[kind])


def for_page(content: Content) -> dict[str, Any]:
    """Return the content as the page's scripts take it."""
    return dict(msgspec.to_builtins(content))
