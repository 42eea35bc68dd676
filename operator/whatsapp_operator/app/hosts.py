"""Which hosts the page may reach, and whether the page itself is on one of them.

`settings` checks this at the start: with a list that the runners reject, every session would end with BadConfiguration.
The list is checked by the runner's own code; the page's address more strictly than by the runner, which allows a page
on the same machine without https.
"""

from urllib.parse import urlsplit

from session_protocol.hosts import AllowedHosts


def allowed_hosts(text: str) -> AllowedHosts:
    """Read a comma list of host names and `*.domain`.

    :raises ValueError: it names no host, or an invalid one; the message shows what to write.
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

    :raises ValueError: it is not an https address with a host.
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
