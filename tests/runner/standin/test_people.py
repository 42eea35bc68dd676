"""Who is there, as wa-js finds it out, and under which id a chat with somebody is kept."""

import pytest
from runner.standin.conftest import OpenTab
from runner.standin.linked import Linked
from standin import Mode, StandIn

pytestmark = pytest.mark.parametrize("mode", [Mode.LEGACY])

PEOPLE = (
    {"number": "15550100801", "lid": "801801801"},
    {"number": "551155501002", "spellings": ["5511955501002"]},
    {"number": "15550100803", "whatsapp": False},
    {"number": "15550100804", "lookup": "fails"},
    {"number": "15550100805", "lid": "805805805", "byLid": True},
    {"number": "15550100806", "lid": "806806806", "byLid": True, "hidden": True},
    {"number": "15550100807", "lookup": "silent"},
)
RAW = "require('WAWebQueryExistsJob').queryWidExists(WPP.whatsapp.WidFactory.createWid('%s@c.us'))"


async def linked_with_people(open_tab: OpenTab, standin: StandIn) -> Linked:
    """Link a page to a server that knows somebody of each kind."""
    await standin.phone.add_people(*PEOPLE)
    return await Linked.link(await open_tab(wa_js=True), standin)


async def found(linked: Linked, wid: str) -> list[str] | None:
    """Ask as wa-js does; gives wid and LID."""
    answer: list[str] | None = await linked.ask(
        f"await WPP.contact.queryExists('{wid}').then((one) => one && [String(one.wid), String(one.lid)])"
    )
    return answer


async def test_a_lookup_knows_number_lid_and_spelling(open_tab: OpenTab, standin: StandIn) -> None:
    """The wid is what WhatsApp calls the person, whichever way the number was written; nobody is null."""
    linked = await linked_with_people(open_tab, standin)

    assert ["15550100801@c.us", "801801801@lid"] == await found(linked, "15550100801@c.us")
    assert ["551155501002@c.us", "undefined"] == await found(linked, "5511955501002@c.us")
    assert ["15550100888@c.us", "undefined"] == await found(linked, "15550100888@c.us")
    assert await found(linked, "15550100803@c.us") is None
    assert "15550100803@c.us" in await linked.phone.lookups(linked.device)


async def test_a_failed_lookup_is_no_answer(open_tab: OpenTab, standin: StandIn) -> None:
    """wa-js gives the null that it gives for nobody; the page's own function fails, and for silence never answers."""
    linked = await linked_with_people(open_tab, standin)
    silence = f"Promise.race([{RAW % '15550100807'}, new Promise((end) => setTimeout(end, 300, 'nothing yet'))])"

    assert await found(linked, "15550100804@c.us") is None
    assert 500 == await linked.ask(f"await {RAW % '15550100804'}.catch((error) => error.code)")
    assert await linked.ask(f"await {RAW % '15550100803'}") is None
    assert "nothing yet" == await linked.ask(f"await {silence}")
    await linked.phone.unreachable(linked.device)
    await linked.tab.wait_for_facts(state="OPENING")
    assert "not connected" in await linked.ask(f"await {RAW % '15550100801'}.catch((error) => error.message)")


async def test_wa_js_answers_from_what_it_knows(open_tab: OpenTab, standin: StandIn) -> None:
    """With a chat there is a contact, and nobody asks the server again: not even for a number that has left."""
    linked = await linked_with_people(open_tab, standin)
    await linked.send("hello", "15550100803@c.us")

    assert ["15550100803@c.us", "undefined"] == await found(linked, "15550100803@c.us")
    assert [] == await linked.phone.lookups(linked.device)


async def test_a_person_has_one_chat(open_tab: OpenTab, standin: StandIn) -> None:
    """By the LID where WhatsApp addresses by it, once it is known, whether one writes to the number or they write."""
    linked = await linked_with_people(open_tab, standin)
    await linked.phone.send(linked.device, "from the hidden one", **{"from": "15550100806"})
    await found(linked, "15550100805@c.us")
    await linked.send("to the number", "15550100805@c.us")
    await linked.phone.send(linked.device, "answer", **{"from": "15550100805"})
    await linked.stored()
    await linked.reload()
    await linked.send("again", "15550100805@c.us")
    chats = ["805805805@lid", "806806806@lid"]

    assert chats == await linked.ask("(await WPP.chat.list()).map((chat) => String(chat.id)).sort()")
    assert ["to the number", "answer", "again"] == await linked.texts(chats[0])
    cache = "WPP.whatsapp.lidPnCache.getPhoneNumber(WPP.whatsapp.WidFactory.createWid('%s'))"
    assert "15550100805@c.us" == await linked.ask(f"String({cache % chats[0]})")
    assert await linked.ask(f"{cache % chats[1]} ?? null") is None
