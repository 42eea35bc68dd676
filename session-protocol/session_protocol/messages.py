"""What a client sends to a runner's own routes for messages, typed once: the Cloud API's bodies, read strictly.

The runner's OpenAPI document is generated from these. What else the Cloud API's clients write is taken on its own routes.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

LONGEST_TEXT: Final = 4096
""" Characters of a text, as in the Cloud API. """
LONGEST_PART: Final = 1024
""" Characters of a name, an address or another short text. """
LONGEST_EMOJI: Final = 32
""" Characters: an emoji is many where it is composed. """
# What is blank is written out: `\S` means one thing in Python, and another in the languages that read the document.
NOT_BLANK: Final = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
LONGEST_LINK: Final = 2048
""" Characters of the address of a file. """
LONGEST_CALLBACK_DATA: Final = 512
""" Characters of what comes back in each status, as in the Cloud API. """
MOST_CARDS: Final = 257
""" People in one message, as in the Cloud API. """
MOST_MENTIONS: Final = 50
""" People in one text. """
MOST_ENTRIES: Final = 20
""" Of a person's numbers, addresses and so on. """

_NUMBER: Final = r"^\+?[1-9][0-9]{6,14}$"
_FILE_ID: Final = r"^[0-9]{30}$"
_LINK: Final = r"^https?://([a-z0-9][a-z0-9-]{0,62}\.){1,8}[a-z]{2,20}(:[1-9][0-9]{0,3})?(/[A-Za-z0-9%._~!&'()*+,;=:/-]{0,800})?([?][A-Za-z0-9%._~!&'()*+,;=:/?-]{0,800})?$"
""" Of a host by its name; at most `LONGEST_LINK` characters. """
_MESSAGE_ID: Final = r"^[0-9A-Za-z.-]{1,64}$"


def _matching(pattern: str, description: str) -> Meta:
    # Python's `$` lets a line break pass, which the schema's does not.
    return Meta(pattern=pattern.replace("$", r"\Z"), description=description)


_To = Annotated[str, _matching(_NUMBER, "The phone number of whom it goes to, with its country's code.")]
_MessageId = Annotated[str, _matching(_MESSAGE_ID, "A message's id, as an answer or a webhook gave it.")]
_FileId = Annotated[str, _matching(_FILE_ID, "The id of a file, as its upload or a webhook gave it.")]
_Link = Annotated[str, _matching(_LINK, "Where the file is fetched from: by https, from a host of a public address.")]
_GIVEN = Meta(extra_json_schema={"anyOf": [{"required": ["id"]}, {"required": ["link"]}]})
_Body = Annotated[str, Meta(max_length=LONGEST_TEXT, pattern=NOT_BLANK, description="Is not only blanks.")]
_Part = Annotated[str, Meta(max_length=LONGEST_PART)]
_Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_PART)]


class EditedPart(Struct, frozen=True, kw_only=True):
    """A text that takes another one's place."""

    body: _Body


class PreviewPart(Struct, frozen=True, kw_only=True):
    """What is shown of a link in a text."""

    url: Annotated[_Name, Meta(description="As it stands in the text.")]
    title: _Name
    description: _Part | None = None


class TextPart(Struct, frozen=True, kw_only=True):
    """A text."""

    body: _Body
    mentions: (
        Annotated[
            list[Annotated[str, _matching(_NUMBER, "A phone number, whose digits stand in the text behind an @.")]],
            Meta(max_length=MOST_MENTIONS, description="Who is mentioned; without it digits behind an @ mean nobody."),
        ]
        | None
    ) = None
    preview_url: Annotated[bool, Meta(description="Whether WhatsApp Web makes a preview of the first link.")] = False
    preview: Annotated[PreviewPart | None, Meta(description="The preview, if it is not to be made.")] = None


class ReactionPart(Struct, frozen=True, kw_only=True):
    """A reaction."""

    message_id: _MessageId
    emoji: Annotated[str, Meta(max_length=LONGEST_EMOJI, description="Empty takes the reaction away.")]


class LocationPart(Struct, frozen=True, kw_only=True):
    """A place."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    name: _Part | None = None
    address: _Part | None = None


class NamePart(Struct, frozen=True, kw_only=True):
    """A person's name."""

    formatted_name: Annotated[_Name, Meta(description="As it is shown.")]
    first_name: _Part | None = None
    last_name: _Part | None = None
    middle_name: _Part | None = None
    prefix: _Part | None = None
    suffix: _Part | None = None


class PhonePart(Struct, frozen=True, kw_only=True):
    """A number of a person."""

    phone: _Part | None = None
    wa_id: Annotated[str, Meta(max_length=20, description="The digits by which WhatsApp knows it.")] | None = None
    type: _Part | None = None


class EmailPart(Struct, frozen=True, kw_only=True):
    """A mail address of a person."""

    email: _Part
    type: _Part | None = None


class UrlPart(Struct, frozen=True, kw_only=True):
    """A web address of a person."""

    url: _Part
    type: _Part | None = None


class ContactPart(Struct, frozen=True, kw_only=True):
    """A person's card; the Cloud API's `addresses`, `org` and `birthday` are taken, too, on its own route."""

    name: NamePart
    phones: Annotated[list[PhonePart], Meta(max_length=MOST_ENTRIES)] | None = None
    emails: Annotated[list[EmailPart], Meta(max_length=MOST_ENTRIES)] | None = None
    urls: Annotated[list[UrlPart], Meta(max_length=MOST_ENTRIES)] | None = None


class Context(Struct, frozen=True, kw_only=True):
    """What a message answers."""

    message_id: _MessageId


class _Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    to: _To
    biz_opaque_callback_data: (
        Annotated[
            str, Meta(max_length=LONGEST_CALLBACK_DATA, description="Comes back in each status, as `callbackData`.")
        ]
        | None
    ) = None


class TextMessage(_Message, frozen=True, kw_only=True, tag="text"):
    """A text to somebody."""

    text: TextPart
    context: Context | None = None


class ReactionMessage(_Message, frozen=True, kw_only=True, tag="reaction"):
    """A reaction to a message in somebody's chat."""

    reaction: ReactionPart


class LocationMessage(_Message, frozen=True, kw_only=True, tag="location"):
    """A place for somebody."""

    location: LocationPart
    context: Context | None = None


class ContactsMessage(_Message, frozen=True, kw_only=True, tag="contacts"):
    """People's cards for somebody."""

    contacts: Annotated[list[ContactPart], Meta(min_length=1, max_length=MOST_CARDS)]
    context: Context | None = None


class ForwardPart(Struct, frozen=True, kw_only=True):
    """What is sent on."""

    message_id: _MessageId


class ForwardMessage(_Message, frozen=True, kw_only=True, tag="forward"):
    """A message of any chat, sent on to somebody and marked as such."""

    forward: ForwardPart


class FilePart(Struct, frozen=True, kw_only=True):
    """A file without a caption: one of both has to be there."""

    id: _FileId | UnsetType = UNSET
    link: _Link | UnsetType = UNSET


class CaptionedPart(FilePart, frozen=True, kw_only=True):
    """A file."""

    caption: _Part | None = None


class DocumentPart(CaptionedPart, frozen=True, kw_only=True):
    """A file of any type."""

    filename: _Part | None = None


class AudioPart(FilePart, frozen=True, kw_only=True):
    """A sound."""

    voice: Annotated[
        bool, Meta(description="Whether it is shown as a voice note, which is Ogg with Opus in one channel.")
    ] = False


class ImageMessage(_Message, frozen=True, kw_only=True, tag="image"):
    """A picture for somebody."""

    image: Annotated[CaptionedPart, _GIVEN]
    context: Context | None = None


class VideoMessage(_Message, frozen=True, kw_only=True, tag="video"):
    """A video for somebody."""

    video: Annotated[CaptionedPart, _GIVEN]
    context: Context | None = None


class DocumentMessage(_Message, frozen=True, kw_only=True, tag="document"):
    """A file for somebody."""

    document: Annotated[DocumentPart, _GIVEN]
    context: Context | None = None


class AudioMessage(_Message, frozen=True, kw_only=True, tag="audio"):
    """A sound for somebody."""

    audio: Annotated[AudioPart, _GIVEN]
    context: Context | None = None


class StickerMessage(_Message, frozen=True, kw_only=True, tag="sticker"):
    """A sticker for somebody."""

    sticker: Annotated[FilePart, _GIVEN]
    context: Context | None = None


MessageRequest = (
    TextMessage
    | ReactionMessage
    | LocationMessage
    | ContactsMessage
    | ImageMessage
    | VideoMessage
    | DocumentMessage
    | AudioMessage
    | StickerMessage
    | ForwardMessage
)


class EditRequest(Struct, frozen=True, kw_only=True):
    """What a text is to be instead."""

    text: EditedPart


class ReadRequest(Struct, frozen=True, kw_only=True):
    """What else is to be seen of a message that was read."""

    typing: Annotated[
        bool, Meta(description="Whether its writer is to see for 25 s that an answer is being written.")
    ] = False
