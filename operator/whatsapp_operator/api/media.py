"""How large the files may be that a session sends, where the sizes of the Cloud API are not what is wanted."""

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.fields import FileSize


class MediaLimits(SpecModel):
    """The largest file of each kind that is taken for sending, up to 100Mi. WhatsApp may refuse more than its own sizes."""

    image: FileSize | None = None
    """A picture. Default: 5Mi."""
    video: FileSize | None = None
    """A video. Default: 16Mi."""
    audio: FileSize | None = None
    """A sound, or a voice note. Default: 16Mi."""
    document: FileSize | None = None
    """A document. Default: 100Mi."""
    sticker: FileSize | None = None
    """A sticker. Default: 100Ki, and 500Ki for one that moves."""
