"""How the browser is started: flags, user agent, environment.

`browser.open_browser` calls this. The flags are few and each has its reason; what Playwright already passes is not
repeated, but for its list of features, which ours replaces; its list of disabled ones is left alone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from session_protocol.hosts import AllowedHosts

VIEWPORT_WIDTH, VIEWPORT_HEIGHT = 1024, 768
SHARED_MEMORY_NEEDED = 96 * 1024 * 1024
""" Bytes. A container's default of 64 MiB is too little for a heavy page. """
FEATURES = (
    # Playwright's own: a second list replaces the first, so they are said again (tests/runner/test_page.py).
    "CDPScreenshotNewSurface",
    "SkipListAccountsWithoutGaiaCookies",
    # One process less, 10 MB of a session. The host rule holds there too, and a browser that loses its network would
    # have to end anyway.
    "NetworkServiceInProcess2",
)


@dataclass(frozen=True, kw_only=True)
class LaunchPlan:
    """How to start the browser."""

    executable: Path
    user_data: Path
    cache_dir: Path
    allowed_hosts: AllowedHosts
    user_agent: str
    sandbox: bool = False
    """ Whether Chromium puts the page into a sandbox of its own: namespaces, an empty root, seccomp filters. """
    relay_port: int | None = None
    """ Of the relay to the session's proxy, on loopback; None: there is no proxy. """
    language: str | None = None
    """ A BCP 47 tag; None: English, in which the probe knows the page's texts. """
    time_zone: str | None = None
    """ A name of IANA's database; None: the container's. """

    @property
    def arguments(self) -> list[str]:
        """The command-line flags in addition to Playwright's."""
        return [
            f"--user-agent={self.user_agent}",  # as a flag it holds for workers, too
            *self._way_out,
            # WebRTC sends UDP to addresses without asking the resolver. This leaves it no UDP, and its TCP asks. The
            # switch without "force" is a preference's default, which the headless shell does not read.
            "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
            f"--disk-cache-dir={self.cache_dir / 'http'}",  # off the profile volume
            f"--enable-features={','.join(FEATURES)}",
            "--lang=en-US",  # the probe knows the page's texts in English
            "--block-new-web-contents",  # a second page of this profile would take the session over
            "--disable-gpu",
            "--disable-software-rasterizer",
            # Two processes instead of five, 10 MB of a session: each program that is started anew fills 6 MB with its
            # own relocations, and the zygotes save none, as there is one page. The sandbox needs one of the two: the
            # page's process comes from it, in its namespaces. The other one would only start helpers, of which none
            # are left here.
            "--in-process-gpu",
            "--no-unsandboxed-zygote" if self.sandbox else "--no-zygote",
            "--renderer-process-limit=1",
        ]

    @property
    def _way_out(self) -> tuple[str, ...]:
        if self.relay_port is None:
            # A proxy would resolve names itself, past the rule.
            return (f"--host-resolver-rules={self.allowed_hosts.resolver_rules}", "--no-proxy-server")
        # The relay lets the allowed hosts through and no other. The browser itself resolves nothing but the relay: what
        # would not go by way of it, such as a name that is looked up ahead of a request, gets nowhere and tells nobody.
        relay = "127.0.0.1"
        return (
            f"--host-resolver-rules={AllowedHosts((relay,)).resolver_rules}",
            f"--proxy-server=socks5://{relay}:{self.relay_port}",
            "--proxy-bypass-list=<-loopback>",  # loopback and link-local addresses, too, which Chromium leaves out
        )


def unwanted_defaults(*, shared_memory: int) -> list[str]:
    """Return the flags of Playwright to leave out; `shared_memory` is the size of /dev/shm in bytes."""
    flags = ["--enable-unsafe-swiftshader"]  # software WebGL, which the page does not need, costs 10 MB
    if shared_memory >= SHARED_MEMORY_NEEDED:
        flags.append("--disable-dev-shm-usage")  # would put it into files below /tmp, which get written to a disk
    return flags


def shared_memory_size(path: str = "/dev/shm") -> int:  # noqa: S108 -- only measured
    """Return the size of the shared memory file system in bytes, 0 where there is none."""
    try:
        found = os.statvfs(path)
    except OSError:
        return 0
    return found.f_blocks * found.f_frsize


def user_agent(version: str) -> str:
    """Return the browser's user agent without "Headless", which WhatsApp rejects; `version` is "156.0.7204.49"."""
    # Chromium itself tells only the major version here.
    return (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version.partition('.')[0]}.0.0.0 Safari/537.36"
    )
