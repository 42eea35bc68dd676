"""What the Cloud API's clients ask about a session beside its messages: number, account, token. Pure documents.

At Meta a phone number belongs to a business account, each with an id. A session is both, under one id: whoever sets up a
client has one number to copy, and none to look for. Which fields are meant is told by the query.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

NAME: Final = "WhatsApp Web session"
""" Of the account and the application, where clients show one. """
NUMBER_FIELD: Final = "display_phone_number"
SCOPES: Final = ("whatsapp_business_management", "whatsapp_business_messaging")
""" What clients look for before they go on: both are about this session's messages here. """
_NAMES: Final = re.compile(r"\w+")


def wanted_fields(given: str | None) -> frozenset[str] | None:
    """Return the names in `?fields=`; None: all, because none are given."""
    return frozenset(_NAMES.findall(given)) or None if given else None


def wants_number(fields: frozenset[str] | None) -> bool:
    """Whether the linked number is asked for."""
    return fields is None or NUMBER_FIELD in fields


def session_object(
    *, identifier: str, digits: str | None, connected: bool, fields: frozenset[str] | None
) -> dict[str, Any]:
    """The session as number and as account. What an ordinary account has not is a constant."""
    document = {
        "id": identifier,
        NUMBER_FIELD: digits,
        "verified_name": "",
        "quality_rating": "UNKNOWN",
        "status": "CONNECTED" if connected else "DISCONNECTED",
        "name": NAME,
        "timezone_id": "0",
    }
    return {
        name: value
        for name, value in document.items()
        if value is not None and (fields is None or name == "id" or name in fields)
    }


def page(data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A list that has one page, with the cursors that clients read and no link to a next one."""
    return {"data": list(data), "paging": {"cursors": {"before": "", "after": ""}}}


def no_templates() -> dict[str, Any]:
    """The templates: an ordinary account has none, and clients that cannot read the list cannot be set up."""
    summary = {
        "total_count": 0,
        "message_template_count": 0,
        "message_template_limit": 0,
        "are_translations_complete": True,
    }
    return page([]) | {"summary": summary}


def subscribed(identifier: str) -> dict[str, Any]:
    """The applications that get webhooks: the one whose token this is, by the session's own settings."""
    return {"data": [{"whatsapp_business_api_data": {"id": identifier, "name": NAME, "link": ""}}]}


def known_token(identifier: str) -> dict[str, Any]:
    """A token that opens these routes. It ends when the session's tokens are renewed, and at no time known before."""
    return {
        "data": {
            "app_id": identifier,
            "application": NAME,
            "type": "SYSTEM_USER",
            "is_valid": True,
            "expires_at": 0,
            "data_access_expires_at": 0,
            "scopes": list(SCOPES),
            "granular_scopes": [{"scope": scope, "target_ids": [identifier]} for scope in SCOPES],
        }
    }


def unknown_token() -> dict[str, Any]:
    """Any other."""
    error = {"code": 190, "message": "This token does not send the session's messages."}
    return {"data": {"is_valid": False, "scopes": [], "error": error}}


_LINKING: Final = "A phone is linked by GET /v1/qr or POST /v1/pairing-code, with a token of the scope link."
_TEMPLATES: Final = "An ordinary WhatsApp account has no templates."
_FLOWS: Final = "An ordinary WhatsApp account has no flows."
_GROUPS: Final = "Groups are not built yet."
_CALLS: Final = "Making and taking calls is not built; the session's spec can have them rejected."
_COMMERCE: Final = "Catalogues are not built."
_USERNAME: Final = "An ordinary account has no username; PATCH /v1/profile changes how it calls itself."
_REASONS: Final = {
    **dict.fromkeys(("register", "request_code", "verify_code"), _LINKING),
    "deregister": "The phone is unlinked by POST /v1/logout, with a token of the scope admin.",
    **dict.fromkeys(("message_templates", "upsert_message_templates", "migrate_message_templates"), _TEMPLATES),
    **dict.fromkeys(("compare", "unpause"), _TEMPLATES),
    **dict.fromkeys(("flows", "assets", "publish", "deprecate", "migrate_flows"), _FLOWS),
    "whatsapp_business_encryption": _FLOWS,
    **dict.fromkeys(("groups", "invite_link", "participants", "join_requests"), _GROUPS),
    **dict.fromkeys(("calls", "call_permissions"), _CALLS),
    "whatsapp_commerce_settings": _COMMERCE,
    "marketing_messages": _TEMPLATES,
    **dict.fromkeys(("username", "username_suggestions"), _USERNAME),
    "block_users": "Blocking is done in WhatsApp on the phone.",
    "message_qrdls": "An ordinary WhatsApp account has no QR codes with messages.",
    "conversational_automation": "An ordinary WhatsApp account has no automation.",
    "settings": "There is nothing to be set here; settings are in the session's spec.",
    "oauth": "Tokens are in the session's Secrets; its status names them.",
    "subscribed_apps": "Webhooks are set, and turned off, in the session's spec.",
    "signups": "An ordinary WhatsApp account has no sign-ups.",
}


def why_not(path: Iterable[str]) -> str | None:
    """Return why a part of the Cloud API is not here, by the parts of its path; None for what it has not either."""
    return next((_REASONS[part] for part in path if part in _REASONS), None)
