"""Tables on a screen and down a pipe."""

import dataclasses
import re

import pytest
from kubectl_whatsapp.tables import Table
from unit.plugin.plugin_harness import ConsoleHarness

HEADER = ["NAME", "STATE", "MESSAGE"]
LONG = "There is no place for it, because others have taken all that the quota gives."


def on_a_screen(harness: ConsoleHarness, *, columns: int, colours: bool = False) -> ConsoleHarness:
    """The same console as a screen of that width."""
    screen = dataclasses.replace(harness.console, terminal=True, columns=columns, colours=colours)
    return dataclasses.replace(harness, console=screen)


def lines(harness: ConsoleHarness) -> list[str]:
    """What was shown, without styles and without spaces at the ends of lines."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", harness.out.getvalue()).splitlines()]


def test_a_pipe_has_no_width(harness: ConsoleHarness) -> None:
    """One line for each row, whatever its length, so that awk finds every column."""
    Table(HEADER, keys=1).print([["sales", "Queued", LONG], ["a", "-", ""]], console=harness.console)

    assert [
        "NAME    STATE    MESSAGE",
        f"sales   Queued   {LONG}",
        "a       -",
    ] == harness.out.getvalue().splitlines()


def test_a_screen_that_is_wide_enough(harness: ConsoleHarness) -> None:
    """The same columns."""
    wide = on_a_screen(harness, columns=120)

    Table(HEADER, keys=1).print([["sales", "Queued", LONG], ["a", "-", ""]], console=wide.console)

    assert ["NAME    STATE    MESSAGE", f"sales   Queued   {LONG}", "a       -"] == lines(wide)


def test_a_message_is_wrapped_in_its_column(harness: ConsoleHarness) -> None:
    """Where there is room to read in."""
    screen = on_a_screen(harness, columns=65)

    Table(HEADER, keys=1).print([["sales", "Queued", LONG]], console=screen.console)

    assert [
        "NAME    STATE    MESSAGE",
        "sales   Queued   There is no place for it, because others have",
        "                 taken all that the quota gives.",
    ] == lines(screen)


def test_a_message_without_room_stands_below(harness: ConsoleHarness) -> None:
    """With the row's name, over the whole width; a row without one has none there."""
    screen = on_a_screen(harness, columns=40)

    Table(["NAMESPACE", *HEADER], keys=2).print(
        [["shop", "sales", "Queued", LONG], ["shop", "a", "-", ""]], console=screen.console
    )

    assert [
        "NAMESPACE   NAME    STATE",
        "shop        sales   Queued",
        "shop        a       -",
        "",
        "shop/sales: There is no place for it,",
        "because others have taken all that the",
        "quota gives.",
    ] == lines(screen)


def test_a_window_that_is_too_narrow_for_the_columns(harness: ConsoleHarness) -> None:
    """Nothing is lost: cells are folded."""
    screen = on_a_screen(harness, columns=12)

    Table(["NAME", "STATE"]).print([["support-desk", "Connected"]], console=screen.console)

    columns = [(line[:6].strip(), line[6:].strip()) for line in lines(screen)]
    assert "support-desk" in "".join(left for left, _ in columns)
    assert "Connected" in "".join(right for _, right in columns)
    assert all(len(line) <= 12 for line in lines(screen))


@pytest.mark.parametrize("terminal", [True, False])
def test_markup_is_text(harness: ConsoleHarness, *, terminal: bool) -> None:
    """What looks like an instruction to the table's library is shown as it is written, on one line."""
    given = harness if not terminal else on_a_screen(harness, columns=120, colours=True)
    odd = "[red]x[/red] [link=https://a.example]y[/link] :smile: [/] [b"

    Table(HEADER, keys=1).print([["[bold]a", "[/]", odd]], console=given.console)

    assert f"[bold]a   [/]     {odd}" == lines(given)[1]


def test_rows_that_come_later_stand_below_the_first(harness: ConsoleHarness) -> None:
    """Without a header, in the columns of the first ones; a message that none of those had is shown."""
    table = Table(HEADER, keys=1)

    for terminal in (False, True):
        table.widths.clear()
        shown = on_a_screen(harness, columns=120) if terminal else harness
        table.print([["sales", "Starting", ""]], console=shown.console)
        table.print([["a", "b", "why"]], console=shown.console)

    expected = ["NAME    STATE", "sales   Starting", "a       b          why"]
    assert [*expected, *expected] == lines(harness)


def test_colours(harness: ConsoleHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words have their styles on a screen, unless NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm")
    for colours in (True, False):
        screen = on_a_screen(harness, columns=80, colours=colours)
        Table(["NAME", "READY"], styles={"True": "green"}).print([["sales", "True"]], console=screen.console)

    with_colours, without = harness.out.getvalue().split("sales")[1:]
    assert "\x1b[32mTrue" in with_colours
    assert "\x1b[32m" not in without
