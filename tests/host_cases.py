"""Which hosts a list allows, and which pages go with which list: cases that everybody who judges must judge alike.

The rule is written once in Python; but operator and runner read it from settings of their own, and what counts in the
end is the browser's own resolver. The operator's settings, the runner's settings and a real Chromium are each held to these tables.
"""

from typing import NamedTuple

ALLOWED = "*.chat.localhost, Page.localhost,127.0.0.3"
""" Names below localhost, so that a browser finds them without a name server. """


class Case(NamedTuple):
    """A host as it stands in an address, and whether ALLOWED lets the browser talk to it."""

    host: str
    expected: bool


HOSTS = (
    Case("web.chat.localhost", expected=True),
    Case("a.b.chat.localhost", expected=True),
    Case("WEB.Chat.localhost", expected=True),
    Case("page.localhost", expected=True),
    Case("127.0.0.3", expected=True),
    Case("chat.localhost", expected=False),
    Case("evilchat.localhost", expected=False),
    Case("web.chat.localhost.evil.localhost", expected=False),
    Case("web.chat.localhost.", expected=False),
    Case("x.page.localhost", expected=False),
    Case("localhost", expected=False),
    Case("127.0.0.1", expected=False),
    Case("127.0.0.2", expected=False),
)


class Page(NamedTuple):
    """A page's address and a list of hosts; `wrong` is the variable that a refusal names, None when there is none."""

    url: str
    allowed: str
    wrong: str | None


PAGES = (
    Page("https://web.whatsapp.com/", "*.whatsapp.com,*.whatsapp.net", None),
    Page("https://web.whatsapp.com/", " web.whatsapp.com , static.whatsapp.net", None),
    Page("https://WEB.whatsapp.com:8443/x?y#z", "web.WhatsApp.com", None),
    Page("https://web.shop.svc/", "web.shop.svc,static.shop.svc", None),
    Page("https://127.0.0.3:8443/", "127.0.0.3", None),
    Page("https://web.whatsapp.com/", "*.whatsapp.net", "ALLOWED_HOSTS"),
    Page("https://whatsapp.com/", "*.whatsapp.com", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com.evil.org/", "*.whatsapp.com", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com@evil.org/", "*.whatsapp.com", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com./", "*.whatsapp.com", "ALLOWED_HOSTS"),
    Page("https://[::1]/", "*.whatsapp.com", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", "", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", " , ", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", "*", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", "https://web.whatsapp.com/", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", "web.whatsapp.com:443", "ALLOWED_HOSTS"),
    Page("https://web.whatsapp.com/", "web.whatsapp.com, MAP * 10.0.0.1", "ALLOWED_HOSTS"),
    Page("http://web.whatsapp.com/", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("web.whatsapp.com", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("https:///path", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("https://", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("https://web.whatsapp.com:port/", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("https://web.whatsapp.com:70000/", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
    Page("https://[web.whatsapp.com/", "*.whatsapp.com", "WHATSAPP_WEB_URL"),
)
