"""Since when a receiver does not know the sender of a delivery, and with which Secret that was sent.

Receiver and Secret are never changed at once, and the kubelet takes its minute to bring a Secret: what is refused
meanwhile is sent again, and at once when the Secret is another one. Kept in memory alone: to a runner that starts anew it
is the first refusal.
"""

from session_runner.webhooks.secret_files import Secret


class Refusals:
    """Those of one webhook, by the delivery's place: no more than one for each chat."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._refused: Secret | None = None

    def __bool__(self) -> bool:
        """Whether any delivery waits for another Secret."""
        return bool(self._since)

    def note(self, place: int, secret: Secret, *, now: float) -> float:
        """Note that a delivery was refused; return for how many seconds it has been."""
        self._refused = secret
        return now - self._since.setdefault(place, now)

    def forget(self, place: int) -> None:
        """Forget a delivery that is taken, or dead."""
        self._since.pop(place, None)

    def end_by(self, secret: Secret) -> bool:
        """Begin anew if the Secret is another one than was refused; return whether it is."""
        if secret == self._refused:
            return False
        self._since.clear()
        return True
