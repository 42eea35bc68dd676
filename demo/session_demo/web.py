"""Small HTTP calls to the two things the demo reaches through port-forward: a session's runner and the phone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from session_demo.errors import DemoError, PhoneRefused


class NoAnswer(DemoError):
    """Nobody answered at the forwarded port."""


def call(url: str, *, token: str, body: Mapping[str, Any] | None = None, timeout: float = 15) -> Any:
    """GET, or POST when there is a body; returns the JSON answer. Raises NoAnswer or PhoneRefused."""
    request = urllib.request.Request(  # noqa: S310 -- the URL is a forwarded port on loopback
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(500).decode(errors="replace")
        raise PhoneRefused(f"{error.code} for {request.get_method()} {request.selector}: {said}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"no answer from {request.selector}: {error}") from error
