"""Telephone numbers in the international form (E.164), which is the one that WhatsApp knows accounts by.

The runner reads one from the page and one from people, for whom a code or a message is; the operator takes one from a
runner for a moment, to hash it.
No number is logged or stored; whatever a message has to say of one, it says without it.
"""

import re
from typing import Final

PHONE_NUMBER: Final = r"^\+[1-9][0-9]{5,14}$"
""" The international form: a country's code and what follows, digits alone. """
_USER: Final = re.compile(r"([1-9][0-9]{5,14})(?:[.:][0-9]{1,5})*@(?:c\.us|s\.whatsapp\.net)")
_FILLER: Final = r"[\s().\-/\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
""" What people write between the digits, and what editors and address books add unseen: marks of direction, of an order of
bytes. """
_TRUNK: Final = re.compile(rf"(?<=[0-9]){_FILLER}*\(\s*0\s*\)")
""" "(0)" in +49 (0) 171: who calls from abroad leaves it out. """


def read_phone_number(text: str) -> str | None:
    """Return a number that a person wrote, such as "+1 (555) 010-0000" or "0015550100000", in the international form.

    The plus may stand at either end: between texts that run from right to left it comes last.

    None: it is no number, or one without the country's code, which cannot be told from others.
    """
    digits = re.sub(_FILLER, "", _TRUNK.sub("", text)).removeprefix("+").removesuffix("+").removeprefix("00")
    return f"+{digits}" if re.fullmatch(PHONE_NUMBER, f"+{digits}", re.ASCII) else None


_TWO_FORMS: Final = (
    re.compile(r"(\+55[1-9][0-9])9([6-9][0-9]{7})"),  # Brazil's mobiles, which got a ninth digit
    re.compile(r"(\+52)1([0-9]{10})"),  # Mexico's, which had a 1
    re.compile(r"(\+54)9([0-9]{10})"),  # Argentina's, called from abroad
)
""" Countries where WhatsApp may know an account by another form of its number than people write. """


def is_same_number(one: str, other: str) -> bool:
    """Whether two numbers in the international form are one phone's."""
    return _short(one) == _short(other)


def _short(number: str) -> str:
    found = next((match for form in _TWO_FORMS if (match := form.fullmatch(number))), None)
    return number if found is None else f"{found[1]}{found[2]}"


def number_of_user(identifier: str) -> str | None:
    """Return the number of a user's id, such as 15550100000@c.us; None: it is the id of something else."""
    found = _USER.fullmatch(identifier)
    return None if found is None else f"+{found[1]}"
