"""What the account has is read a piece at a time from the page's store, in both generations of the page."""

import base64
import time
from typing import Any

from runner.conftest import Start
from runner.sender import FRIEND, PHONE, Sender
from standin.harness import StandIn
from support.runner_process import TOKENS, RunnerProcess, link
from support.waiting import async_until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
GONE = "15550100803"
ABOUT = "Back on Monday"


async def read(
    runner: RunnerProcess, path: str, *, expected: int = 200, after: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Read with the token for everything."""
    url, headers = f"{runner.url}/v1/{path}", {"Authorization": f"Bearer {TOKENS['admin']}"}
    query = {name: value for name, value in (("after", after), ("limit", limit)) if value is not None}
    async with runner.client.get(url, headers=headers, params=query) as answer:
        found: dict[str, Any] = await answer.json()
        assert expected == answer.status, found
        return found


async def read_all(runner: RunnerProcess, path: str, name: str, *, limit: int) -> list[dict[str, Any]]:
    """Read piece after piece until there is no more."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        piece = await read(runner, path, limit=limit, after=after)
        assert len(piece[name]) <= limit
        found += piece[name]
        if piece["next"] is None:
            return found
        after = piece["next"]


async def content(runner: RunnerProcess, path: str, *, scope: str = "admin") -> tuple[int, str, bytes]:
    """Read bytes; gives status, type and content."""
    async with runner.client.get(runner.url + path, headers={"Authorization": f"Bearer {TOKENS[scope]}"}) as answer:
        return answer.status, answer.content_type, await answer.read()


async def check(runner: RunnerProcess, number: str) -> tuple[int, dict[str, Any]]:
    """Ask whether a number is there."""
    url, headers = f"{runner.url}/v1/contacts/check", {"Authorization": f"Bearer {TOKENS['send']}"}
    async with runner.client.post(url, headers=headers, json={"phoneNumber": number}) as answer:
        return answer.status, await answer.json()


async def test_two_hundred_messages_are_read_back(start: Start, standin: StandIn, mode: str) -> None:
    """Each once, the newest first, those of one second too; with what came since; the same after a reload."""
    assert mode
    began = int(time.time()) - 10_000
    history = [
        {"text": f"text {number}", "id": f"H{number:03}", "from": FRIEND, "t": began + number // 3}
        for number in range(200)
    ]
    others = [{"text": "x", "id": f"O{one}", "from": f"155501006{one:02}", "t": began - one} for one in range(30)]
    await standin.phone.add_history(*others, *history)
    async with start() as runner:
        device = await link(runner, standin)
        sender = Sender(runner, standin, device)

        async def chats() -> list[dict[str, Any]]:
            return await read_all(runner, "chats", "chats", limit=7)

        expected = [FRIEND, *(one["from"] for one in others)]
        found = await async_until(
            "all chats, the newest first",
            chats,
            lambda some: expected == [one["person"]["waId"] for one in some],
            within=30,
        )
        friend = found[0]["id"]
        path = f"chats/{friend}/messages"
        await sender.gets("new", id="N1", data=base64.b64encode(PNG).decode(), mimetype="image/png", type="image")
        _, sent = await sender.send("mine")
        await sender.becomes(sent["messages"][0]["id"], "sent")
        expected = [sent["messages"][0]["id"], "N1", *(one["id"] for one in reversed(history))]

        async def messages() -> list[dict[str, Any]]:
            return await read_all(runner, path, "messages", limit=37)

        before = await messages()
        assert expected == [one["id"] for one in before]
        async with runner.loading_anew():
            await standin.phone.reload(device)

        async def again() -> list[dict[str, Any]]:
            url, headers = f"{runner.url}/v1/{path}", {"Authorization": f"Bearer {TOKENS['admin']}"}
            async with runner.client.get(url, headers=headers) as answer:
                return await messages() if answer.status == 200 else []

        after = await async_until("the page is back", again, lambda some: len(some) == 202, within=60)
        assert before == after
        assert ["sent", None, None] == [one["status"] for one in after[:3]]
        assert {"body": "text 199"} == after[2]["content"]["text"]
        file = after[1]["content"]["image"]["id"]
        assert (200, "image/png", PNG) == await content(runner, f"/v24.0/{file}/content", scope="send")
        assert PHONE == file[:15]


async def test_people_are_looked_up_and_seen(start: Start, standin: StandIn, mode: str) -> None:
    """Whether a number is there, the address book, pictures, and the own profile; nobody else's are 404."""
    assert mode
    await standin.phone.add_people(
        {"number": FRIEND, "lid": "777777", "picture": base64.b64encode(PNG).decode(), "about": "Busy"},
        {"number": GONE, "whatsapp": False},
        {"number": "15550100804", "lookup": "fails"},
    )
    await standin.phone.add_history(
        *({"text": "x", "id": f"H{one}", "from": f"155501007{one:02}"} for one in (77, *range(10)))
    )
    async with start() as runner:
        await link(runner, standin)
        status, found = await check(runner, f"+{FRIEND}")
        assert (200, True, FRIEND) == (status, found["exists"], found["person"]["waId"])
        assert (200, {"exists": False, "person": None}) == await check(runner, f"+{GONE}")
        assert 503 == (await check(runner, "+15550100804"))[0]

        async def contacts() -> list[dict[str, Any]]:
            return await read_all(runner, "contacts", "contacts", limit=4)

        book = await async_until("the address book", contacts, lambda some: len(some) == 11, within=30)
        by_number = {one["person"]["waId"]: one["person"]["userId"] for one in book}
        assert 11 == len(by_number)
        assert found["person"]["userId"] == by_number[FRIEND]

        picture = await content(runner, f"/v1/contacts/{by_number[FRIEND]}/picture")
        assert (200, "image/png", PNG) == picture
        assert 404 == (await content(runner, f"/v1/contacts/{by_number['15550100701']}/picture"))[0]
        assert 404 == (await content(runner, "/v1/profile/picture", scope="send"))[0]
        own = (await standin.phone.devices())[0]["number"]
        assert {"waId": own, "name": "Stand-in", "about": None} == await read(runner, "profile")
        await profile_changes(runner, standin, own)
        log = "\n".join(runner.raw_lines)
    assert not [one for one in (FRIEND, GONE, "Busy", ABOUT) if one in log]


async def profile_changes(runner: RunnerProcess, standin: StandIn, own: str) -> None:
    """The about text by both faces of the API and the name by ours; the server has them, and a reload shows them again."""
    device = (await standin.phone.devices())[0]["id"]
    headers = {"Authorization": f"Bearer {TOKENS['send']}"}

    async def change(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        async with runner.client.request(method, runner.url + path, headers=headers, json=body) as answer:
            return answer.status, await answer.json()

    changed = {"waId": own, "name": "Shop", "about": "Open until 6"}
    assert (200, changed) == await change("PATCH", "/v1/profile", {"name": "Shop", "about": "Open until 6"})
    body = {"messaging_product": "whatsapp", "about": ABOUT}
    path = f"/v24.0/{PHONE}/whatsapp_business_profile"
    assert (200, {"success": True}) == await change("POST", path, body)
    await standin.phone.reload(device)

    async def shown() -> Any:
        async with runner.client.get(f"{runner.url}/v1/profile", headers=headers) as answer:
            return await answer.json()

    await async_until("a reload", shown, lambda some: some == changed | {"about": ABOUT}, within=60)
    sent = [one for one in await standin.phone.signals(device) if one["kind"] == "profile"]
    assert [{"about": "Open until 6"}, {"name": "Shop"}, {"about": ABOUT}] == [
        {name: value for name, value in one.items() if name != "kind"} for one in sent
    ]


async def test_nothing_is_read_while_the_page_is_away(start: Start, standin: StandIn) -> None:
    """An account that cannot be asked is not shown as an empty one."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        assert "NotLinked" == (await read(runner, "chats", expected=409))["error"]["code"]
        device = await link(runner, standin)
        assert {"chats": [], "next": None} == await read(runner, "chats")
        await standin.phone.unreachable(device)
        await runner.wait_for_state("Reconnecting", "Offline")
        assert "NoPage" == (await read(runner, "chats", expected=503))["error"]["code"]


async def test_a_session_appears_online_if_it_is_asked_to(start: Start, standin: StandIn, mode: str) -> None:
    """And not any more when it is told so."""
    assert mode
    async with start() as runner:
        await link(runner, standin)
        for presence in ("Available", "Unavailable"):
            headers, body = {"Authorization": f"Bearer {TOKENS['send']}"}, {"presence": presence}
            async with runner.client.put(f"{runner.url}/v1/presence", headers=headers, json=body) as answer:
                assert (200, body | {"seconds": 300}) == (answer.status, await answer.json())
            wanted = presence == "Available"
            await async_until(
                presence, standin.phone.devices, lambda found, wanted=wanted: found[0]["available"] is wanted, within=20
            )
