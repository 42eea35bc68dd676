"""Logins: in addresses, `https://user:password@host`, on command lines, `-u user:password`, and in words, `user anna:pw`."""

import re
from collections.abc import Iterator
from typing import Final

from session_protocol.redaction.spans import MASK, Placeholder, Span

_AUTHORITY: Final = re.compile(r"[^ \n/?#\"'`<>\\]*")
_PORT: Final = re.compile(r":[0-9]{1,5}\Z")
_REST: Final = re.compile(r"[^ \n\"'`<>]*")
_LONGEST_LOGIN: Final = 256
_WORD: Final = re.compile(r"[^ \n\"'`<>]+")
_NO_USERS: Final = frozenset({"mailto", "sip", "sips", "xmpp", "acct", "tel"})
_DIGESTS: Final = ("sha256:", "sha512:")
_FLAG: Final = re.compile(
    r"(?:--?(?:u|U|user|proxy-user|userpwd|auth|login)(?:[ =\n]|[\"'`],[ \n]{0,8})|(?P<short>-[uU])"
    r"|(?:login|userpwd|userinfo|credentials?|auth)=)"
    # Between quotes a password may hold a space, and a list of arguments has each between quotes.
    r"(?:[\"'`](?P<quoted>[^\"'`<>:\n]{1,64}+:[^\"'`\n]+)|(?P<plain>[^ \n\"'`<>:]{1,64}+:[^ \n\"'`<>]+))"
)
_ANNOUNCES: Final = re.compile(r"[A-Za-z]+")
_USERS: Final = frozenset(
    {
        *("user", "username", "login", "logon", "credential", "credentials", "creds", "account", "basic", "auth"),
        *(
            "basicauth",
            "httpauth",
            "benutzer",
            "usuario",
            "utilisateur",
            "authenticate",
            "authenticated",
            "authenticating",
        ),
        *("logged", "signed", "logging", "signing"),
    }
)
""" Words that a login may follow. """
_IN_WORDS: Final = re.compile(
    r"(?:[\"'`\])]{0,2}[ \n]?(?:[:=]|[=-]>)[ \n]?|[ \n](?:(?:is|are|was|as|with|for|by|in|name)[ \n]){0,2})"
    r"[\"'`\[({]{0,3}(?P<user>[A-Za-z0-9._+@-]{1,64}+)(?:[\"'`]{0,2}:[\"'`]{0,2}|[\"'`],[ \n]?[\"'`])(?!//)"
    r"(?P<password>[^ \n\"'`<>]{1,256})"
)
_NO_LOGINS: Final = frozenset(
    {
        *(
            "system",
            "arn",
            "urn",
            "oidc",
            "spiffe",
            "http",
            "https",
            "ws",
            "wss",
            "ftp",
            "file",
            "data",
            "sha256",
            "sha512",
        ),
        *(
            "error",
            "failed",
            "failure",
            "denied",
            "refused",
            "reason",
            "status",
            "code",
            "message",
            "type",
            "time",
            "at",
        ),
        *("is", "was", "not", "the", "id", "name", "uid", "gid", "key", "value", "token", "localhost"),
    }
)
""" What has a colon behind it in a sentence or an identity: `User system:serviceaccount:…`. """
_IDS: Final = re.compile(r"[0-9]{1,6}:[0-9]{1,6}")
_PORT_AND_PATH: Final = re.compile(r"[0-9]{1,5}/")
_SHORT_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_OF_NAMES: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-+%/\\"


def find_logins(folded: str) -> list[Span]:
    """Return logins; those of addresses with a scheme first, as their passwords may hold anything."""
    return [*_in_addresses(folded), *_before_hosts(folded), *_on_command_lines(folded), *_in_words(folded)]


def _before_hosts(folded: str) -> Iterator[Span]:
    """Return `user:password` before an @ and a host. Ids of people and the digests of images have an @ too."""
    for word in _WORD.finditer(folded):
        login, sign, host = word.group().rstrip("@").rpartition("@")
        before, colon, password = login.partition(":")
        if not (sign and colon and password) or "://" in login or host.startswith(_DIGESTS) or not host[:1].isalnum():
            continue
        user = before[len(before.rstrip(_OF_NAMES)) :].removeprefix("//")  # an address without its scheme
        is_path = "/" in user or _PORT_AND_PATH.match(password) is not None
        if user and not is_path and user.lower() not in _NO_USERS and _SHORT_NUMBER.fullmatch(password) is None:
            yield Span(word.start() + len(before) - len(user), word.start() + len(login), Placeholder.SECRET)


def _on_command_lines(folded: str) -> Iterator[Span]:
    """Return `user:password` behind a flag such as curl's -u. A user's and a group's number are no login."""
    for flag in _FLAG.finditer(folded):
        group = "plain" if flag["quoted"] is None else "quoted"
        login = flag[group].rstrip(".,;:)]}") if group == "plain" else flag[group]
        stands_before = folded[max(0, flag.start() - 1) : flag.start()]
        is_flag = not stands_before.isalnum() and not (flag["short"] and stands_before == "-")  # --update is no -u
        if is_flag and _IDS.fullmatch(login) is None:
            yield Span(flag.start(group), flag.start(group) + len(login), Placeholder.SECRET)


def _in_words(folded: str) -> Iterator[Span]:
    """Return `user:password` behind a word such as "user" or "credentials"."""
    for word in _ANNOUNCES.finditer(folded):
        login = _IN_WORDS.match(folded, word.end()) if word.group().lower() in _USERS else None
        if login is None:
            continue
        user, password = login["user"], login["password"].rstrip(".,;:)]}")
        is_host = _PORT.fullmatch(f":{password}") is not None and ("." in user or user.isdigit())
        if password.strip(MASK) and user.lower() not in _NO_LOGINS and not is_host:
            yield Span(login.start("user"), login.start("password") + len(password), Placeholder.SECRET)


def _in_addresses(folded: str) -> list[Span]:
    """Return what stands before the @ of an address; its port is a span of its own, kept as it is."""
    spans: list[Span] = []
    at = folded.find("://")
    while at >= 0:
        start = at + 3
        authority = _authority(folded, start)
        login, sign, host = authority.rpartition("@")
        if sign and login.strip(MASK):
            spans.append(Span(start, start + len(login), Placeholder.SECRET))
        port = _PORT.search(host[-6:])
        if port is not None:
            end = start + len(authority)
            spans.append(Span(end - len(port.group()), end))
        at = folded.find("://", start + len(authority))
    return spans


def _authority(folded: str, start: int) -> str:
    """Return the login, host and port; a password may hold a slash or an @ that nobody escaped."""
    found = _AUTHORITY.match(folded, start)
    authority = found.group() if found else ""
    user, colon, port = authority.partition(":")
    if colon and user and "[" not in authority and port.strip(MASK) and not port.strip(MASK).isdigit():
        rest = _REST.match(folded[start : start + _LONGEST_LOGIN])
        login, sign, _ = rest.group().rpartition("@") if rest else ("", "", "")
        return max(authority, login + sign, key=len)
    return authority
