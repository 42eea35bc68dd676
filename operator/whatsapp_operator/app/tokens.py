"""The token that the operator's own HTTP server asks for: one file, as a Secret is mounted."""

from pathlib import Path


def read_token(path: Path) -> str:
    """Return the token in a file; empty if it cannot be read."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
