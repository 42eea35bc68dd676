"""Every public method of pywa's client, called with what it needs, and what came of it.

What a method needs is filled in by the names of its parameters, so that a newer pywa's methods are called, too; one with a
parameter of a new name fails the test until there is a value for it.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from pywa.client import WhatsApp
from pywa.errors import WhatsAppError
from pywa.types.callback import ImageCarouselCard
from pywa.types.calls import SessionDescription
from pywa.types.others import Contact, ProductsSection
from pywa.types.templates import LibraryTemplate, TemplateCategory, TemplateLanguage
from support.runner_parts import PHONE
from unit.runner.messaging_harness import FRIEND
from unit.runner.test_media_types import FILES

THEIRS: Final = "3AF0"
""" The id of a message that somebody else wrote. """
LOCAL: Final = re.compile(
    r"on_\w+|webhook_\w+|(add|remove|load)_(flow_request_)?(handlers?|callbacks|handlers_modules)|get_flow_request_handler"
    r"|(stop_)?listen(ing)?|run"
)
""" What sends nothing: it handles the webhooks that the client's own server gets. """
_DAY: Final = datetime(2026, 11, 30, tzinfo=UTC)
_LINK: Final = "https://example.com/a"
_VALUES: Final[dict[str, Any]] = {
    "app_access_token": "token",
    "app_secret": "secret",
    "audio": FILES["audio/ogg"],
    "body": "Body",
    "callback_url": _LINK,
    "call_id": "1",
    "cards": [ImageCarouselCard(image="1", buttons=[])],
    "catalog_id": "1",
    "categories": ["OTHER"],
    "chat_id": FRIEND,
    "code": "1",
    "code_method": "SMS",
    "confirmation_message": "Yes",
    "contact": Contact(name=Contact.Name(formatted_name="Ada", first_name="Ada"), phones=[Contact.Phone(phone=FRIEND)]),
    "country_calling_code": "1",
    "document": b"text",
    "emoji": "👍",
    "end": _DAY,
    "expiration_days": 1,
    "fields": ["messages"],
    "flow_json": {"version": "1"},
    "granularity": "DAY",
    "image": FILES["image/jpeg"],
    "language_code": "en",
    "languages": [TemplateLanguage.ENGLISH],
    "latitude": 1.5,
    "longitude": 2.5,
    "media": b"text",
    "message": "Hello",
    "message_id": THEIRS,
    "metric_name": "ENDPOINT_AVAILABILITY",
    "name": "name",
    "new_display_name": "Name",
    "otp_button": {},
    "participants": [FRIEND],
    "from_user": FRIEND,
    "phone_number": FRIEND,
    "pin": "000000",
    "prefilled_message": "Hello",
    "privacy_policy_url": _LINK,
    "product_sections": [ProductsSection(title="Title", skus=["1"])],
    "profile_picture": FILES["image/jpeg"],
    "public_key": "key",
    "request_ids": ["1"],
    "sdp": SessionDescription(sdp="v=0", sdp_type="offer"),
    "sku": "1",
    "source_flow_names": ["name"],
    "start": _DAY,
    "sticker": FILES["image/webp"],
    "subject": "Subject",
    "template": LibraryTemplate(
        name="name", library_template_name="name", category=TemplateCategory.UTILITY, language=TemplateLanguage.ENGLISH
    ),
    "template_ids": ["1"],
    "template_name": "name",
    "text": "Hello",
    "title": "Title",
    "to": FRIEND,
    "username": "name",
    "users": [FRIEND],
    "verified_name": "Name",
    "verify_token": "token",
    "video": FILES["video/mp4"],
    "voice": FILES["audio/ogg"],
}
_ALSO: Final[dict[str, dict[str, Any]]] = {
    "send_audio": {"mime_type": "audio/ogg"},
    "send_document": {"mime_type": "text/plain", "filename": "a.txt"},
    "send_image": {"mime_type": "image/jpeg"},
    "send_sticker": {"mime_type": "image/webp"},
    "send_template": {"name": "name", "language": TemplateLanguage.ENGLISH, "params": []},
    "send_video": {"mime_type": "video/mp4"},
    "send_voice": {"mime_type": "audio/ogg"},
    "update_business_profile": {"about": "About"},
    "update_commerce_settings": {"is_cart_enabled": True},
    "update_flow_metadata": {"name": "name"},
    "update_template": {"new_category": "UTILITY"},
    "upload_media": {"mime_type": "text/plain", "filename": "a.txt"},
}
""" What is optional by the signature and not by the method. """


@dataclass(frozen=True, order=True)
class Outcome:
    """What came of a call."""

    kind: str
    code: int | None = None
    why: str = ""


WORKS: Final = Outcome("works")
ELSEWHERE: Final = Outcome("asks Meta", None, "Its address is built into pywa.")
BROKEN: Final = Outcome("broken", None, "pywa raises TypeError before it asks.")


class ElsewhereError(Exception):
    """A request to another host than the runner."""


def methods() -> list[str]:
    """The names of the methods that ask something of the API."""
    public = [name for name, _ in inspect.getmembers(WhatsApp, callable) if not name.startswith("_")]
    return [name for name in public if not LOCAL.fullmatch(name)]


def outcome(client: WhatsApp, name: str) -> Outcome:
    """Call a method."""
    method = getattr(client, name)
    try:
        given, named = _arguments(name, inspect.signature(method).parameters.values(), client)
        answer = method(*given, **named)
        if inspect.isgenerator(answer):
            list(answer)
    except ElsewhereError:
        return ELSEWHERE
    except TypeError as error:
        if "positional argument" not in str(error):
            raise
        return BROKEN
    except WhatsAppError as error:
        why = error.details or ""
        if PHONE in why:
            why = "There is no such object, or nothing of the kind can be done with it."
        return Outcome("not built" if "not built" in why else "refused", error.code, why)
    except httpx.HTTPStatusError as error:
        return Outcome("refused", error.response.status_code)
    return WORKS


def guard(client: WhatsApp) -> None:
    """Let no request go to another host than the client's base URL."""
    own = client.api._session.base_url.host

    def check(request: httpx.Request) -> None:
        if request.url.host != own:
            raise ElsewhereError

    client.api._session.event_hooks = {"request": [check]}


def _arguments(
    name: str, parameters: Iterable[inspect.Parameter], client: WhatsApp
) -> tuple[list[Any], dict[str, Any]]:
    given: list[Any] = []
    named = dict(_ALSO.get(name, {}))
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            given.append("2")
        elif (
            parameter.kind is parameter.VAR_KEYWORD
            or parameter.default is not parameter.empty
            or parameter.name in named
        ):
            continue
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            given.append(_value(parameter.name, client))
        else:
            named[parameter.name] = _value(parameter.name, client)
    return given, named


def _value(name: str, client: WhatsApp) -> Any:
    if name in ("media_id", "url"):
        medium = client.upload_media(b"text", mime_type="text/plain", filename="a.txt").id
        return medium if name == "media_id" else client.get_media_url(medium).url
    if name.endswith("_id") and name not in _VALUES:
        return "1"
    return _VALUES[name]


def rows(outcomes: dict[str, Outcome]) -> list[str]:
    """The table for people: one row for what has one reason."""
    order = {"works": 0, "not built": 1, "refused": 2, "asks Meta": 3, "broken": 4}
    found = sorted(set(outcomes.values()), key=lambda one: (order[one.kind], one.code or 0, one.why))
    return ["| Outcome | Code | Calls | Why |", "|---|---|---|---|"] + [
        f"| {one.kind} | {one.code or ''} | {_calls(outcomes, one)} | {one.why} |" for one in found
    ]


def _calls(outcomes: dict[str, Outcome], wanted: Outcome) -> str:
    return ", ".join(f"`{name}`" for name in sorted(outcomes) if outcomes[name] == wanted)


def replaced(page: Path, lines: Iterable[str]) -> str:
    """The page with the table in it."""
    first, last = "<!-- pywa's calls: written by RECORD=1 and the test of them -->\n", "<!-- end of pywa's calls -->\n"
    before, _, rest = page.read_text().partition(first)
    after = rest.partition(last)[2]
    return f"{before}{first}" + "".join(f"{line}\n" for line in lines) + f"{last}{after}"
