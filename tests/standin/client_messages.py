"""The part of the phone for Python callers that concerns messages, people, files and history."""

from collections.abc import Sequence
from typing import Any

__all__ = ["MessagesClient"]


class MessagesClient:
    """What `PhoneClient` can do about messages. Keywords are the fields of the call's body, as documented there."""

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        raise NotImplementedError

    async def _command(self, device: str, name: str, body: dict[str, Any] | None = None) -> None:
        raise NotImplementedError

    async def messages(self, device: str) -> list[dict[str, Any]]:
        """List every arrival of what the device's page sent: id, arrival, to, t (epoch seconds), kind, body and so on."""
        return list((await self._call("GET", f"/phone/{device}/messages"))["messages"])

    async def signals(self, device: str) -> list[dict[str, Any]]:
        """List what the page said that is no message: read marks, typing, rejected calls."""
        return list((await self._call("GET", f"/phone/{device}/signals"))["signals"])

    async def lookups(self, device: str) -> list[str]:
        """List whom the page asked the server about."""
        return list((await self._call("GET", f"/phone/{device}/lookups"))["lookups"])

    async def send(self, device: str, text: str, **more: Any) -> None:
        """Send a message to the device; `from`, or `to` for the owner's own, `id`, `t`, `type`, `data` (base64), `size`."""
        await self._command(device, "send", {"text": text, **more})

    async def fill(self, device: str, text: str, *, identifier: str, **more: Any) -> None:
        """Send the content of a message that came as ciphertext."""
        await self._command(device, "fill", {"text": text, "id": identifier, **more})

    async def edit(self, device: str, target: str, text: str, **more: Any) -> None:
        """Change a message of `from`, or with `to` the owner's own."""
        await self._command(device, "edit", {"target": target, "text": text, **more})

    async def revoke(self, device: str, target: str, **more: Any) -> None:
        """Take a message back for everyone."""
        await self._command(device, "revoke", {"target": target, **more})

    async def react(self, device: str, target: str, emoji: str, **more: Any) -> None:
        """React to a message; `mine` if the device's owner wrote it."""
        await self._command(device, "react", {"target": target, "emoji": emoji, **more})

    async def receipt(self, device: str, *, level: int, ids: Sequence[str] = ()) -> None:
        """Receipt what the page sent: 2 delivered, 3 read, 4 played; all messages when no ids are given."""
        await self._command(device, "receipt", {"level": level, "ids": list(ids)})

    async def acks(self, device: str, mode: str, *, seconds: float = 0, code: int = 463) -> None:
        """Choose the server's answer to messages: given, withheld, late or refused."""
        await self._command(device, "acks", {"mode": mode, "seconds": seconds, "code": code})

    async def presence(self, device: str, state: str, **more: Any) -> None:
        """Let somebody be seen composing, recording, paused, available or unavailable."""
        await self._command(device, "presence", {"state": state, **more})

    async def call(self, device: str, **more: Any) -> None:
        """Let somebody call; `from`, `id`, `video`, `ended`."""
        await self._command(device, "call", more)

    async def add_people(self, *people: dict[str, Any]) -> None:
        """Tell who is there: number, lid, spellings, whatsapp, lookup, byLid, hidden, about, picture (base64)."""
        await self._call("POST", "/phone/people", {"people": list(people)})

    async def add_history(self, *messages: dict[str, Any]) -> None:
        """Give the phone messages from before the next linking; fields as for `send`, the text as `text`."""
        await self._call("POST", "/phone/history", {"messages": list(messages)})

    async def expire_media(self, *, gone: bool = False) -> int:
        """End all links to files; with `gone` there will be no new ones."""
        return int((await self._call("POST", "/phone/media-expire", {"gone": gone}))["links"])
