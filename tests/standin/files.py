"""Files between page and server, on the static host: up by POST, down by links that expire, always in pieces."""

from aiohttp import web

from standin.exchange import Exchange
from standin.media import LARGEST, Upload

__all__ = ["Files"]

_PIECE = 256 * 1024
# The page's scripts come from the other host, so what it fetches here is fetched with CORS.
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


class Files:
    """The handlers of the static host's `/media`."""

    def __init__(self, exchange: Exchange) -> None:
        self._media = exchange.account.media

    async def up(self, request: web.Request) -> web.Response:
        """Take a file; answer by what name a message refers to it, and under which link it can be had."""
        upload = Upload()
        async for piece in request.content.iter_chunked(_PIECE):
            upload.add(piece)
            if upload.size > LARGEST:
                raise web.HTTPRequestEntityTooLarge(max_size=LARGEST, actual_size=upload.size, headers=_HEADERS)
        medium = self._media.uploaded(upload)
        link = self._media.link(medium.identifier) or f"/media/{medium.identifier}-large"
        answer = {"media": medium.identifier, "size": medium.size, "sha256": medium.sha256, "link": link}
        return web.json_response(answer, headers=_HEADERS)

    async def down(self, request: web.Request) -> web.StreamResponse:
        """Give a file by its link; 410 once the link has expired."""
        medium = self._media.at(request.match_info["link"])
        if medium is None:
            return web.Response(status=410, text="This link has expired.", headers=_HEADERS)
        response = web.StreamResponse(headers={**_HEADERS, "Content-Length": str(medium.size)})
        await response.prepare(request)
        for piece in medium.pieces():
            await response.write(piece)
        await response.write_eof()
        return response
