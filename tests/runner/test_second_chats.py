"""Messages on a page by another hand, which has what wa-js needs for them and no more: no store, and no search in one."""

import asyncio

import pytest
from playwright.async_api import Error
from runner.second import Open, Second, browser, opened  # noqa: F401 -- fixtures
from support.waiting import async_until

pytestmark = pytest.mark.asyncio(loop_scope="module")
FRIEND = "15550100777@c.us"


async def connect(opened: Open, generation: str, **early: list[object]) -> Second:  # noqa: F811
    """Open the page with its chats."""
    second = await opened(generation, chats=True, early=early)
    await second.control("connected")
    await second.facts(registered=True)
    return second


@pytest.fixture(params=["legacy", "modern"])
def generation(request: pytest.FixtureRequest) -> str:
    """Both generations; the older one has no contacts here."""
    return str(request.param)


async def test_what_comes_in_is_found_among_what_is_shown(generation: str, opened: Open) -> None:  # noqa: F811
    """A message wakes, is listed with the others of its chat in their order, and read; so is what becomes of it."""
    second = await connect(opened, generation)
    for name, t in (("A", 1_800_000_000), ("B", 1_800_000_001)):
        await second.control("comes", name, {"from": FRIEND, "body": name, "t": t})
    await async_until("it wakes", lambda: _count(second, "message"), lambda count: count >= 1)

    taken = await second.ask("inbox_take.js", {"again": False})
    (chat,) = taken["chats"]
    assert {"id": FRIEND, "number": "15550100777", "lid": None, "name": None} == chat["who"]
    assert [("A", True), ("B", True)] == [(entry["id"], entry.get("fresh")) for entry in chat["entries"]]
    assert ["A", "B"] == [
        one["body"] for one in await second.ask("inbox_read.js", {"keys": [e["key"] for e in chat["entries"]]})
    ]
    listed = await second.ask("inbox_list.js", {"id": FRIEND, "since": 1_800_000_001, "from": None, "reacted": True})
    assert (["B"], None) == ([entry["id"] for entry in listed["entries"]], listed["next"])
    assert [FRIEND] == [one["id"] for one in (await second.ask("inbox_chats.js", {"since": 0}))["chats"]]

    second.woken.clear()
    await second.control("becomes", f"false_{FRIEND}_A", {"type": "revoked"})
    await async_until("it wakes", lambda: _count(second, "message"), lambda count: count == 1)
    taken = await second.ask("inbox_take.js", {"again": False})
    assert ["revoked", "chat"] == [entry["type"] for entry in taken["chats"][0]["entries"]]


async def test_a_burst_of_one_second_keeps_its_order(generation: str, opened: Open) -> None:  # noqa: F811
    """Also what is not among the newest messages of the chat any more."""
    second = await connect(opened, generation)
    names = [f"M{number}" for number in range(30)]
    for name in names:
        await second.control("comes", name, {"from": FRIEND, "body": name, "t": 1_800_000_000})
    (chat,) = (await second.ask("inbox_take.js", {"again": False}))["chats"]
    assert names == [entry["id"] for entry in chat["entries"]]


async def test_what_is_sent_is_followed(generation: str, opened: Open) -> None:  # noqa: F811
    """Handed over once under its id, and its receipts count though this page keeps none of them with the message."""
    second = await connect(opened, generation)
    content = {"body": "hello", "mentions": [], "preview_url": False, "preview": None}
    wanted: dict[str, object] = {
        "id": "S1",
        "to": FRIEND,
        "kind": "text",
        "content": content,
        "about": None,
        "chats": [],
        "look": False,
        "untold": False,
    }
    key = f"true_{FRIEND}_S1"

    async def handed(**changes: object) -> object:
        (answer,) = await second.ask("send.js", {"own": None, "messages": [wanted | changes]})
        return answer

    assert {"key": key} == await handed() == await handed()
    assert [["S1", FRIEND, "hello"]] == await second.page.evaluate("control.sent()")
    assert {"missing": True} == await handed(id="S2", about="NONE")
    assert await handed(id="S3", look=True) is None  # the page has none of that id
    assert [1] == await second.ask("acks.js", {"keys": [key]})
    await second.control("receipt", "S1", FRIEND, 3)
    await async_until("it is read", lambda: second.ask("acks.js", {"keys": [key]}), lambda acks: acks == [3])


async def test_a_chat_that_hangs_costs_the_others_a_moment_once(generation: str, opened: Open) -> None:  # noqa: F811
    """What the page is still at is pending, wakes the runner when it is over, and is begun once; what fails so late is told."""
    second = await connect(opened, generation)
    stuck, other = "15550100778@c.us", "15550100779@c.us"
    for hanging in (stuck, other):
        await second.page.evaluate("(id) => WPP.whatsapp.ChatStore.models.delete(id)", hanging)
        await second.control("hangs", hanging)

    async def ask(*names: str) -> list[object]:
        chats = {"S": stuck, "O": other, "F": FRIEND}
        text = {"kind": "text", "content": {"body": "hello", "mentions": [], "preview_url": False, "preview": None}}
        rest: dict[str, object] = {"about": None, "chats": [], "look": False, "untold": False}
        wanted = [{"id": name, "to": chats[name[0]]} | text | rest for name in names]
        answers: list[object] = await second.ask("send.js", {"own": None, "messages": wanted})
        return answers

    def key(name: str) -> dict[str, str]:
        return {"key": f"true_{FRIEND}_{name}"}

    answers = await ask("S1", "S2", "O1", "F1", "F2")
    assert [{"pending": True}, {"held": True}, {"pending": True}, key("F1"), key("F2")] == answers
    answers = await ask("S1", "S2", "O1", "F3")
    assert [{"pending": True}, {"held": True}, {"pending": True}, key("F3")] == answers

    second.woken.clear()
    await second.control("goesOn", stuck)
    await second.control("fails", other)
    await async_until("it wakes", lambda: _count(second, "handed"), lambda count: count >= 1)
    answers = await ask("S1", "S2", "O1")
    assert [{"key": f"true_{stuck}_S1"}, {"key": f"true_{stuck}_S2"}, {"failed": True}] == answers
    assert ["F1", "F2", "F3", "S1", "S2"] == [one[0] for one in await second.page.evaluate("control.sent()")]


async def test_a_receipt_of_the_first_moments_counts(generation: str, opened: Open) -> None:  # noqa: F811
    """What was read while the session was away: the page hears of it before wa-js listens, and keeps it nowhere."""
    second = await connect(opened, generation, receipt=["S1", FRIEND, 3])
    assert [3] == await second.ask("acks.js", {"keys": [f"true_{FRIEND}_S1"]})


async def test_what_becomes_of_messages_counts_before_all_is_ready(generation: str, opened: Open) -> None:  # noqa: F811
    """An ack and an edit wake the runner, though the page never gets to the mode for which the library waits."""
    second = await opened(generation, chats=True, mode="SYNCING")
    await second.control("connected")
    await second.facts(registered=True)
    assert not await second.page.evaluate("WPP.isFullReady")
    await second.control("comes", "A", {"from": FRIEND, "body": "A"})
    await second.control("comes", "B", {"from": FRIEND, "body": "B", "fromMe": True})
    await async_until("they wake", lambda: _count(second, "message"), lambda count: count >= 1)
    await asyncio.sleep(0.5)
    second.woken.clear()

    await second.control("becomes", f"true_{FRIEND}_B", {"ack": 1})
    await second.control("becomes", f"false_{FRIEND}_A", {"latestEditMsgKey": "E"})
    await async_until("an ack wakes", lambda: _count(second, "ack"), lambda count: count >= 1)
    await async_until("an edit wakes", lambda: _count(second, "message"), lambda count: count >= 1)


async def test_a_silent_chat_holds_up_the_reading_of_no_other(generation: str, opened: Open) -> None:  # noqa: F811
    """What hangs or fails in it is left for later, and is lost to nobody: all chats are to be read anew."""
    second = await connect(opened, generation)
    stuck = "15550100778@c.us"
    await second.page.evaluate(
        """(stuck) => {
          const { newest, message } = window.__session;
          Object.assign(window.__session, {
            newest: (chat, count) => (String(chat.id) === stuck ? new Promise(() => {}) : newest(chat, count)),
            message: async (key) => { if (String(key).includes(stuck)) throw new Error('no'); return message(key); },
          });
        }""",
        stuck,
    )
    assert (await second.ask("inbox_take.js", {"again": False}))["lost"] is True
    for name, chat in (("A", stuck), ("B", FRIEND)):
        await second.control("comes", name, {"from": chat, "body": name})

    taken = await second.ask("inbox_take.js", {"again": False})
    assert (True, [["B"]]) == (taken["lost"], [[one["id"] for one in chat["entries"]] for chat in taken["chats"]])
    wanted = {"since": 0, "from": None, "reacted": False}
    assert {"entries": [], "next": None, "failed": True} == await second.ask("inbox_list.js", {"id": stuck, **wanted})
    keys = [f"false_{stuck}_A", f"false_{FRIEND}_B", f"false_{FRIEND}_GONE"]
    later, there, gone = await second.ask("inbox_read.js", {"keys": keys})
    assert ("later", "B", None) == (later, there["body"], gone)
    assert [None] == await second.ask("strangers.js", {"numbers": ["15550100778"]})


async def test_what_the_page_has_no_function_for_is_refused(generation: str, opened: Open) -> None:  # noqa: F811
    """A reply is not sent without its quote, nor is a mark waited for; a page that has just come may still get both."""
    second = await connect(opened, generation)
    await second.control("comes", "A", {"from": FRIEND, "body": "A"})
    content = {"body": "hello", "mentions": [], "preview_url": False, "preview": None}
    reply = {"id": "S1", "to": FRIEND, "kind": "text", "content": content, "about": "A", "chats": []}
    wanted = {"own": None, "messages": [reply | {"look": False, "untold": False}]}
    mark: dict[str, object] = {"own": None, "id": "A", "chats": [], "typing": True}

    assert [{"failed": True}] == await second.ask("send.js", wanted)
    await second.page.evaluate("performance.now = () => 61_000")
    assert [{"unsupported": True}] == await second.ask("send.js", wanted)
    assert "unsupported" == await second.ask("mark.js", mark)
    assert "missing" == await second.ask("mark.js", mark | {"id": "B"})
    assert [] == await second.page.evaluate("control.sent()")


async def test_a_mark_in_a_chat_that_hangs_fails_soon(generation: str, opened: Open) -> None:  # noqa: F811
    """Long before the runner would give the page up, so that the next mark is not kept waiting."""
    second = await connect(opened, generation)
    await second.control("comes", "A", {"from": FRIEND, "body": "A"})
    await second.page.evaluate(
        """() => {
          const { WPP } = window;
          const chat = new Proxy(WPP.chat, { get: (of, name) => (name === 'markIsRead' ? () => new Promise(() => {}) : of[name]) });
          window.WPP = new Proxy(WPP, { get: (of, name) => (name === 'chat' ? chat : of[name]) });
        }"""
    )

    with pytest.raises(Error, match="too late"):
        await second.ask("mark.js", {"own": None, "id": "A", "chats": [], "typing": False})


async def _count(second: Second, name: str) -> int:
    return second.woken.count((name, None))
