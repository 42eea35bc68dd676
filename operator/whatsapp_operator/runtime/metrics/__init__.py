"""What the operator tells Prometheus: the table of its metrics, and the series that are made from what it knows."""

from typing import Final

SESSIONS_LIMIT: Final = 1000
""" How many sessions have series of their own, if nobody says otherwise. """
