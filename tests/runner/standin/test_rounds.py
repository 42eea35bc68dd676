"""The life of a round of codes in the page: one reference after the other, then idle, then a new round on request."""

import pytest
from runner.standin.conftest import OpenTab
from runner.standin.tabs import wait_for_value
from standin import Mode, PhoneRefusedError, StandIn, Timing

SHORT = Timing(first_ref=0.6, next_ref=0.2, ref_grace=0.0, first_sync=0.1, backoff_base=0.1, mutex_answer=0.3)


@pytest.mark.parametrize(("timing", "mode"), [(SHORT, Mode.LEGACY)])
async def test_six_codes_then_idle_then_anew(open_tab: OpenTab, standin: StandIn) -> None:
    """Six different codes are shown with their lifetimes, the last stays under a reload button, which starts over."""
    tab = await open_tab()
    await tab.qr()
    await tab.page.evaluate(
        """() => { const conn = require('WAWebConnModel').Conn; window.__shown = [[conn.ref, conn.refTTL]];
          conn.on('change:ref', () => window.__shown.push([conn.ref ?? null, conn.refTTL ?? null])) }"""
    )
    facts = await tab.wait_for_facts(state="UNPAIRED_IDLE", mode="QR")
    shown = await tab.page.evaluate("window.__shown.filter(([ref]) => ref)")
    lifetimes = [milliseconds for _, milliseconds in shown]

    assert lifetimes == [600.0, 200.0, 200.0, 200.0, 200.0, 200.0][-len(lifetimes) :]
    assert len(shown) == len({ref for ref, _ in shown}) >= 4
    with pytest.raises(PhoneRefusedError, match="expired"):
        await standin.phone.scan(facts["qr"])
    await tab.page.get_by_role("button").click()
    assert shown[-1][0] not in await tab.qr()


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_a_round_can_be_ended_by_the_phone(open_tab: OpenTab, standin: StandIn) -> None:
    """Tests need not wait 160 s for the idle screen."""
    tab = await open_tab()
    await tab.qr()
    assert 1 == await standin.phone.expire_qr()
    await tab.wait_for_facts(state="UNPAIRED_IDLE")


@pytest.mark.parametrize("mode", [Mode.LEGACY])
@pytest.mark.parametrize("form", ["link", "trailing"])
async def test_every_form_of_the_text_can_be_scanned(open_tab: OpenTab, standin: StandIn, form: str) -> None:
    """The phone takes the text as the page shows it, whatever is put around the five fields."""
    await standin.phone.set_qr_form(form)
    tab = await open_tab()
    text = await tab.qr()
    await standin.phone.scan(text)
    await tab.connected()

    async def code() -> object:
        return (await tab.facts())["qr"]

    assert text.startswith("https://wa.me/") or text.endswith("https://faq.whatsapp.com/r/ld")
    await wait_for_value(code, None)
