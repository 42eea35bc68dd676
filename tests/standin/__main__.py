"""`python -m standin`: the stand-in as a process of its own, in a pod behind two Services or on a developer's machine.

    python -m standin certificates --out tls --hosts web.standin.localhost,static.standin.localhost
    python -m standin --mode legacy --token-file token --tls-dir tls

It writes nothing but --state-dir, so a read-only root file system and any user will do. SIGTERM ends it cleanly.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from standin.certificates import Certificates, make_certificates
from standin.harness import LOCAL_STATIC_HOST, LOCAL_WEB_HOST
from standin.server import Server, ServerSettings
from standin.settings import Mode, Timing

logger = logging.getLogger("standin")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if arguments[:1] == ["certificates"]:
        return _certificates(arguments[1:])
    options = _parser().parse_args(arguments)
    certificates = Certificates.inside(options.tls_dir)
    for path in (certificates.certificate, certificates.key, options.token_file):
        if not path.is_file():
            hint = "make the TLS files with `python -m standin certificates`; the token file holds any secret text"
            logger.error("a file is missing: %s (%s)", path, hint)
            return 2
    token = options.token_file.read_text().strip()
    if not token:
        logger.error("the token file is empty: %s", options.token_file)
        return 2
    defaults = Timing()
    timing = Timing(
        first_ref=options.first_ref_ttl or defaults.first_ref,
        next_ref=options.ref_ttl or defaults.next_ref,
        first_sync=options.first_sync,
        backoff_base=options.backoff_base,
    )
    settings = ServerSettings(
        mode=options.mode,
        web_host=options.web_host,
        static_host=options.static_host,
        token=token,
        certificates=certificates,
        listen=options.listen,
        https_port=options.https_port,
        phone_port=options.phone_port,
        timing=timing,
        state_dir=options.state_dir,
    )
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: ServerSettings) -> None:
    server = Server(settings)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await server.start()
    logger.info(
        "the stand-in serves %s pages for https://%s/ on port %s, the phone on port %s",
        settings.mode,
        settings.web_host,
        server.https_port,
        server.phone_port,
    )
    await ended.wait()
    await server.stop()


def _certificates(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="standin certificates", description="Make a CA and a server certificate.")
    parser.add_argument("--out", type=Path, required=True, help="folder for ca.crt, tls.crt and tls.key")
    parser.add_argument("--hosts", required=True, help="comma-separated host names")
    options = parser.parse_args(arguments)
    hosts = [host.strip() for host in options.hosts.split(",") if host.strip()]
    make_certificates(hosts=hosts, directory=options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="standin", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.LEGACY)
    parser.add_argument("--listen", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--web-host", default=LOCAL_WEB_HOST, help="host name of the document")
    parser.add_argument("--static-host", default=LOCAL_STATIC_HOST, help="host name of scripts and styles")
    parser.add_argument("--https-port", type=int, default=8443, help="port of both page hosts")
    parser.add_argument("--phone-port", type=int, default=9080, help="port of the phone's API (plain HTTP)")
    parser.add_argument("--token-file", type=Path, required=True, help="file with the phone's bearer token")
    parser.add_argument("--tls-dir", type=Path, required=True, help="folder with ca.crt, tls.crt and tls.key")
    parser.add_argument("--state-dir", type=Path, help="folder that keeps the list of devices over a restart")
    parser.add_argument("--first-ref-ttl", type=float, help="seconds the first QR code of a round lasts (60)")
    parser.add_argument("--ref-ttl", type=float, help="seconds each further QR code lasts (20)")
    parser.add_argument("--first-sync", type=float, default=0.3, help="seconds of the first synchronisation")
    parser.add_argument("--backoff-base", type=float, default=1.0, help="seconds before the first reconnect")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
