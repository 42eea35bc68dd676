"""The JavaScript that runs in the page, read from the files beside this one.

`init_script` is one text in a fixed order, because the order between several init scripts is not promised anywhere:
the settings of wa-js, wa-js itself (vendored, unmodified, see `wa_js`) with a clock of its own (`settling.js`), then our
bridge and what stands on it.
"""

import functools
from importlib import resources

BINDING = "__sessionWake"
""" The function that the bridge calls. """
WA_JS_SHA256 = "5bfb88027f14a4d8c9e319374e8bb4083201906881cf8c74f75789b32e4106bd"


@functools.cache
def script(name: str) -> str:
    """Return one of our scripts; those that are called again and again are read once."""
    return (resources.files(__name__) / name).read_text()


def wa_js() -> str:
    """Return the vendored wa-js library."""
    return (resources.files("session_runner.page.wa_js") / "wppconnect-wa.js").read_text()


def init_script() -> str:
    """Return all that runs at document start, before the page's own code."""
    ours = (
        "bridge",
        "modules",
        "restrictions",
        "screen",
        "refusals",
        "passkey",
        "pairing",
        "storage",
        "windows",
        "messages",
        "finders",
        "sends",
        "files",
        "forwards",
        "inbox",
        "calls",
        "contact_presence",
        "hidden",
    )
    library = f"(function (Date) {{\n{wa_js()}\n}})({script('settling.js')})"
    return ";\n".join([script("config.js"), library, *(script(f"{name}.js") for name in ours)])
