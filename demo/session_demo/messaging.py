"""Sends and receives by one session, as the programs of its owner do: the plugin, pywa, the stream of events.

Each has the person's own rights: the token is read from the session's Secret for messaging, and stays in memory.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from kubectl_whatsapp.errors import PluginError
from kubectl_whatsapp.sessions import messages_at
from pywa.client import WhatsApp
from pywa.errors import WhatsAppError
from session_devtools.commands import run
from session_devtools.installation.constants import NAMESPACE
from session_protocol.messages_client import MessageRefusedError
from session_protocol.vocabulary import TokenPurpose, TokenScope

from session_demo.cluster_client import ClusterClient
from session_demo.errors import DemoError
from session_demo.event_listener import Listener, listening
from session_demo.manifests import FRIEND
from session_demo.next_steps import PLUGIN
from session_demo.report import Observation, Probe

PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Messaging:
    """A linked session, and the phone's name for it."""

    client: ClusterClient
    name: str
    device: str

    def send_by_plugin(self, text: str) -> str:
        """Send as a person does, and return the message's id when WhatsApp has it."""
        kubectl = self.client.kubectl
        given = os.environ if kubectl.environment is None else kubectl.environment
        folders = [str(PLUGIN), *_folder(kubectl.program), given.get("PATH", os.defpath)]
        arguments = ("whatsapp", "send", self.name, f"--namespace={NAMESPACE}", f"--to={FRIEND}", text)
        # A plugin's own options stand behind its name.
        command = (str(kubectl.program), *arguments, *kubectl.command[1:])
        return run(*command, environment={**given, "PATH": ":".join(folders)}).strip()

    def send_by_pywa(self, text: str, *, reply_to: str | None = None) -> str:
        """Send by pywa as it is published, and return the message's id. :raises DemoError: it was refused."""
        with self._forwarded() as (port, token):
            client = WhatsApp(phone_id=self._phone_id(), token=token)
            client.api._session.base_url = f"http://127.0.0.1:{port}/v24.0"  # noqa: SLF001 -- docs/http-api.md: its one change
            try:
                return str(client.send_message(to=FRIEND, text=text, reply_to_message_id=reply_to).id)
            except (WhatsAppError, httpx.HTTPError) as error:
                raise DemoError(f"pywa could not send: {error}") from error
            finally:
                client.api._session.close()  # noqa: SLF001

    def status_of(self, identifier: str) -> str:
        """Return how far a message has come, as the runner says."""
        try:
            with self._forwarded() as (port, token):
                return messages_at(port, token, own_id=self._phone_id()).progress(identifier).status
        except (MessageRefusedError, PluginError) as error:
            raise DemoError(f"the runner does not tell how far a message has come: {error}") from error

    def becomes(self, identifier: str, status: str) -> Probe:
        """Make a probe: the runner says this of a message."""

        def observe() -> Observation:
            seen = self.status_of(identifier)
            return Observation(ok=seen == status, text=f"its status is {seen}")

        return observe

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Listen to the session's events until the block ends."""
        with self._forwarded() as (port, token), listening(port, token=token) as listener:
            yield listener

    def write_from_phone(self, text: str) -> str:
        """Let the friend's phone write to the session; returns the message's id."""
        identifier = f"3EB0{secrets.token_hex(9).upper()}"  # as WhatsApp makes them
        sender = "".join(filter(str.isdigit, FRIEND))
        self.command_phone("send", {"from": sender, "id": identifier, "text": text})
        return identifier

    def command_phone(self, command: str, body: Mapping[str, Any]) -> None:
        """Let the phone do something to the session's page."""
        self.client.phone.request(f"/phone/{self.device}/{command}", body)

    def arrived(self, identifier: str, text: str, *, reply_to: str | None = None, times: int = 1) -> Probe:
        """Make a probe: the phone has a message so often, with this text and as a reply to that message."""

        def observe() -> Observation:
            messages = self.client.phone.request(f"/phone/{self.device}/messages")["messages"]
            found = [one for one in messages if one["id"] == identifier or one["body"] == text]
            ok = [(identifier, text, reply_to)] * times == [
                (one["id"], one["body"], one.get("quoted")) for one in found
            ]
            quotes = sum(reply_to is not None and one.get("quoted") == reply_to for one in found)
            if not found:
                return Observation(ok=ok, text="the phone does not have it")
            reply = f", as a reply {_often(quotes)}" if reply_to else ""
            return Observation(ok=ok, text=f"the phone has it {_often(len(found))}{reply}")

        return observe

    def _phone_id(self) -> str:
        return str(self.client.session(self.name).get("status", {}).get("phoneNumberID", ""))

    @contextmanager
    def _forwarded(self) -> Iterator[tuple[int, str]]:
        """Yield a local port of the session's runner, and the token for messaging."""
        token = self.client.token(self.name, TokenPurpose.MESSAGING, TokenScope.SEND)
        with self.client.kubectl.forward(self.name, PORT, namespace=NAMESPACE) as port:
            yield port, token


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _folder(program: str | os.PathLike[str]) -> list[str]:
    """Where kubectl is, if that is said: the plugin calls it by its name."""
    return [str(Path(program).parent)] if Path(program).parent != Path() else []
