"""What a session's runner tells and does for whoever administers it, over its forwarded port: dead letters of webhooks.

`sessions.py` opens the port with kubectl. The runner's answers are not trusted: what does not fit raises RunnerRefused.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from kubectl_whatsapp.errors import RunnerRefused
from kubectl_whatsapp.runner import TIMEOUT, ask
from kubectl_whatsapp.views import read_time

__all__ = ["MOST_LISTED", "Administration", "DeadLetter"]

MOST_LISTED: Final = 100
""" Dead letters that a runner lists: the newest. """
_VERSION: Final = "it may be of another version"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """An event that a webhook did not take, and that is not sent again by itself."""

    identifier: str
    webhook: str
    kind: str
    tries: str
    died: datetime | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class Administration:
    """A runner behind a local port, with the token for administering."""

    port: int
    token: str

    def dead_letters(self, webhook: str | None) -> list[DeadLetter]:
        """Return the newest dead letters of a webhook, or of all.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        query = "" if webhook is None else f"?webhook={quote(webhook, safe='')}"
        found = self._ask("GET", f"/v1/dead-letters{query}").get("deadLetters")
        if not isinstance(found, list) or not all(isinstance(letter, dict) for letter in found):
            raise RunnerRefused(f"the runner answered without dead letters: {_VERSION}")
        return [_dead_letter(letter) for letter in found[:MOST_LISTED]]

    def redrive(self, webhook: str | None) -> int:
        """Have the dead letters of a webhook, or of all, sent again; return how many there are.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        wanted = {} if webhook is None else {"webhook": webhook}
        count = self._ask("POST", "/v1/dead-letters/redrive", json.dumps(wanted)).get("redriven")
        if type(count) is not int or count < 0:
            raise RunnerRefused(f"the runner did not say how many are sent again: {_VERSION}")
        return count

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        answer = ask(self.port, method, path, token=self.token, within=TIMEOUT, body=body, none=HTTPStatus.NOT_FOUND)
        if answer is None:
            raise RunnerRefused("the runner knows no webhooks: it is of an older version")
        return answer


def _dead_letter(letter: dict[str, Any]) -> DeadLetter:
    return DeadLetter(
        identifier=str(letter.get("id", "")),
        webhook=str(letter.get("webhook", "")),
        kind=str(letter.get("type", "")),
        tries=str(letter.get("tries", "")),
        died=read_time(letter.get("deadTime")),
        problem=str(letter.get("problem", "")),
    )
