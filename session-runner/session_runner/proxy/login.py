"""The proxy's login, from the files of a mounted Secret.

The relay reads them for each connection: they are tiny, and the kubelet replaces them when somebody changes the Secret,
so a changed login counts from the next connection on. Nothing of it is ever shown.
"""

from pathlib import Path
from typing import Final

from session_runner.values import Private

LONGEST: Final = 255
""" Bytes of a name or a password: what SOCKS5 can carry (RFC 1929). """
USERNAME, PASSWORD = "username", "password"
""" The keys of Kubernetes' Secrets of type basic-auth. """


class NoLoginError(Exception):
    """A login is to be there, and is not, or cannot be used."""


class Login(Private, frozen=True):
    """Both in UTF-8."""

    hidden = ("username", "password")

    username: bytes
    password: bytes


def read_login(folder: Path) -> Login:
    """Return the login in a folder. :raises NoLoginError: there is none that can be used."""
    username, password = (_read(folder / name) for name in (USERNAME, PASSWORD))
    if not username:
        raise NoLoginError
    return Login(username, password)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 2)
    except OSError as error:
        raise NoLoginError from error
    value = content.removesuffix(b"\n").removesuffix(b"\r")  # an editor's, or echo's
    if len(value) > LONGEST:
        raise NoLoginError
    return value
