"""Which hosts the page may reach, and whether the page itself is on one of them.

`settings` asks at start: an operator that starts with a list its runners refuse would make every session end with
BadConfiguration. The list is judged by the runner's own code; the page's address more strictly than there, where a
page on the same machine may do without https.
"""

from urllib.parse import urlsplit

from session_protocol.hosts import AllowedHosts


def allowed_hosts(text: str) -> AllowedHosts:
    """Read a comma list of host names and `*.domain`.

    :raises ValueError: it names no host, or something that is none; the message shows what to write.
    """
    try:
        return AllowedHosts.parse(text)
    except ValueError as error:
        if text.replace(",", "").strip():
            wanted = 'should be host names or "*.domain" by comma, without scheme, port or path'
        else:
            wanted = "should name at least one host, such as web.whatsapp.com,*.whatsapp.net"
        raise ValueError(wanted) from error


def page_host(url: str) -> str:
    """Return the host of the page's address.

    :raises ValueError: it is no https address with a host.
    """
    wanted = "should be an https:// address with a host, such as https://web.whatsapp.com/"
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.port != 0
    except ValueError as error:
        raise ValueError(wanted) from error
    if not sound or not parts.hostname:
        raise ValueError(wanted)
    return parts.hostname
