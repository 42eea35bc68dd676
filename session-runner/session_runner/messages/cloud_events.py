"""Events as the Cloud API's webhooks tell them: one event, one body, with every field that its clients cannot do without.

`contacts` is always there, no list is empty, and what the session's own account wrote comes as an echo alone, so that no
bot answers itself. What that API has no form for, and what its older clients misread unless somebody asked for it, has
no body.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from session_protocol.vocabulary import WebhookEvent

from session_runner.messages.events import Ack, Call, Deleted, Event, History, Message, Person, Reaction
from session_runner.values import Private

_TITLE: Final = {
    131000: "Something went wrong",
    131016: "Service unavailable",
    131026: "Message undeliverable",
    131048: "Spam rate limit hit",
    131051: "Unsupported message type",
    131053: "Media upload error",
    133010: "Phone number not registered",
}
_UNREADABLE: Final = 131051
""" An unsupported type, and what cannot be read yet. """
_PHASES: Final = (1, 90)
""" Days before the link with which Meta's phases of the history end. """


class Account(Private, frozen=True, kw_only=True):
    """Whose webhook it is."""

    hidden = ("digits",)

    phone_number_id: str
    digits: str
    """ The linked number's. """


class Wanted(Struct, frozen=True, kw_only=True):
    """What is told only to those who ask for it."""

    groups: bool = False
    """ Older clients answer a group's member privately. """
    edits: bool = False
    deletions: bool = False
    """ A strict client refuses what it does not know, for ever. """


def cloud_body(event: Event, account: Account, wanted: Wanted) -> bytes | None:
    """Return the body of the webhook; None: this event is not told in this form."""
    field, value = _change(event, account, wanted)
    if value is None:
        return None
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": account.digits, "phone_number_id": account.phone_number_id},
        **value,
    }
    entry = {"id": account.phone_number_id, "changes": [{"field": field, "value": value}]}
    return msgspec.json.encode({"object": "whatsapp_business_account", "entry": [entry]})


def _change(event: Event, account: Account, wanted: Wanted) -> tuple[str, dict[str, Any] | None]:
    if getattr(event.data, "group", False) and not wanted.groups:
        return "", None
    match event.data:
        case Ack() as ack:
            return "messages", {"contacts": [_contact(ack.person)], "statuses": [_status(ack)]}
        case History() as history:
            return "history", {"history": [_history(history, account)]}
        case Call(person=Person() as caller) as call:
            return "calls", {"contacts": [_contact(caller)], "calls": [_call(call, caller, account)]}
        case Message() | Deleted() | Reaction() as content if content.person is not None:
            field = "smb_message_echoes" if content.own else "messages"
            return field, _messages(event, content.person, account, wanted, own=content.own)
    return "", None


def _messages(event: Event, person: Person, account: Account, wanted: Wanted, *, own: bool) -> dict[str, Any] | None:
    message = _message(event, account, wanted)
    if message is None:
        return None
    return {"contacts": [_contact(person)], "message_echoes" if own else "messages": [message]}


def _message(event: Event, account: Account, wanted: Wanted) -> dict[str, Any] | None:
    match event.data:
        case Message() as edited if event.type is WebhookEvent.EDITED:
            if not wanted.edits:
                return None
            change: dict[str, Any] = {"original_message_id": edited.id, "message": edited.content}
            # The edit itself needs an id that is not the message's.
            return {**_head(edited, account, identifier=event.id), "type": "edit", "edit": change}
        case Message() as message:
            return {**_head(message, account), **_context(message, account), **_content(message)}
        case Deleted() as deleted:
            if not wanted.deletions:
                return None
            change = {"original_message_id": deleted.id}
            return {**_head(deleted, account, identifier=event.id), "type": "revoke", "revoke": change}
        case Reaction() as reaction:
            change = {"message_id": reaction.id} | ({} if reaction.emoji is None else {"emoji": reaction.emoji})
            return {**_head(reaction, account, identifier=event.id), "type": "reaction", "reaction": change}
    raise AssertionError(event.type)


def _head(content: Message | Deleted | Reaction, account: Account, *, identifier: str | None = None) -> dict[str, Any]:
    """Return who, which and when. A number that is not known is left out; the user_id is always there."""
    person = content.person
    if person is None:
        raise AssertionError("checked before")
    head: dict[str, Any] = {"id": identifier or content.id, "timestamp": str(content.timestamp)}
    if content.group:
        head["group_id"] = content.chat
    if content.own:
        return {"from": account.digits, **_named("to", person), "to_user_id": person.user_id, **head}
    return {**_named("from", person), "from_user_id": person.user_id, **head}


def _content(message: Message) -> dict[str, Any]:
    content = message.content
    if content["type"] != "unsupported":
        return content
    details = "The message cannot be read yet." if message.waiting else "This type of message is not told here."
    return {**content, "errors": [_error(_UNREADABLE, "Message type unknown", details)]}


def _context(message: Message, account: Account) -> dict[str, Any]:
    context: dict[str, Any] = {"forwarded": True} if message.forwarded else {}
    if message.context is not None:
        context["id"] = message.context.id
        if message.context.own:
            context["from"] = account.digits
        elif not message.group and message.person is not None and message.person.wa_id is not None:
            context["from"] = message.person.wa_id
    return {"context": context} if context else {}


def _history(history: History, account: Account) -> dict[str, Any]:
    phase = 0 if history.days < _PHASES[0] else 1 if history.days < _PHASES[1] else 2
    metadata = {"phase": phase, "chunk_order": history.chunk, "progress": history.progress}
    messages = [_old_message(message, account) for message in history.messages if message.person is not None]
    person = history.person
    thread = {"id": history.chat if person is None or person.wa_id is None else person.wa_id, "messages": messages}
    return {"metadata": metadata, "threads": [thread] if messages else []}


def _old_message(message: Message, account: Account) -> dict[str, Any]:
    status = message.status or "delivered"
    context = {"status": "ERROR" if status == "failed" else status.upper()}
    return {**_head(message, account), **_context(message, account), **_content(message), "history_context": context}


def _call(call: Call, caller: Person, account: Account) -> dict[str, Any]:
    """Return a call. It has no `session`: here nobody can take it, so one that is over has failed and no times."""
    change = {"event": "connect"} if call.status == "offered" else {"event": "terminate", "status": "FAILED"}
    who = {**_named("from", caller), "from_user_id": caller.user_id, "to": account.digits}
    return {"id": call.id, **who, **change, "timestamp": str(call.timestamp), "direction": "USER_INITIATED"}


def _status(ack: Ack) -> dict[str, Any]:
    status: dict[str, Any] = {"id": ack.id, "status": ack.status, "timestamp": str(ack.timestamp)}
    status |= {**_named("recipient_id", ack.person), "recipient_user_id": ack.person.user_id}
    if ack.callback_data is not None:
        status["biz_opaque_callback_data"] = ack.callback_data
    if ack.error_code is not None:
        title = _TITLE.get(ack.error_code, _TITLE[131000])
        status["errors"] = [_error(ack.error_code, title, ack.details or title)]
    return status


def _error(code: int, title: str, details: str) -> dict[str, Any]:
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}}


def _contact(person: Person) -> dict[str, Any]:
    name = person.name or person.wa_id or ""
    return {"profile": {"name": name}, **_named("wa_id", person), "user_id": person.user_id}


def _named(name: str, person: Person) -> dict[str, Any]:
    return {} if person.wa_id is None else {name: person.wa_id}
