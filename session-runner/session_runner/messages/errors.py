"""The errors of messaging, each with the code that the Cloud API has for it and its HTTP status there.

MessageError
├── TokenError             no token, or an unknown one
├── ScopeError             a token of another scope
├── UnknownObjectError     no such object or route
│   ├── NoChatError        no such chat, or nobody of this user_id
│   ├── NoPictureError     no profile picture that is shown to us
│   └── NoCursorError      nothing can be read on from here
├── BadRequestError        this is no request at all
├── MissingParameterError  something that a message needs
├── BadParameterError      something that a message has is wrong
│   └── NoMessageError     it is about a message that is not there
├── NoUserIdError          a user_id without a number that is known
├── NoTemplateError        a template, of which an ordinary account has none
├── UnsupportedKindError   a kind that WhatsApp Web cannot send, or that is not built
├── NotChangeableError     a message that cannot be edited or taken back
├── NotLinkedError         no phone is linked
├── NobodyThereError       the number is not on WhatsApp
├── RefusedError           WhatsApp refused the message
├── MediaError             a file of ours cannot be taken, or not sent as that
│   └── NoFileError        there is none of this id, or not any more
├── MediaLostError         a file of the other side cannot be had
├── NoMediaRoomError       the volume has no room for another file
├── TooManyUploadsError    so many files are being taken already
├── QueueFullError         too many messages wait
├── TooManyChecksError     so many numbers were asked about
├── PacedError             it would wait for its turn for too long
├── PacedToOneError        the same, for too many messages to one person
├── FirstContactsForbiddenError  WhatsApp lets the account write to nobody new
├── KeyReusedError         the key of idempotency belongs to another body
├── KeyInUseError          the same request is being stored
├── NotReadyError          the runner cannot answer this yet
│   └── PageAwayError      what only the page can tell, and it is away
└── InternalFaultError     a fault of the runner

Clients go by the code, people by the details. 401 is for a wrong token and nothing else: there are clients that give a
channel up for good when they read it.
"""

from http import HTTPStatus


class MessageError(Exception):
    """A request was not carried out; the text tells what to do."""

    code: int
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    title: str
    kind: str = "OAuthException"
    """ The Cloud API's word for its errors, whatever they are about. """
    subcode: int | None = None
    retry_after: int | None = None
    """ Seconds. """


class TokenError(MessageError):
    """No token, or an unknown one."""

    code, status, title = 190, HTTPStatus.UNAUTHORIZED, "Access token is missing or invalid"


class ScopeError(MessageError):
    """A token of another scope."""

    code, status, title = 10, HTTPStatus.FORBIDDEN, "Permission denied"


class UnknownObjectError(MessageError):
    """There is no such object or route."""

    code, title, kind, subcode = 100, "Unsupported request: no such object", "GraphMethodException", 33


class NoChatError(UnknownObjectError):
    """There is no such chat, or nobody is known by this `user_id`."""


class NoPictureError(UnknownObjectError):
    """There is no profile picture, or none that is shown to this account."""


class NoCursorError(UnknownObjectError):
    """This is no place to read on from, or it is gone."""


class BadRequestError(MessageError):
    """The body cannot be read as a request, or the request as HTTP."""

    code, title = 100, "Invalid parameter"


class MissingParameterError(MessageError):
    """Something that a message needs is not there."""

    code, title = 131008, "Required parameter is missing"


class BadParameterError(MessageError):
    """A value is wrong."""

    code, title = 131009, "Parameter value is not valid"


class NoMessageError(BadParameterError):
    """The message that it is about is not there."""


class NoUserIdError(MessageError):
    """It is addressed by a user_id of which no number is known."""

    code, title = 131062, "Recipient by this user_id is not supported"


class NoTemplateError(MessageError):
    """An ordinary account has no templates."""

    code, title = 132001, "Template does not exist"


class UnsupportedKindError(MessageError):
    """WhatsApp Web cannot send this, or this version does not."""

    code, title = 131051, "Unsupported message type"


class NotChangeableError(MessageError):
    """A message that was not sent, or is of a kind that cannot be edited or taken back."""

    code, title = 131009, "Message cannot be changed"


class NotLinkedError(MessageError):
    """No phone is linked."""

    code, title = 133010, "Phone number not registered"


class NobodyThereError(MessageError):
    """The number is not on WhatsApp."""

    code, title = 131026, "Message undeliverable"


class RefusedError(MessageError):
    """WhatsApp refused it; the page does not tell why."""

    code, title = 131000, "WhatsApp refused the message"


class MediaError(MessageError):
    """A file cannot be taken, or not be sent as what was asked for."""

    code, title = 131053, "Media upload error"


class NoFileError(MediaError):
    """There is no file of this id, or not any more."""


class MediaLostError(MessageError):
    """The file of a message that came in cannot be had, or not any more."""

    code, title = 131052, "Media download error"


class NoMediaRoomError(MessageError):
    """The volume has no room for another file."""

    code, status, title, retry_after = 130429, HTTPStatus.TOO_MANY_REQUESTS, "No room for media", 300


class TooManyUploadsError(MessageError):
    """So many files are being taken already."""

    code, status, title, retry_after = 130429, HTTPStatus.TOO_MANY_REQUESTS, "Rate limit hit", 2


class QueueFullError(MessageError):
    """Too many messages wait."""

    code, status, title, retry_after = 130429, HTTPStatus.TOO_MANY_REQUESTS, "Rate limit hit", 30


class PacedError(MessageError):
    """It would wait for its turn for too long."""

    code, status, title = 130429, HTTPStatus.TOO_MANY_REQUESTS, "Rate limit hit"


class PacedToOneError(MessageError):
    """It would wait for too long behind others to the same person."""

    code, status, title = 131056, HTTPStatus.TOO_MANY_REQUESTS, "Pair rate limit hit"


class FirstContactsForbiddenError(MessageError):
    """WhatsApp does not let this account write to somebody who has never written to it."""

    code, status, title, retry_after = 131048, HTTPStatus.TOO_MANY_REQUESTS, "Spam rate limit hit", 3600


class KeyReusedError(MessageError):
    """The key of idempotency was sent with another body before."""

    code, status, title = 131009, HTTPStatus.UNPROCESSABLE_ENTITY, "Idempotency-Key was used for another request"


class KeyInUseError(MessageError):
    """The same request is being stored just now."""

    code, status, title, retry_after = 131016, HTTPStatus.CONFLICT, "The same request is being carried out", 1


class NotReadyError(MessageError):
    """The runner is starting or ending, or its page is away and nothing else knows the answer."""

    code, status, title, retry_after = 131016, HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable", 5


class PageAwayError(NotReadyError):
    """Only the page can tell, and it is away, busy, or could not ask."""


class TooManyChecksError(MessageError):
    """Too many numbers were asked about."""

    code, status, title, retry_after = 130429, HTTPStatus.TOO_MANY_REQUESTS, "Rate limit hit", 60


class InternalFaultError(MessageError):
    """A fault of the runner; its log tells why."""

    code, status, title = 131000, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong"
