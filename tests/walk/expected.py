"""What the session has to say of a scene: which states, by when, and what it may say on the way.

Where two words are right the answer is a set. A state is written as it is reported, `Conflict/Replaced`; without a reason,
any will do. `PROMPT` is the promise for what the page is told: a second. What nobody tells (a session that was replaced, a
network that is gone) has its own time.
"""

import dataclasses

from walk.scene import Document, Scene
from walk.steps import Step

__all__ = ["BAN_SECONDS", "BUSY_SECONDS", "CONNECTION_CHECK", "SLOW_SECONDS", "Expectation", "expectation", "shown"]

CONNECTION_CHECK = 2.0
""" Seconds; what the runners of a walk are started with. """
BAN_SECONDS = 6
""" A short ban; one other step is done before it ends. """
SLOW_SECONDS = 3.0
""" What a slow login takes to synchronise: longer than a connection may be lost. """
BUSY_SECONDS = 1.0
PROMPT = 1.0
_LOAD = 8.0
""" From a document's arrival to what it shows; most of it is the injected library's waiting. """
_LOGOUT_IS_REPORTED = 3.0
_LOGOUT_IS_OVER = 11.0
""" By then a logout would be over that nothing covers: five seconds to be believed, two to be reported, and two looks. """
_RETURN = 4.0
""" From the network's return to the connection: the page's own pause, and a look. """
_NEW_CODE = 3.0
_CUT_OFF = 2.0
""" A code that nobody can scan any more may stay QRPending for a second of it, after the page's own pause. """

LOGGED_OUT = "LoggedOut/Relinking"
_UNSEEN = {"drop", "reload", "arrive", "refuse_page", "busy"}
_RELINK = Step("start", "relink")
_SILENT = CONNECTION_CHECK + 4.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectation:
    """What has to be seen after a step."""

    final: frozenset[str]
    """ One of these, at the latest `within`; and it stays. """
    within: float
    passing: frozenset[str]
    """ What may be seen before. """
    before: frozenset[str]
    """ What was right until now. """
    late: float
    """ Seconds for which that may still be said. """
    through: str = ""
    """ What has to be seen on the way. """
    code: bool
    """ A code that can be scanned is served, or none is. """
    linked: bool | None
    loads: int
    stays: float
    """ Seconds for which it has to stay before the next step. """


def shown(scene: Scene) -> frozenset[str]:
    """The states that are right once everything is at rest; empty without a pod."""
    if scene.pod == "none":
        return frozenset()
    page = scene.document
    if scene.pod == "closed":
        return frozenset({scene.hold})
    if page is None:
        return frozenset({scene.hold or "Loading"})
    screens: tuple[tuple[bool, set[str]], ...] = (  # in the order in which a page shows them
        (page.screen == "ban" or (page.owes and not page.let_in), {"TemporarilyBanned/Banned"}),
        (page.screen == "outage", {"ServiceUnavailable/ServiceDown"}),
        (page.stopped == "other tab", {"Conflict/OtherTab"}),
        # An update that is refused looks the same.
        (page.stopped == "replaced", {"Conflict/Replaced"} | ({"UpdateNeeded"} if page.update else set())),
        (page.locked, {"ScreenLocked"}),
        (page.storage_failed, {"Degraded/StorageFailed"}),
    )
    shows = next((states for is_so, states in screens if is_so), None)
    return frozenset(shows or (_linked(scene, page) if scene.login else _unlinked(scene, page)))


def _unlinked(scene: Scene, page: Document) -> frozenset[str]:
    if scene.remembered:
        offline = {"Offline"} if scene.network else set()
        return frozenset({"LoggedOut/WaitingForPerson"} | offline)
    if scene.network == "offline":
        return frozenset({"Offline/NetworkUnreachable"})
    if page.at_passkey:
        return frozenset({"PasskeyRequired"} | ({"Offline"} if scene.network else set()))
    return frozenset({"Offline/NoConnection"} if scene.network else {"QRPending/WaitingForScan"})


def _linked(scene: Scene, page: Document) -> frozenset[str]:
    if scene.network:
        values = {"Offline/NetworkUnreachable" if scene.network == "offline" else "Offline/NoConnection"}
        if page.update:  # one that is refused looks the same
            values.add("UpdateNeeded")
        if scene.hold and not page.let_in:  # a conflict, say: nothing has shown that it is over
            values.add(scene.hold)
        return frozenset(values)
    if page.dialog:
        known = page.language == "en" and page.dialog == "passkey"
        return frozenset({"PasskeyRequired" if known else "ActionRequired/DialogOpen"})
    reasons = {"timelock": "Restricted/TimeLock", "capping": "Restricted/MessagesCapped", "": "Connected"}
    return frozenset({reasons[scene.restriction]})


def expectation(before: Scene, step: Step, after: Scene) -> Expectation:
    """What has to be seen once the step is done."""
    forgot = before.login and not after.login
    relinked = before.remembered and not after.remembered and not after.login and step != _RELINK
    unasked = after.pod == "closed" and not after.login  # a page that stays closed is not asked whether it is linked
    passing, within = _on_the_way(before, step, after)
    if forgot or relinked:
        within += _LOGOUT_IS_REPORTED + _LOAD
    return Expectation(
        final=shown(after),
        within=within,
        passing=passing | ({LOGGED_OUT} if forgot or relinked or step == _RELINK else set()),
        before=shown(before),
        late=PROMPT,
        through=LOGGED_OUT if relinked else "",
        code=shown(after) == {"QRPending/WaitingForScan"},
        linked=None if after.coming or unasked else after.login,
        loads=after.loads,
        stays=_stays(before, step, after),
    )


def _stays(before: Scene, step: Step, after: Scene) -> float:
    """Where nothing but a moment shows that something happened, the moment has to have passed."""
    is_covered = after.document is not None and not any(state.startswith("LoggedOut") for state in shown(after))
    if before.login and not after.login and after.remembered and is_covered:
        return _LOGOUT_IS_OVER
    return 1.0 if step.name in _UNSEEN and shown(before) & shown(after) else 0.1


def _on_the_way(before: Scene, step: Step, after: Scene) -> tuple[frozenset[str], float]:
    """What may be seen before, and how long it takes."""
    linked = before.login or after.login
    loading = {"Starting", "Loading"} | ({"Syncing", "Reconnecting"} if linked else set())
    lost = {"Reconnecting", "Syncing"} if linked else {"Loading"}
    passing, within = _by_step(before, step, after, loading=loading, lost=lost)
    page = after.document
    if page is None:
        return frozenset(passing), within
    noticed_late = after.network == "unreachable" or (after.network == "offline" and step.name != "offline")
    if noticed_late or page.stopped in {"replaced", "other tab"}:
        cut_off = step.name == "unreachable" and shown(before) == {"QRPending/WaitingForScan"}
        passing, within = passing | lost, within + (_CUT_OFF if cut_off else _SILENT)
        if page.storage_failed:  # which is as true until the other is known
            passing |= {"Degraded/StorageFailed"}
        if step.name in {"other_tab", "unreachable"} and not linked:
            passing |= shown(before)  # a code, say: it stays on the screen, although nobody can scan it any more
    if after.slow and step.name != "slow":
        within += SLOW_SECONDS
    return frozenset(passing), within


def _by_step(before: Scene, step: Step, after: Scene, *, loading: set[str], lost: set[str]) -> tuple[set[str], float]:
    was = set(shown(before))
    if step.name == "start":
        return loading, _LOAD + 20.0
    if after.loads != before.loads or step.name == "arrive":
        # What waits for a person stays until the next document has shown that it is over.
        return loading | ({before.hold} if before.hold else set()), _LOAD
    retries = (
        before.document is not None and before.document.screen == "outage"
    )  # it meets what is new with its next try
    by_name: dict[str, tuple[set[str], float]] = {
        "online": (was | lost, _RETURN),
        "ban_over": (was | lost, BAN_SECONDS + _RETURN),
        "drop": (was | lost, _RETURN),
        "give_up_passkey": (was | lost, _RETURN),
        "scan": (was | {"Loading", "Syncing", "Reconnecting"}, _RETURN),
        "link_with_passkey": (was | {"QRPending", "Loading", "Syncing", "Reconnecting"}, _RETURN),
        "expire_code": (was, _NEW_CODE),
        "busy": (was, PROMPT + BUSY_SECONDS),
    }
    otherwise = (was | lost, _RETURN) if retries else (lost if after.network else set(), PROMPT)
    return by_name.get(step.name, otherwise)
