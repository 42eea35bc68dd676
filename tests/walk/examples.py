"""Walks that have found a fault; each is played before a random one. Added here, never taken away."""

__all__ = ["EXAMPLES"]

EXAMPLES = (
    # A page that was never linked and lost its window to another one said that it is linked.
    "start; other_tab",
)
