"""How often something may be done: so many at once, and one more with each pause. Pure, but for the one who keeps it."""

from msgspec import Struct


class Bucket(Struct, frozen=True, kw_only=True):
    """What is left."""

    left: float
    at: float
    """ When that was so. """


def take_one(bucket: Bucket, *, now: float, most: int, every: float) -> Bucket | None:
    """Return what is left after one more; None: there is none left yet."""
    left = min(most, bucket.left + max(0.0, now - bucket.at) / every)
    return Bucket(left=left - 1, at=now) if left >= 1 else None
