"""Failures: what counts as one, when the next attempt is due, and when recovery pauses for all sessions."""
