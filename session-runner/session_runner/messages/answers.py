"""What the Cloud API answers, as documents: with every field that its clients cannot do without."""

from typing import Any

from session_runner.messages.errors import MessageError


def accepted(*, given: str, digits: str, identifier: str) -> dict[str, Any]:
    """A message was taken and will be sent; what becomes of it is told later."""
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": given, "wa_id": digits}],
        "messages": [{"id": identifier, "message_status": "accepted"}],
    }


def success() -> dict[str, Any]:
    """Something was done, or will be, that has no id."""
    return {"success": True}


def failed(error: MessageError, *, trace: str) -> dict[str, Any]:
    """An error, in the one form in which clients find code and message."""
    document = {
        "message": f"(#{error.code}) {error.title}",
        "type": error.kind,
        "code": error.code,
        "error_data": {"messaging_product": "whatsapp", "details": str(error)},
        "fbtrace_id": trace,
    }
    if error.subcode is not None:
        document["error_subcode"] = error.subcode
    return {"error": document}
