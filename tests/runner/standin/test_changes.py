"""Edits, revokes and reactions, from either side."""

import pytest
from runner.standin.conftest import OpenTab
from runner.standin.linked import FRIEND, Linked
from standin import Mode, StandIn

pytestmark = pytest.mark.parametrize("mode", [Mode.LEGACY])

FROM = {"from": FRIEND.partition("@")[0]}
NOTE = """() => { window.__seen = []; const note = (...one) => window.__seen.push(one);
  WPP.on('chat.msg_edited', ({id, msg}) => note('edited', id, msg.body));
  WPP.on('chat.msg_revoke', ({type, refId}) => note(type, String(refId)));
  WPP.on('chat.new_reaction', ({msgId, reactionText, sender}) => note('reaction', String(msgId), reactionText,
    String(sender))) }"""


async def test_what_others_change_is_reported_and_kept(open_tab: OpenTab, standin: StandIn) -> None:
    """wa-js has its event for each; after a reload the texts and the reaction are the changed ones, without an event."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.page.evaluate(NOTE)
    for number in (1, 2):
        await linked.phone.send(linked.device, f"text {number}", id=f"T{number}", **FROM)
    await linked.phone.edit(linked.device, "T1", "text 1, edited", **FROM)
    await linked.phone.revoke(linked.device, "T2", **FROM)
    await linked.phone.react(linked.device, "T1", "👍", **FROM)
    first, second = (f"false_{FRIEND}_T{number}" for number in (1, 2))
    seen = [
        ["edited", first, "text 1, edited"],
        ["sender_revoke", second],
        ["reaction", first, "👍", FRIEND],
    ]
    await linked.wait_for("window.__seen", seen)
    await linked.reload()

    assert ["text 1, edited", ""] == await linked.texts()
    assert "revoked" == await linked.ask("store.getModelsArray().at(-1).type")
    reactions = f"(await WPP.chat.getReactions('{first}')).reactions.map((one) => one.aggregateEmoji)"
    assert ["👍"] == await linked.ask(reactions)
    await linked.phone.react(linked.device, "T1", "", **FROM)
    await linked.stored()
    assert [] == await linked.ask(reactions)


async def test_what_the_page_changes_reaches_the_phone(open_tab: OpenTab, standin: StandIn) -> None:
    """Edit, reaction, forward and revoke of own messages; what was deleted before it was sent is never sent."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    key = f"true_{FRIEND}_{await linked.send('hello')}"
    await linked.wait_for("store.map((msg) => msg.ack)", [1])
    await linked.ask(f"(await WPP.chat.editMessage('{key}', 'hello, edited', {{linkPreview: false}})).id")
    answer = await linked.ask(f"await WPP.chat.sendReactionToMessage('{key}', '👍')")
    await linked.ask(f"await WPP.chat.forwardMessages('15550100778@c.us', ['{key}']).then(() => true)")
    await linked.ask(f"await WPP.chat.deleteMessage('{FRIEND}', '{key}', true, true)")
    await linked.phone.unreachable(linked.device)
    await linked.tab.wait_for_facts(state="OPENING")
    taken_back = f"true_{FRIEND}_{await linked.send('never')}"
    await linked.ask(f"await WPP.chat.deleteMessage('{FRIEND}', '{taken_back}', true, false)")
    await linked.phone.online(linked.device)
    await linked.tab.connected()
    target = {"id": key.rpartition("_")[2], "fromMe": True}
    arrived = [
        (one["kind"], one["body"], one.get("subtype"), one.get("target"))
        for one in await linked.phone.messages(linked.device)
    ]

    assert "OK" == answer["sendMsgResult"]["messageSendResult"]
    assert [
        ("chat", "hello", None, None),
        ("protocol", "hello, edited", "message_edit", target),
        ("reaction", "👍", None, target),
        ("chat", "hello, edited", None, None),
        ("protocol", "", "sender_revoke", target),
    ] == arrived
