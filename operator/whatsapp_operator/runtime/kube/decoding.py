"""Reads the API server's answers: in a bounded size, and without holding the event loop for the length of a list.

Parsing JSON is one call of C code that nothing interrupts, and a thread would not help, since it keeps the interpreter to
itself. A list's items are therefore only cut out first, which is thirty times as fast, and then parsed one by one with
breaks for whatever else waits. How large an answer may be is the request's to say: `client` asks for smaller pages when
one is too large.
"""

import asyncio
from typing import Any, Final

import aiohttp
import msgspec

from whatsapp_operator.runtime.kube.errors import AnswerTooLarge, Unreachable

SLICE_BYTES: Final = 64 * 1024
""" What is parsed without a break; some milliseconds. """


class _List(msgspec.Struct):
    """A list's answer; all other answers have no items."""

    items: list[msgspec.Raw] | None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


_LISTS: Final = msgspec.json.Decoder(_List)


async def read_body(response: aiohttp.ClientResponse, *, at_most: int) -> bytes:
    """Return the body.

    :raises AnswerTooLarge: it has more bytes; the connection is closed.
    """
    text = bytearray()
    async with response:  # it is closed if not all of it is read
        async for chunk in response.content.iter_any():
            text += chunk
            if len(text) > at_most:
                raise AnswerTooLarge(f"the API server's answer has more than {at_most} bytes")
    return bytes(text)


async def decode(text: bytes, *, status: int) -> dict[str, Any]:
    """Return the body as JSON.

    :raises Unreachable: it is none, such as the page of a proxy, which counts as no answer of the API server.
    """
    try:
        body = await _parsed(text) if text else {}
    except (ValueError, RecursionError) as error:
        if status >= 400:
            return {"message": text[:200].decode(errors="replace")}
        raise Unreachable("the answer is not JSON") from error
    return body if isinstance(body, dict) else {"message": str(body)[:200]}


async def _parsed(text: bytes) -> Any:
    if len(text) <= SLICE_BYTES:
        return msgspec.json.decode(text)
    try:
        found = _LISTS.decode(text)
    except msgspec.ValidationError:  # one object, which the API server bounds
        return msgspec.json.decode(text)
    items, parsed = [], 0
    for raw in found.items or ():
        items.append(msgspec.json.decode(raw))
        parsed += len(memoryview(raw))
        if parsed > SLICE_BYTES:
            await asyncio.sleep(0)
            parsed = 0
    return {"metadata": found.metadata, "items": items}
