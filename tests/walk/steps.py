"""One step of a walk, and how a list of them is written: `scan; ban(short); ban_over; stop; start(restart)`."""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

__all__ = ["Step", "parse", "render"]


class Step(NamedTuple):
    """What is done, and with what."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        """Give the word as it is written in a walk."""
        return f"{self.name}({self.argument})" if self.argument else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such a word."""
        match = re.fullmatch(r"([a-z_]+)(?:\(([a-zA-Z_]+)\))?", text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no step; write it like reload or ban(short)")
        return cls(match[1], match[2] or "")


def parse(text: str) -> list[Step]:
    """Read a walk."""
    return [Step.parse(part) for part in text.split(";") if part.strip()]


def render(steps: Iterable[Step]) -> str:
    """Write a walk."""
    return "; ".join(map(str, steps))
