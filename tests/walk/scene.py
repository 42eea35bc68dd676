"""What the steps so far have led to: the phone, the service and the network; the profile; the pod; the page's document.

Nothing here was read from a page or a runner. What a page does follows from what reaches it: `met` is the one place that
says what a page which tries to connect meets.
"""

import dataclasses
from typing import Literal

__all__ = ["BEGIN", "Document", "Scene", "fresh", "met"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Document:
    """What the document that is in the page has gone through. A reload begins another one, which knows nothing of it."""

    language: str
    let_in: bool = False
    """ The service has taken a connection of it: as a companion, or as a page that waits for a phone. """
    stopped: Literal["", "ban", "replaced", "other tab"] = ""
    """ Why it no longer tries to connect. """
    screen: Literal["", "ban", "outage"] = ""
    """ What it shows instead of everything else. """
    locked: bool = False
    dialog: str = ""
    """ A window over a linked page: passkey or action. """
    storage_failed: bool = False
    update: bool = False
    """ It knows of a newer version of the page. """
    at_passkey: bool = False
    """ Its linking has stopped for the owner's passkey. """
    owes: bool = False
    """ It was loaded during a ban: only being let in shows that the ban is over. """

    @property
    def tries(self) -> bool:
        """Whether it connects as soon as it can."""
        return not self.stopped


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """All that the model knows."""

    # The phone and the service.
    device: bool = False
    """ The phone lists the session. """
    restriction: str = ""
    slow: bool = False
    """ Its logins take a while to synchronise. """
    network: Literal["", "offline", "unreachable"] = ""
    outage: bool = False
    in_ban: int = 0
    """ Steps since a short ban began. """
    ban: Literal["", "short", "long"] = ""
    silent: bool = False
    """ Ban or outage is told by the page's screen alone, by no event. """
    language: str = "en"
    """ Of the next document. """

    # The profile.
    login: bool = False
    durable: bool = True
    """ What the profile holds is on disk: a killed browser loses nothing. """
    remembered: bool = False
    """ The session was linked, and its end has not been said yet. """
    must_wait: bool = False
    """ It may not be linked again without a person, whatever the policy. """
    hold: str = ""
    """ The state, with its reason, that waits for a person and outlives pods. """

    # The pod and its page.
    policy: Literal["Relink", "Wait"] = "Relink"
    """ What the session's spec says of a logout. """
    pod: Literal["none", "open", "closed"] = "none"
    """ `closed`: it runs and keeps the page closed. """
    document: Document | None = None
    """ None while there is no page, or the next document is on its way. """
    leaving: bool = False
    """ Until the next document arrives the one before goes on connecting to the service, and is told what befalls it. """
    loads: int = 0
    """ Documents asked for so far. """

    @property
    def coming(self) -> bool:
        """Whether the next document is on its way."""
        return self.pod == "open" and self.document is None

    @property
    def up(self) -> bool:
        """Whether the page is connected to the service."""
        page = self.document
        return page is not None and page.let_in and page.tries and not page.screen and not self.network

    @property
    def held_by_ban(self) -> bool:
        """Whether a ban waits for a person."""
        return self.hold.startswith("TemporarilyBanned")

    def page(self, **changes: object) -> "Scene":
        """Give a scene whose document differs in this."""
        assert self.document is not None
        return dataclasses.replace(self, document=dataclasses.replace(self.document, **changes))  # type: ignore[arg-type]

    def but(self, **changes: object) -> "Scene":
        """Give a scene that differs in this."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


BEGIN = Scene()
""" A new profile and no pod. """


def fresh(scene: Scene) -> Scene:
    """A new document has arrived, and tries to connect."""
    owes = scene.held_by_ban
    return met(scene.but(document=Document(language=scene.language, owes=owes), leaving=False))


def met(scene: Scene) -> Scene:
    """What the page meets that tries to connect, or is connected and is told."""
    page = scene.document
    if page is None or not page.tries:
        return _met_on_leaving(scene)
    if scene.network:
        return scene.page(locked=False)
    if scene.login and not scene.device:
        return fresh(_refused(scene))
    if scene.ban:
        return scene.page(screen="ban", stopped="ban", at_passkey=False)
    if scene.outage:
        return scene.page(screen="outage", locked=False, at_passkey=False)
    return scene.page(screen="", let_in=True, owes=False)


def _met_on_leaving(scene: Scene) -> Scene:
    """What a page meets whose next document is on its way. What it shows of that nobody sees; what it does counts."""
    if not scene.leaving or scene.network:
        return scene
    if scene.login and not scene.device:
        return _refused(scene).but(leaving=False)
    return scene.but(leaving=not scene.ban)


def _refused(scene: Scene) -> Scene:
    """The page is no companion of the phone any more: it forgets its login and loads itself anew."""
    waits = scene.must_wait or scene.held_by_ban
    return scene.but(login=False, durable=False, must_wait=waits, loads=scene.loads + 1)
