"""What can go wrong in a demo, as one family: each carries a message that says what to do."""

from session_devtools.errors import ToolError


class DemoError(ToolError):
    """The base of all; its text is shown to the person as it is."""
