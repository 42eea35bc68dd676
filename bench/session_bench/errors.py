"""What can go wrong in a benchmark; a message says what to do."""

from session_devtools.errors import ToolError


class BenchError(ToolError):
    """Its text is shown to the person as it is."""
