"""Which of our own messages can be edited or taken back."""

from typing import Final

from session_runner.messages.contents import Deletion, Edit
from session_runner.messages.errors import NotChangeableError
from session_runner.messages.progress import Progress

_NO_MESSAGES: Final = frozenset({"reaction", "edit", "delete"})
""" Kinds of requests that make no message. """


def check_changeable(change: Edit | Deletion, *, kind: str, progress: Progress) -> None:
    """Look whether a message of this kind can be changed so.

    How old it may be the page decides, and WhatsApp: about 15 minutes for an edit, two days for a deletion.

    :raises NotChangeableError: it cannot.
    """
    if progress is Progress.FAILED:
        raise NotChangeableError("This message was not sent, so there is nothing to change.")
    if kind in _NO_MESSAGES:
        raise NotChangeableError("This is no message but a reaction or a change; send another one.")
    if isinstance(change, Edit) and kind != "text":
        raise NotChangeableError("Only texts can be edited; delete this and send another one.")
