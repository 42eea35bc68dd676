"""What the two hosts serve: the document under its strict policy, the scripts and styles from the other host.

The host name decides: the web host gives the document, the socket and two small questions of the page; the static host
gives the files of page/ under a name that contains their digest, so that a browser may cache them for ever, and takes
and gives the files of messages. Any other host name gets 421. The static host's address carries the port of the question, so Services may map ports as they like.
"""

import asyncio
import contextlib
import hashlib
import json
import secrets
from pathlib import Path
from string import Template

import segno
from aiohttp import web

from standin.exchange import Exchange
from standin.files import Files
from standin.loads import LoadLedger
from standin.settings import Language, Mode, QrForm, Variant
from standin.sockets import Switchboard
from standin.windows import Windows

__all__ = ["Documents"]

_PAGE = Path(__file__).parent / "page"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_LONGEST_QR_TEXT = 2000


class Documents:
    """The web host and the static host as one aiohttp application."""

    def __init__(
        self,
        *,
        mode: Mode,
        web_host: str,
        static_host: str,
        exchange: Exchange,
        loads: LoadLedger,
        switchboard: Switchboard,
        windows: Windows,
    ) -> None:
        self.variant = Variant.NORMAL
        self.qr_form = QrForm.PLAIN
        self.language = Language.ENGLISH
        self.heavy = 0
        """ MB of heap and rows that the page carries, for benchmarks. """
        self._delay = 0.0
        self._delay_changed = asyncio.Event()
        self._mode = mode
        self._web_host = web_host
        self._static_host = static_host
        self._exchange = exchange
        self._file_transfer = Files(exchange)
        self._loads = loads
        self._switchboard = switchboard
        self._windows = windows
        self._files = {path.name: path.read_bytes() for path in sorted(_PAGE.iterdir()) if path.suffix in _TYPES}
        self._digest = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:16]

    def app(self) -> web.Application:
        """Build the application; both hosts share the listening port."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/", self._document)
        app.router.add_get("/ws/chat", self._socket)
        app.router.add_get("/ws/window", self._window)
        app.router.add_get("/check-online", self._check_online)
        app.router.add_post("/qr-matrix", self._qr_matrix)
        app.router.add_get("/assets/{digest}/{name}", self._asset)
        app.router.add_post("/media", self._upload)
        app.router.add_get("/media/{link}", self._download)
        return app

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _document(self, request: web.Request) -> web.Response:
        self._require(request, self._web_host)
        variant = self.variant
        if variant is Variant.NORMAL and "HeadlessChrome" in request.headers.get("User-Agent", ""):
            variant = Variant.UNSUPPORTED  # the real page's own gate
        load = self._loads.record(variant=variant)
        await self._arrival()
        if variant is Variant.UNAVAILABLE:
            return web.Response(status=503, text="Service Unavailable", headers={"Cache-Control": "no-store"})
        nonce = secrets.token_urlsafe(16)
        static = f"https://{self._static_host}{_port_suffix(request)}"
        config = {
            "mode": self._mode,
            "load": load,
            "qrForm": self.qr_form,
            "language": self.language,
            "heavy": self.heavy,
            "timing": self._exchange.timing.for_page(),
        }
        name = "unsupported.html" if variant is Variant.UNSUPPORTED else "index.html"
        script = "splash.js" if variant is Variant.SPLASH else "main.js"
        supported = {Language.ENGLISH: "works with", Language.GERMAN: "funktioniert mit"}[self.language]
        html = Template((_PAGE / name).read_text()).substitute(
            nonce=nonce,
            language=self.language,
            assets=f"{static}/assets/{self._digest}",
            script=script,
            supported=supported,
            config=json.dumps(config).replace("&", "&amp;").replace("'", "&#39;"),
        )
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": _policy(nonce=nonce, static=static, web=f"{request.host}"),
            "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=html, content_type="text/html", headers=headers)

    def set_delay(self, seconds: float) -> None:
        """Let documents take so long to arrive, also those that are on their way."""
        self._delay = seconds
        self._delay_changed.set()
        self._delay_changed = asyncio.Event()

    async def _arrival(self) -> None:
        """Wait until the document has been on its way for as long as it has to be by then."""
        asked = asyncio.get_running_loop().time()
        while (left := asked + self._delay - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._delay_changed.wait(), left)

    async def _asset(self, request: web.Request) -> web.Response:
        self._require(request, self._static_host)
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound(text=f"No file {name} is served here.")
        headers = {
            # Module scripts from another origin are fetched with CORS.
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(
            body=self._files[name], content_type=_TYPES[Path(name).suffix], charset="utf-8", headers=headers
        )

    async def _upload(self, request: web.Request) -> web.Response:
        self._require(request, self._static_host)
        return await self._file_transfer.up(request)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self._require(request, self._static_host)
        return await self._file_transfer.down(request)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._require(request, self._web_host)
        return await self._switchboard.handle(request)

    async def _window(self, request: web.Request) -> web.StreamResponse:
        self._require(request, self._web_host)
        return await self._windows.handle(request)

    async def _check_online(self, request: web.Request) -> web.Response:
        """Answer what a page finds out about its network: 204, or 503 while its device was taken offline."""
        self._require(request, self._web_host)
        status = 204 if self._exchange.online(request.query.get("device")) else 503
        return web.Response(status=status, headers={"Cache-Control": "no-store"})

    async def _qr_matrix(self, request: web.Request) -> web.Response:
        """Turn a text into the rows of a QR picture. The real page draws by itself; ours leaves it to segno."""
        self._require(request, self._web_host)
        text = (await request.read()).decode()
        if not 0 < len(text) <= _LONGEST_QR_TEXT:
            raise web.HTTPBadRequest(text=f"The text must have 1 to {_LONGEST_QR_TEXT} characters.")
        matrix = segno.make_qr(text, error="L").matrix
        return web.json_response(["".join("1" if cell else "0" for cell in row) for row in matrix])

    def _require(self, request: web.Request, host: str) -> None:
        asked = request.host.partition(":")[0]
        if asked != host:
            raise web.HTTPMisdirectedRequest(text=f"{request.path} is served by {host}, not by {asked}.")


def _port_suffix(request: web.Request) -> str:
    port = request.host.partition(":")[2]
    return f":{port}" if port else ""


def _policy(*, nonce: str, static: str, web: str) -> str:
    """Write the content security policy: scripts by nonce alone; no inline script, no eval, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src {static}",
            f"connect-src 'self' wss://{web} {static}",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
