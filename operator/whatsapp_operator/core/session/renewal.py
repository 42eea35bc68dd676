"""When a session gets a new pod because the key of its present one ends.

The observer asks for each pod that uses a retired key; `rules` has it replaced. Sessions are replaced one by one over
six days, each at a moment that its UID gives, and all of them a day before the key's last day: at 10,000 sessions that
is one a minute. No counter and no queue is needed, and a restarted operator goes on where the last one was.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.core.model import SessionUID

WINDOW: Final = timedelta(days=6)
""" Over which the sessions with one retired key are replaced. """
MARGIN: Final = timedelta(days=1)
""" Between the last replacement and the key's end, so that a pod that is slow to start is not late. """
CATCH_UP: Final = timedelta(hours=1)
""" Over which they are replaced if the moment has passed already: the operator was away, or a key is gone. """


def renewal_time(uid: SessionUID, *, last_day: datetime, since: datetime) -> datetime:
    """Return when to replace the session's pod.

    :param last_day: when the key of the pod ends.
    :param since: when this operator began; a moment that it missed is caught up after that.
    """
    share = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") / 2**32
    planned = last_day - MARGIN - WINDOW * (1 - share)
    return planned if planned >= since else since + CATCH_UP * share
