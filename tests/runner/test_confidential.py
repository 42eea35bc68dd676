"""Nothing that a session is told in confidence is in anything that others read of it: a busy one is searched for its own."""

import asyncio
import base64
import json
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pywa.types.others import Contact
from runner.listener import Listener, ready
from runner.sender import FRIEND, PHONE, Sender
from session_protocol.environment import Variable
from session_protocol.live_settings import Header, LiveSettings, Webhook, write_live_settings
from session_protocol.vocabulary import ExitCode, WebhookEvent, WebhookFormat
from standin.harness import StandIn
from support.runner_process import TOKENS, Folders, RunnerProcess, link, start_runner
from support.waiting import async_until
from unit.runner.webhooks.receivers import Arrival, Receiver, receiving

PROGRAM = """
import runpy
from functools import partial
from session_runner import serving
serving.Seams = partial(serving.Seams, guard=lambda *_: None)
runpy.run_module("session_runner", run_name="__main__", alter_sys=True)
"""
""" The runner, which may post to this machine's own receiver. """
NOBODY, STRANGER = "15550100803", "15550100931"
LID = "204990555000111"


class Planted:
    """Texts of chance, each of which stands for one thing that nobody else may read."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        """Return the text for something, made once. Letters alone, as no redaction would take them for a secret."""
        letters = secrets.token_hex(8).translate(str.maketrans("0123456789", "ghijklmnop"))
        return self.all.setdefault(what, f"x{letters}")

    def found_in(self, texts: dict[str, str]) -> list[str]:
        """Return where one of them stands."""
        numbers = {
            "a friend's number": FRIEND,
            "nobody's number": NOBODY,
            "a stranger's number": STRANGER,
            "a LID": LID,
        }
        tokens = {f"the token for {scope}": token for scope, token in TOKENS.items()}
        needles = self.all | numbers | tokens
        return [f"{what} in {where}" for where, text in texts.items() for what, one in needles.items() if one in text]


def settings(planted: Planted, receiver: Receiver) -> str:
    """Return webhooks to a receiver that takes, one that refuses, and one that is not there."""
    common: dict[str, Any] = {"format": WebhookFormat.CLOUD_API, "events": tuple(WebhookEvent), "secret_name": "bot"}
    header = Header(name="X-Key", value=planted("a webhook's header"))
    closed = f"http://127.0.0.1:9/{planted('the path of a closed webhook')}"
    hooks = (
        Webhook(
            name="taken", url=f"{receiver.url}/taken?key={planted('a webhook address')}", headers=(header,), **common
        ),
        Webhook(name="refused", url=f"{receiver.url}/refused/{planted('another webhook address')}", **common),
        Webhook(name="closed", url=closed, **common),
    )
    return write_live_settings(LiveSettings(webhooks=hooks)).decode()


def mount(folder: Path, planted: Planted) -> Path:
    """Write the webhooks' Secret; gives its folder."""
    (folder / "bot").mkdir(parents=True)
    for entry in ("signingSecret", "verifyToken", "authorization"):
        (folder / "bot" / entry).write_text(planted(f"the Secret's {entry}"))
    return folder


def answer(arrival: Arrival) -> web.Response:
    """Shake hands; take what is for the first webhook, and quote the rest in a refusal."""
    if arrival.method == "GET":
        return web.Response(text=arrival.query["hub.challenge"])
    return web.Response() if arrival.path == "/taken" else web.Response(status=422, body=arrival.body)


async def come_in(sender: Sender, planted: Planted, listener: Listener) -> None:
    """Have the phone do all that it can by messages."""
    phone, device, friend = sender.phone, sender.device, {"from": FRIEND}
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + planted("a picture's bytes").encode()).decode()
    await phone.send(device, planted("a text that comes in"), id="IN1", **friend)
    caption = planted("a caption that comes in")
    await phone.send(device, caption, id="IN2", type="image", data=picture, mimetype="image/png", **friend)
    name = f"{planted('the name of a file that comes in')}.pdf"
    data = {"data": picture, "mimetype": "application/pdf", "filename": name}
    await phone.send(device, "", id="IN3", type="document", **data, **friend)
    await phone.send(device, planted("a reply that comes in"), id="IN4", quoted="IN1", **friend)
    await phone.send(device, planted("a place of the phone"), id="IN5", type="location", lat=1.5, lng=2.5, **friend)
    await phone.send(device, planted("what the owner writes"), id="IN6", to=FRIEND)
    await phone.send(device, planted("a text of somebody with a LID"), id="IN7", **{"from": STRANGER})
    await listener.hears(7)
    await phone.edit(device, "IN1", planted("an edit that comes in"), **friend)
    await phone.react(device, "IN6", planted("a reaction that comes in")[:8], mine=True, **friend)
    await phone.revoke(device, "IN4", **friend)


async def go_out(sender: Sender, planted: Planted) -> None:
    """Send all that pywa can, what is refused at once, and what fails later."""
    contact = Contact(
        name=Contact.Name(formatted_name=planted("a contact's name"), first_name=planted("a contact's name")),
        phones=[Contact.Phone(phone=f"+{FRIEND}")],
    )
    png = b"\x89PNG\r\n\x1a\n" + planted("the bytes of a picture that goes out").encode()
    caption, filename = planted("a caption that goes out"), f"{planted('the name of a file that goes out')}.pdf"
    sent = [
        await sender.by_pywa("send_message", to=FRIEND, text=planted("a text that goes out")),
        await sender.by_pywa("send_image", to=FRIEND, image=png, mime_type="image/png", caption=caption),
        await sender.by_pywa("send_document", to=FRIEND, document=b"%PDF-1.7", filename=filename),
        await sender.by_pywa("send_contact", to=FRIEND, contact=contact),
        await sender.by_pywa("send_location", to=FRIEND, latitude=1.5, longitude=2.5, name=planted("a place")),
    ]
    for message in sent:
        await sender.becomes(message.id, "sent")
    for to, text in ((NOBODY, "a text for nobody"), (planted("an address that is none"), "a text for no address")):
        status, _ = await sender.send(planted(text), to=to)
        assert 400 <= status < 500
    await sender.phone.acks(sender.device, "refused")
    _, document = await sender.send(planted("a text that WhatsApp refuses"), **{"Idempotency-Key": planted("a key")})
    await sender.becomes(document["messages"][0]["id"], "failed")
    await sender.phone.acks(sender.device, "given")


async def ask_wrongly(runner: RunnerProcess, planted: Planted) -> None:
    """Send what cannot be read, with secrets where they do not belong."""
    url, client = runner.url, runner.client
    token = {"Authorization": f"Bearer {TOKENS['send']}"}
    for method, path, more in (
        (
            "POST",
            f"/v24.0/{PHONE}/messages",
            {"headers": token, "data": f'{{"to": "{planted("a body that breaks off")}'},
        ),
        ("POST", f"/v24.0/{PHONE}/messages", {"headers": {"Authorization": f"Bearer {planted('a wrong token')}"}}),
        ("GET", f"/v24.0/{PHONE}", {"params": {"access_token": planted("a wrong token in the address")}}),
        ("GET", f"/v24.0/{PHONE}", {"params": {"access_token": TOKENS["send"]}}),
        ("GET", f"/{planted('a path that is none')}", {"headers": token}),
        ("GET", f"/v1/messages/{planted('an id that is none')}", {"headers": token}),
        ("POST", f"/v24.0/{PHONE}/media", {"headers": token, "data": planted("an upload that is none")}),
    ):
        async with client.request(method, url + path, **more) as response:
            await response.read()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.port)
    writer.write(f"GET /{planted('a request that is no HTTP')} HTTP/9.9\r\nX: \0\r\n\r\n".encode())
    await writer.drain()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def shown(runner: RunnerProcess) -> dict[str, str]:
    """Return what anybody may read who has no token, or one for the state alone; and how the webhooks do."""
    found: dict[str, str] = {}
    for path, scope in (
        ("/metrics", None),
        ("/healthz", None),
        ("/readyz", None),
        ("/v1/state", "state"),
        ("/v1/webhooks", "admin"),
        ("/v1/dead-letters", "admin"),
    ):
        _, headers, body = await runner.get(path, scope=scope)
        found[path] = json.dumps(headers) + body.decode()
    return found


def written(folders: Folders) -> Iterator[tuple[str, str]]:
    """Give what stands outside of the profile and is no Secret: the home, and what is left among temporary files."""
    for place in (folders.home, Path(os.environ["TMPDIR"])):
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(place)), path.read_bytes().decode("latin-1")


@pytest.mark.timeout(400)
async def test_a_busy_session_keeps_everything_to_itself(
    standin: StandIn, folders: Folders, environment: dict[str, str], tmp_path: Path
) -> None:
    """Texts, captions, names, numbers, tokens, codes and webhooks: in no line, metric, state, last message or dump."""
    planted, receiver, listener = Planted(), Receiver(answer=answer), Listener()
    await standin.phone.add_people({"number": NOBODY, "whatsapp": False}, {"number": STRANGER, "lid": LID})
    async with receiving(receiver):
        environment |= {
            Variable.LIVE_SETTINGS: settings(planted, receiver),
            Variable.WEBHOOK_SECRETS_DIR: str(mount(tmp_path / "webhooks", planted)),
            Variable.LOG_LEVEL: "debug",
        }
        async with start_runner(folders, environment, program=("-c", PROGRAM)) as runner:
            for number, part in enumerate((await runner.code())["text"].split(",")):
                if len(part) < 8:
                    continue  # which platform it is
                planted.all[f"part {number} of the QR code"] = part
            sender = Sender(runner, standin, await link(runner, standin))
            _, account = await runner.get_json("/v1/account", scope="link")
            planted.all["the session's own number"] = account["phoneNumber"].removeprefix("+")
            await ready(runner)
            async with listener.listening(runner):
                await come_in(sender, planted, listener)
                await go_out(sender, planted)
                await ask_wrongly(runner, planted)
                await listener.hears(10)

            async def refused() -> int:
                return sum(arrival.path.startswith("/refused") for arrival in receiver.requests)

            await async_until("webhooks were refused", refused, lambda count: count >= 7, within=30)
            texts = await shown(runner)
            os.kill(runner.browser_process("renderer").pid, signal.SIGABRT)
            assert ExitCode.PAGE_CRASHED == await runner.exit_code()
            texts |= {"the last planted": runner.termination_message(), "the log": "\n".join(runner.raw_lines)}
            texts |= dict(written(folders))

    assert [] == planted.found_in(texts)
    published = b"".join(arrival.body for arrival in receiver.requests) + json.dumps(listener.events).encode()
    assert [] == [
        what for what in planted.all if "that comes in" in what and planted(what)[:8].encode() not in published
    ]
    assert "A delivery is a dead letter now" in texts["the log"]
    assert '"type":"message"' in texts["/v1/dead-letters"].replace(" ", "")
