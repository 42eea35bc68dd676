"""A stand-in for one test: on loopback, with free ports, its own certificate authority and its own phone.

    async with StandIn.start(mode=Mode.LEGACY) as standin:
        …open standin.page_url with a browser that trusts standin.ca_file…
        device = await standin.phone.scan(text_of_the_qr_code)

Chromium resolves every name under `.localhost` to loopback by itself; nothing in /etc/hosts is needed.
"""

import contextlib
import dataclasses
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from standin.certificates import Certificates, make_certificates
from standin.client import PhoneClient
from standin.server import Server, ServerSettings
from standin.settings import Mode, Timing

__all__ = ["LOCAL_STATIC_HOST", "LOCAL_WEB_HOST", "StandIn", "local_certificates"]

LOCAL_WEB_HOST = "web.standin.localhost"
LOCAL_STATIC_HOST = "static.standin.localhost"
LOCAL_HOSTS = (LOCAL_WEB_HOST, LOCAL_STATIC_HOST)


def local_certificates(directory: Path) -> Certificates:
    """Make the files for stand-ins on this machine."""
    return make_certificates(hosts=LOCAL_HOSTS, directory=directory)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandIn:
    """What a test needs to know about its stand-in."""

    mode: Mode
    page_url: str
    """ Ends with a slash, as WHATSAPP_WEB_URL does. """
    allowed_hosts: tuple[str, ...]
    """ Every host the page needs; join with commas for ALLOWED_HOSTS. """
    ca_file: Path
    """ PEM certificate of the authority to trust; also EXTRA_CA_FILE. """
    phone: PhoneClient

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls,
        *,
        mode: Mode | str = Mode.LEGACY,
        timing: Timing | None = None,
        state_dir: Path | None = None,
        certificates: Certificates | None = None,
    ) -> AsyncIterator["StandIn"]:
        """Run a stand-in for the time of the block.

        Give `certificates` (see `local_certificates`) when one browser, which trusts its authorities from its start,
        visits several stand-ins.
        """
        token = secrets.token_urlsafe(16)
        with contextlib.ExitStack() as stack:
            if certificates is None:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="standin-"))
                certificates = local_certificates(Path(folder))
            server = Server(
                ServerSettings(
                    mode=Mode(mode),
                    web_host=LOCAL_WEB_HOST,
                    static_host=LOCAL_STATIC_HOST,
                    token=token,
                    certificates=certificates,
                    timing=timing or Timing(),
                    state_dir=state_dir,
                )
            )
            await server.start()
            try:
                async with PhoneClient(url=f"http://127.0.0.1:{server.phone_port}", token=token) as phone:
                    yield cls(
                        mode=Mode(mode),
                        page_url=f"https://{LOCAL_WEB_HOST}:{server.https_port}/",
                        allowed_hosts=LOCAL_HOSTS,
                        ca_file=certificates.ca,
                        phone=phone,
                    )
            finally:
                await server.stop()
