"""Which telephone numbers this session is about: the one in its Secret, and the one that somebody asked a code for.

The Secret is mounted as a file, which the kubelet replaces when somebody changes it; it is read at each look at the page,
so a change counts without another pod. The monitor asks here, and `POST /v1/pairing-code` names a number here. Nothing
of it is logged or stored.
"""

import logging
from pathlib import Path
from typing import Final

from session_protocol.phone_numbers import is_same_number, read_phone_number
from session_protocol.vocabulary import LinkMethod

from session_runner.signals import Signal
from session_runner.states.pairing import Source

logger = logging.getLogger(__name__)

LONGEST: Final = 64
""" Bytes of the file that are read; a number has twenty. """


class PhoneNumbers:
    """The numbers; used from one event loop only."""

    def __init__(self, *, file: Path | None, method: LinkMethod) -> None:
        self._file = file
        self._method = method
        self._asked_for: str | None = None
        self.source = Source.NONE if file is None else Source.MISSING
        self.expected: str | None = None
        """ The number in the Secret: the account that is to be linked, by whatever code. """
        self.asked = Signal()
        """ Somebody asks for a code. """

    def read(self) -> None:
        """Read the file again, if there is to be one."""
        if self._file is None:
            return
        before = self.source
        try:
            with self._file.open("rb") as file:
                content = file.read(LONGEST + 1)
        except OSError:
            self.source, self.expected = Source.MISSING, None
        else:
            self.expected = read_phone_number(content.decode(errors="replace")) if len(content) <= LONGEST else None
            self.source = Source.INVALID if self.expected is None else Source.FOUND
        if self.source is not before:
            logger.info("The Secret with the telephone number was read", extra={"reason": self.source})

    @property
    def wanted(self) -> str | None:
        """The number that is to be linked by a pairing code; None: none is."""
        if self._asked_for is not None and self._may_be(self._asked_for):
            return self._asked_for
        return self.expected if self._method is LinkMethod.PAIRING_CODE else None

    def _may_be(self, number: str) -> bool:
        return self.expected is None or is_same_number(self.expected, number)

    def ask_for(self, number: str) -> bool:
        """Want a pairing code for this number; return whether it may be: the Secret may name another one."""
        self.read()
        if not self._may_be(number):
            return False
        self._asked_for = number
        self.asked.emit()
        return True
