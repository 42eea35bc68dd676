"""The routes for files under /v1, as a part of the table in `routes`."""

from typing import Final

from session_protocol.answers import StoredFile
from session_protocol.vocabulary import TokenScope

from session_runner.http.cloud_routes import UPLOAD
from session_runner.http.errors import InvalidFileError, NoFileError, StartingError, TooManyFilesError
from session_runner.http.route import Route

FILE_ROUTES: Final = (
    Route(
        path="/v1/media",
        method="POST",
        name="uploadFile",
        summary="Upload a file that is to be sent",
        description="Up to 100 MiB, in parts of any order; the field `type` counts where the content leaves the file's type open. It is "
        "kept for 30 days, or until another one needs its room.\n",
        scope=TokenScope.SEND,
        body=UPLOAD,
        takes="multipart/form-data",
        answer="The file is on the session's volume.",
        content={"application/json": StoredFile},
        cached=False,
        errors=(InvalidFileError, TooManyFilesError, StartingError),
    ),
    Route(
        path="/v1/media/{id}",
        name="getFile",
        summary="What is known of a file",
        description="Of one that was uploaded, or that came with a message, by the id in its event.\n",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        answer="What is known of it.",
        content={"application/json": StoredFile},
        cached=False,
        errors=(NoFileError, StartingError),
    ),
    Route(
        path="/v1/media/{id}",
        method="DELETE",
        name="deleteFile",
        summary="Delete a file",
        description="What waits to be sent with it is sent.\n",
        scope=TokenScope.SEND,
        answer="It is deleted; this is what it was.",
        content={"application/json": StoredFile},
        cached=False,
        errors=(NoFileError, StartingError),
    ),
    Route(
        path="/v1/media/{id}/content",
        name="getFileContent",
        summary="The bytes of a file",
        description="One that came with a message is fetched out of the page first, if it was not yet. The media type is that of the "
        "content, whatever its sender called it.\n",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        answer="The bytes.",
        content={"*/*": {"type": "string", "contentMediaType": "application/octet-stream"}},
        cached=False,
        errors=(NoFileError, TooManyFilesError, StartingError),
    ),
)
