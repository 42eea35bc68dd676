"""Every step of a walk: when it is possible, what it does to the scene, and how often it is chosen.

What leads where nobody can say what is right (a page whose screen is locked and whose session is taken over, a phone that
unlinks during a ban) is left out, by `possible`.
"""

from collections.abc import Callable
from typing import NamedTuple

from walk.scene import Scene, fresh, met

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """One kind of step."""

    possible: Callable[[Scene, str], bool]
    effect: Callable[[Scene, str], Scene]
    arguments: tuple[str, ...] = ("",)
    weight: float = 1.0


def _linked(scene: Scene, _: str = "") -> bool:
    return scene.up and scene.login


def _at_code(scene: Scene, _: str = "") -> bool:
    """A code is shown."""
    return scene.up and not scene.login and not _at_passkey(scene) and not scene.hold


def _at_passkey(scene: Scene, _: str = "") -> bool:
    return scene.up and scene.document is not None and scene.document.at_passkey


def _page(scene: Scene, _: str = "") -> bool:
    return scene.document is not None and not _in_short_ban(scene)


def _in_short_ban(scene: Scene) -> bool:
    return scene.ban == "short"


def _free(scene: Scene) -> bool:
    """Nothing is under way that ends by itself."""
    return not _in_short_ban(scene)


def _unseen(scene: Scene) -> bool:
    return scene.document is None


# What each does.


def _link(scene: Scene, _: str) -> Scene:
    linked = scene.but(
        login=True, device=True, remembered=True, must_wait=False, durable=False, restriction="", slow=False
    )
    return linked.page(at_passkey=False, storage_failed=False)


def _unlink(scene: Scene, _: str) -> Scene:
    return met(scene.but(device=False, restriction="", slow=False))


def _log_out(scene: Scene, reason: str) -> Scene:
    return _unlink(scene.but(must_wait=scene.must_wait or reason == "account_locked"), "")


def _online(scene: Scene, _: str) -> Scene:
    ban = scene.ban if _in_short_ban(scene) else ""
    opened = scene.but(network="", outage=False, ban=ban, silent=False)
    if scene.network and scene.document is not None:
        opened = opened.page(at_passkey=False)
    return met(opened)


def _cut(network: str) -> Callable[[Scene, str], Scene]:
    return lambda scene, _: met(scene.but(network=network))


def _drop(scene: Scene, _: str) -> Scene:
    return met(scene.page(locked=False, at_passkey=False))


def _ban(scene: Scene, kind: str) -> Scene:
    return met(scene.but(ban="short" if kind == "short" else "long", silent=kind == "silent", in_ban=0))


def _can_ban(scene: Scene, kind: str) -> bool:
    if scene.ban or scene.outage or (kind == "short" and not scene.up):
        return False
    return kind != "silent" or _in_english(scene)


def _outage(scene: Scene, kind: str) -> Scene:
    return met(scene.but(outage=True, silent=kind == "silent"))


def _can_fail(scene: Scene, kind: str) -> bool:
    # A second screen over a ban's, and a ban over an outage's, are the next thing to add.
    return not scene.outage and scene.ban != "long" and (kind != "silent" or _is_readable(scene))


def _in_english(scene: Scene) -> bool:
    """A screen that is the only sign of something is known by its words."""
    return scene.language == "en" and (scene.document is None or scene.document.language == "en")


def _is_readable(scene: Scene) -> bool:
    """Those of an outage are read only where no chats were before."""
    return _in_english(scene) and (scene.document is None or not scene.login)


def _ban_over(scene: Scene, _: str) -> Scene:
    return met(scene.but(ban="").page(screen="", stopped=""))


def _reload(scene: Scene, _: str) -> Scene:
    return fresh(scene.but(loads=scene.loads + 1))


def _leave(scene: Scene, _: str) -> Scene:
    leaving = scene.document is not None and scene.document.tries
    return scene.but(document=None, leaving=leaving, loads=scene.loads + 1)


def _refuse(scene: Scene, _: str) -> Scene:
    return _reload(scene, "")


def _start(scene: Scene, request: str) -> Scene:
    if scene.hold and not request:
        return scene.but(pod="closed")
    opened = scene.but(pod="open", hold="", loads=scene.loads + 1)
    if request == "relink":
        opened = opened.but(must_wait=False, remembered=False)
    return fresh(opened)


def _can_start(scene: Scene, request: str) -> bool:
    if scene.pod != "none":
        return False
    return {"": True, "restart": bool(scene.hold), "relink": scene.hold.startswith("LoggedOut")}[request]


def _restrict(scene: Scene, kind: str) -> Scene:
    return scene.but(restriction="" if kind == "none" else kind)


RULES: dict[str, Rule] = {
    # The phone links and unlinks.
    "scan": Rule(_at_code, _link, weight=6),
    "ask_passkey": Rule(_at_code, lambda scene, _: scene.page(at_passkey=True)),
    "confirm_passkey": Rule(_at_passkey, lambda scene, _: scene, weight=3),
    "give_up_passkey": Rule(_at_passkey, lambda scene, _: scene.page(at_passkey=False), weight=2),
    "link_with_passkey": Rule(_at_passkey, _link, weight=2),
    "expire_code": Rule(_at_code, lambda scene, _: scene),
    "unlink": Rule(lambda scene, _: scene.device and not scene.ban and not scene.held_by_ban, _unlink, weight=3),
    "log_out": Rule(_linked, _log_out, ("user_initiated", "syncd_failure", "account_locked"), 0.4),
    "log_out_here": Rule(_linked, _unlink, weight=0.4),
    # The network and the service.
    "offline": Rule(lambda scene, _: not scene.network, _cut("offline"), weight=2),
    "unreachable": Rule(lambda scene, _: not scene.network, _cut("unreachable")),
    "outage": Rule(_can_fail, _outage, ("", "silent"), 2),
    "online": Rule(lambda scene, _: bool(scene.network or scene.outage or scene.ban == "long"), _online, weight=4),
    "drop": Rule(lambda scene, _: scene.up, _drop),
    "slow": Rule(lambda scene, _: scene.device and not scene.slow, lambda scene, _: scene.but(slow=True), weight=1),
    "quick": Rule(lambda scene, _: scene.slow, lambda scene, _: scene.but(slow=False)),
    "ban": Rule(_can_ban, _ban, ("short", "long", "silent"), 0.6),
    "ban_over": Rule(lambda scene, _: _in_short_ban(scene), _ban_over, weight=4),
    "restrict": Rule(
        lambda scene, kind: (
            scene.device and (_linked(scene) or _unseen(scene)) and (kind != "none") != bool(scene.restriction)
        ),
        _restrict,
        ("timelock", "capping", "none"),
        1,
    ),
    # Another window or device takes over.
    "replaced": Rule(
        lambda scene, _: _linked(scene) and not _locked(scene),
        lambda scene, _: scene.page(stopped="replaced"),
        weight=0.7,
    ),
    "other_tab": Rule(
        lambda scene, _: _page(scene) and not _locked(scene) and scene.document.stopped == "",  # type: ignore[union-attr]
        lambda scene, _: scene.page(stopped="other tab", dialog="", at_passkey=False),
        weight=0.4,
    ),
    # The page and its window.
    "lock": Rule(
        lambda scene, _: _linked(scene) and not _locked(scene), lambda scene, _: scene.page(locked=True), weight=0.5
    ),
    "unlock": Rule(
        lambda scene, _: _linked(scene) and _locked(scene), lambda scene, _: scene.page(locked=False), weight=2
    ),
    "dialog": Rule(
        lambda scene, _: _linked(scene) and not scene.document.dialog,  # type: ignore[union-attr]
        lambda scene, kind: scene.page(dialog=kind),
        ("passkey", "action"),
        0.3,
    ),
    "storage_failed": Rule(_linked, lambda scene, _: scene.page(storage_failed=True), ("en", "de"), 0.2),
    "newer_page": Rule(_linked, lambda scene, _: scene.page(update=True), weight=0.4),
    "refuse_page": Rule(_linked, _refuse, weight=0.5),
    "busy": Rule(_linked, lambda scene, _: scene, weight=0.3),
    "language": Rule(
        lambda scene, language: scene.language != language and not scene.silent,
        lambda scene, language: scene.but(language=language),
        ("en", "de"),
    ),
    "reload": Rule(_page, _reload, weight=2),
    "leave": Rule(_page, _leave, weight=1.5),
    "arrive": Rule(lambda scene, _: scene.coming, lambda scene, _: fresh(scene), weight=4),
    # The pod.
    "stop": Rule(
        lambda scene, _: scene.pod != "none" and not scene.coming and _free(scene),
        lambda scene, _: scene.but(pod="none", document=None, durable=True),
        weight=0.5,
    ),
    "kill": Rule(
        lambda scene, _: scene.pod != "none" and not scene.coming and _free(scene) and scene.durable,
        lambda scene, _: scene.but(pod="none", document=None),
        weight=0.7,
    ),
    "policy": Rule(
        lambda scene, policy: scene.pod == "none" and scene.policy != policy,
        lambda scene, policy: scene.but(policy=policy),
        ("Relink", "Wait"),
        0.3,
    ),
    "start": Rule(_can_start, _start, ("", "restart", "relink"), 4),
}


def _locked(scene: Scene) -> bool:
    return scene.document is not None and scene.document.locked
