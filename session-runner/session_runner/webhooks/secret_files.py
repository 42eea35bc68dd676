"""A webhook's Secret, from the files of its mounted volume.

They are read for each delivery: they are tiny, and the kubelet replaces them when somebody changes the Secret, so that a
changed one counts from the next delivery on. Nothing of it is ever shown.
"""

from pathlib import Path
from typing import Final

from session_protocol.live_settings import AUTHORIZATION, SIGNING_SECRET, VERIFY_TOKEN, Webhook, is_header_value
from session_protocol.vocabulary import WebhookFormat

from session_runner.values import Private
from session_runner.webhooks.signing import UnusableSecretError, standard_headers

LONGEST: Final = 1024
""" Bytes of an entry. """


class Secret(Private, frozen=True, kw_only=True):
    """What a webhook's Secret holds; an entry that is not there is None."""

    hidden = ("signing", "verify_token", "authorization")

    signing: str | None = None
    verify_token: str | None = None
    authorization: str | None = None


def read_secret(folder: Path | None, webhook: Webhook) -> Secret:
    """Return the entries of a webhook's Secret.

    :raises UnusableSecretError: it names one that the pod has not, or that cannot be used: nothing is sent unsigned then.
    """
    name = webhook.secret_name
    if name is None:
        return Secret()
    if folder is None or not (folder / name).is_dir():
        raise UnusableSecretError(
            "The pod has not mounted the webhook's Secret, which was named after the pod was created: restart the session."
        )
    signing, token, authorization = (_read(folder / name, key) for key in (SIGNING_SECRET, VERIFY_TOKEN, AUTHORIZATION))
    if signing is None:
        raise UnusableSecretError(f"The webhook's Secret is not there, or has no entry {SIGNING_SECRET}.")
    if authorization is not None and not is_header_value(authorization):
        raise UnusableSecretError(f"The entry {AUTHORIZATION} is no header's value: one line of printable characters.")
    if webhook.format is WebhookFormat.STANDARD:
        standard_headers(signing, identifier="", timestamp=0, body=b"")  # says now what is wrong with it
    return Secret(signing=signing, verify_token=token, authorization=authorization)


def _read(folder: Path, key: str) -> str | None:
    try:
        with (folder / key).open("rb") as file:
            content = file.read(LONGEST + 2)
    except OSError:
        return None
    value = content.removesuffix(b"\n").removesuffix(b"\r")  # an editor's, or echo's
    if len(value) > LONGEST:
        raise UnusableSecretError(f"The entry {key} of the webhook's Secret has more than {LONGEST} bytes.")
    try:
        return value.decode() or None
    except UnicodeDecodeError as error:
        raise UnusableSecretError(f"The entry {key} of the webhook's Secret is no UTF-8.") from error
