"""Sends events to the addresses in a session's spec; `deliverer` is what runs, the rest decides."""
