"""Texts from outside that cannot be written as they are."""

from typing import Any


def well_formed(given: Any) -> Any:
    """Return what is given with texts that can be written: one that was cut may end with half a character."""
    match given:
        case str():
            return given if given.isascii() else given.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [well_formed(one) for one in given]
        case dict():
            return {well_formed(name): well_formed(one) for name, one in given.items()}
    return given
