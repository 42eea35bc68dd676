"""Who is on WhatsApp: people with a number, perhaps a LID, perhaps another spelling, and how a lookup of them ends.

A number that nobody was told about is on WhatsApp under exactly these digits and has no LID.
"""

import dataclasses
from enum import StrEnum
from typing import NamedTuple

from standin.errors import MalformedRequestError

__all__ = ["Found", "Lookup", "PeopleBook", "Person"]


class Lookup(StrEnum):
    """What becomes of the question whether somebody is there."""

    ANSWERED = "answered"
    FAILS = "fails"
    """ The server answers with an error. """
    SILENT = "silent"
    """ No answer ever comes. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """One person. Numbers are digits without a plus."""

    number: str
    lid: str | None = None
    spellings: tuple[str, ...] = ()
    """ Other ways to write the number, as with or without Brazil's ninth digit. """
    whatsapp: bool = True
    lookup: Lookup = Lookup.ANSWERED
    by_lid: bool = False
    """ WhatsApp addresses this person by the LID: chats and messages carry it instead of the number. """
    hidden: bool = False
    """ Messages do not tell the number that belongs to the LID. """
    about: str | None = None
    """ Their about text. """
    picture: str | None = None
    """ The file of their profile picture. """

    @property
    def address(self) -> str:
        """What a message of this person comes from."""
        return f"{self.lid}@lid" if self.by_lid and self.lid else self.number

    def learned(self) -> dict[str, str]:
        """What a message of this person tells about number and LID, by the names of the frame."""
        known = {"number": None if self.hidden else self.number, "lid": self.lid}
        return {name: value for name, value in known.items() if value} if self.lid else {}


class Found(NamedTuple):
    """The answer to a lookup: nobody, or a person."""

    person: Person | None
    lookup: Lookup


class PeopleBook:
    """Everybody the server was told about."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}

    def add(self, person: Person) -> None:
        """Take in a person, or take them in anew: by number."""
        if not person.number.isdecimal() or not (person.lid is None or person.lid.isdecimal()):
            raise MalformedRequestError("number and lid are digits alone.")
        if person.by_lid and person.lid is None:
            raise MalformedRequestError("Who is addressed by LID needs one: send lid.")
        self._people[person.number] = person

    def find(self, wid: str) -> Person | None:
        """Find the person of a number, of another spelling of it, or of a LID."""
        user, _, server = wid.partition("@")
        digits = user.lstrip("+")
        for person in self._people.values():
            same = person.lid == digits if server == "lid" else digits in (person.number, *person.spellings)
            if same:
                return person
        return None

    def look_up(self, wid: str) -> Found:
        """Answer a page's question. Unknown digits are somebody; an unknown LID is nobody."""
        person = self.find(wid)
        if person is not None:
            return Found(person if person.whatsapp else None, person.lookup)
        user, _, server = wid.partition("@")
        unknown = None if server == "lid" else Person(number=user.lstrip("+"))
        return Found(unknown, Lookup.ANSWERED)
