"""What can go wrong in a demo, as one family: each carries a message that says what to do."""

from __future__ import annotations


class DemoError(Exception):
    """The base of all; its text is shown to the person as it is."""


class CommandFailed(DemoError):
    """A program that the demo calls ended with a fault."""


class PhoneRefused(DemoError):
    """The stand-in's phone did not do what was asked."""
