"""Planted faults: each takes one thing away by which the runner knows what is true. A walk has to find every one.

They are patches of the running program, put in before it starts (`planted`), and ship with nothing. One that no longer fits
the code fails, so that none is tried in vain. Most are what some version of this or of another program once did.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

__all__ = ["FAULTS", "plant"]


def plant(name: str) -> None:
    """Put a fault into this process, which has not imported the runner yet."""
    FAULTS[name]()


def _script(name: str, old: str, new: str) -> None:
    """Replace a piece of a script that runs in the page."""
    from session_runner.page import scripts

    original = scripts.script
    if old not in original(name):
        raise ValueError(f"{name} has no {old!r}: the planted fault has to be put elsewhere")

    def changed(wanted: str) -> str:
        return original(wanted).replace(old, new) if wanted == name else original(wanted)

    vars(scripts)["script"] = changed


def _exists(owner: type, name: str) -> None:
    if name not in vars(owner):
        raise ValueError(f"{owner.__name__} has no {name}: the planted fault has to be put elsewhere")


def _facts(**fixed: Any) -> None:
    """Let some facts always read the same."""
    from session_runner.states.facts import Facts

    original = Facts.parse
    Facts.parse = classmethod(lambda _cls, raw: replace(original(raw), **fixed))  # type: ignore[method-assign, assignment]


def reload_unseen() -> None:
    """A page that leaves goes on being what it was."""
    from session_runner.monitoring.monitor import PageMonitor

    for method in ("_leave", "_show_navigation"):
        _exists(PageMonitor, method)
        setattr(PageMonitor, method, lambda *_: None)


def refusal_never_ends() -> None:
    """A ban or an outage that was told lasts until the page streams again."""
    _script("refusals.js", "    present[kind] = null;\n", "")


def refusal_by_event_alone() -> None:
    """A ban or an outage is known by its event alone, and only once the injected library listens."""
    _script("refusals.js", "if (!byText) return null;", "return null;")
    _script("modules.js", "const TOLD = [", "const TOLD = []; const LATE = [")


def network_unseen() -> None:
    """The page's own word that it has no network is not read."""
    _facts(online=None)


def cap_unseen() -> None:
    """An account that may begin no new chats is as good as any other."""
    _facts(capped=False)


def resuming_is_silence() -> None:
    """A stream that resumes counts as one that is down."""
    from session_runner.states.facts import Facts

    Facts.is_let_in = Facts.streaming  # type: ignore[method-assign]


def replaced_unseen() -> None:
    """A page that gave its connection up looks as if it still had one."""
    _facts(comms=True)


def hold_forgotten() -> None:
    """The next pod opens the page in a conflict, a ban, or after a logout that waits."""
    from session_runner.monitoring.state_file import StateFile

    begin = StateFile.begin

    def forget(self: StateFile) -> None:
        begin(self)

    StateFile.begin = forget  # type: ignore[method-assign]


def link_forgotten() -> None:
    """The next pod does not know that the session was linked, so that a logout meanwhile looks like a first start."""
    from session_runner.monitoring.state_file import StateFile

    history = StateFile.history
    StateFile.history = lambda self, *, now: replace(history(self, now=now), linked=False)  # type: ignore[method-assign]


def events_unheard() -> None:
    """Nothing wakes the runner's look at the page: it comes when it comes."""
    _script("bridge.js", "try { window.__sessionWake(", "try { (() => {})(")


def logout_covered() -> None:
    """A logout counts as said although another state stood in front of it."""
    from session_runner.states import history

    reported = history.reported

    def recorded(before: history.History, state: Any, *, now: float) -> history.History:
        after = reported(before, state, now=now)
        return replace(after, logout_shown_since=before.logged_out_since)

    vars(history)["reported"] = recorded


def dead_code_served() -> None:
    """A code is served until there is another one."""
    from session_runner.store import StateStore

    show = StateStore.show_code

    def keep(self: StateStore, text: str | None, *, lifetime: float) -> None:
        if text is not None:
            show(self, text, lifetime=lifetime)

    StateStore.show_code = keep  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        reload_unseen,
        refusal_never_ends,
        refusal_by_event_alone,
        network_unseen,
        cap_unseen,
        resuming_is_silence,
        replaced_unseen,
        hold_forgotten,
        link_forgotten,
        events_unheard,
        logout_covered,
        dead_code_served,
    )
}
