"""What works over the outbox for as long as the profile is ours, as `session` opens and runs it beside the page's monitor."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from msgspec import Struct

from session_runner.media.media import Media
from session_runner.outbox.outbox import Outbox
from session_runner.sending.messaging import Messaging

Loop = Callable[[Outbox], Coroutine[Any, Any, None]]
""" Works until it is cancelled. """


class Workers(Struct, frozen=True, kw_only=True):
    """The workers of one session."""

    messaging: Messaging
    """ Opens the outbox. """
    media: Media
    """ Opens the folder of files beside it. """
    loops: Sequence[Loop]
    handlers: Mapping[str, Callable[[], None]]
    """ Who handles which event of the page; the monitor handles all others. """
