"""Every step of a walk: when it is possible, what it does to the world, and how often it is chosen.

What leads where nobody can say what is right (a page whose screen is locked and whose session is taken over, a phone that
unlinks during a ban) is left out, by `possible`.
"""

from collections.abc import Callable
from typing import NamedTuple

from walk.world import World, fresh, met

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """One kind of step."""

    possible: Callable[[World, str], bool]
    effect: Callable[[World, str], World]
    arguments: tuple[str, ...] = ("",)
    weight: float = 1.0


def _linked(world: World, _: str = "") -> bool:
    return world.up and world.login


def _at_code(world: World, _: str = "") -> bool:
    """A code is shown."""
    return world.up and not world.login and not _at_passkey(world) and not world.hold


def _at_passkey(world: World, _: str = "") -> bool:
    return world.up and world.document is not None and world.document.at_passkey


def _page(world: World, _: str = "") -> bool:
    return world.document is not None and not _in_short_ban(world)


def _in_short_ban(world: World) -> bool:
    return world.ban == "short"


def _free(world: World) -> bool:
    """Nothing is under way that ends by itself."""
    return not _in_short_ban(world)


def _unseen(world: World) -> bool:
    return world.document is None


# What each does.


def _link(world: World, _: str) -> World:
    linked = world.but(
        login=True, device=True, remembered=True, must_wait=False, durable=False, restriction="", slow=False
    )
    return linked.page(at_passkey=False, storage_failed=False)


def _unlink(world: World, _: str) -> World:
    return met(world.but(device=False, restriction="", slow=False))


def _log_out(world: World, reason: str) -> World:
    return _unlink(world.but(must_wait=world.must_wait or reason == "account_locked"), "")


def _online(world: World, _: str) -> World:
    ban = world.ban if _in_short_ban(world) else ""
    opened = world.but(network="", outage=False, ban=ban, silent=False)
    if world.network and world.document is not None:
        opened = opened.page(at_passkey=False)
    return met(opened)


def _cut(network: str) -> Callable[[World, str], World]:
    return lambda world, _: met(world.but(network=network))


def _drop(world: World, _: str) -> World:
    return met(world.page(locked=False, at_passkey=False))


def _ban(world: World, kind: str) -> World:
    return met(world.but(ban="short" if kind == "short" else "long", silent=kind == "silent", in_ban=0))


def _can_ban(world: World, kind: str) -> bool:
    if world.ban or world.outage or (kind == "short" and not world.up):
        return False
    return kind != "silent" or _is_readable(world)


def _outage(world: World, kind: str) -> World:
    return met(world.but(outage=True, silent=kind == "silent"))


def _can_fail(world: World, kind: str) -> bool:
    # A second screen over a ban's, and a ban over an outage's, are the next thing to add.
    return not world.outage and world.ban != "long" and (kind != "silent" or _is_readable(world))


def _is_readable(world: World) -> bool:
    """A screen that is the only sign of something is known by its words, and where no chats were before."""
    page = world.document
    return world.language == "en" and (page is None or (page.language == "en" and not world.login))


def _ban_over(world: World, _: str) -> World:
    return met(world.but(ban="").page(screen="", stopped=""))


def _reload(world: World, _: str) -> World:
    return fresh(world.but(loads=world.loads + 1))


def _refuse(world: World, _: str) -> World:
    return _reload(world, "")


def _start(world: World, request: str) -> World:
    if world.hold and not request:
        return world.but(pod="closed")
    opened = world.but(pod="open", hold="", loads=world.loads + 1)
    if request == "relink":
        opened = opened.but(must_wait=False, remembered=False)
    return fresh(opened)


def _can_start(world: World, request: str) -> bool:
    if world.pod != "none":
        return False
    return {"": True, "restart": bool(world.hold), "relink": world.hold.startswith("LoggedOut")}[request]


def _restrict(world: World, kind: str) -> World:
    return world.but(restriction="" if kind == "none" else kind)


RULES: dict[str, Rule] = {
    # The phone links and unlinks.
    "scan": Rule(_at_code, _link, weight=6),
    "ask_passkey": Rule(_at_code, lambda world, _: world.page(at_passkey=True)),
    "confirm_passkey": Rule(_at_passkey, lambda world, _: world, weight=3),
    "give_up_passkey": Rule(_at_passkey, lambda world, _: world.page(at_passkey=False), weight=2),
    "link_with_passkey": Rule(_at_passkey, _link, weight=2),
    "expire_code": Rule(_at_code, lambda world, _: world),
    "unlink": Rule(lambda world, _: world.device and not world.ban and not world.held_by_ban, _unlink, weight=3),
    "log_out": Rule(_linked, _log_out, ("user_initiated", "syncd_failure", "account_locked"), 0.4),
    "log_out_here": Rule(_linked, _unlink, weight=0.4),
    # The network and the service.
    "offline": Rule(lambda world, _: not world.network, _cut("offline"), weight=2),
    "unreachable": Rule(lambda world, _: not world.network, _cut("unreachable")),
    "outage": Rule(_can_fail, _outage, ("", "silent"), 2),
    "online": Rule(lambda world, _: bool(world.network or world.outage or world.ban == "long"), _online, weight=4),
    "drop": Rule(lambda world, _: world.up, _drop),
    "slow": Rule(lambda world, _: world.device and not world.slow, lambda world, _: world.but(slow=True), weight=1),
    "quick": Rule(lambda world, _: world.slow, lambda world, _: world.but(slow=False)),
    "ban": Rule(_can_ban, _ban, ("short", "long", "silent"), 0.6),
    "ban_over": Rule(lambda world, _: _in_short_ban(world), _ban_over, weight=4),
    "restrict": Rule(
        lambda world, kind: (
            world.device and (_linked(world) or _unseen(world)) and (kind != "none") != bool(world.restriction)
        ),
        _restrict,
        ("timelock", "capping", "none"),
        1,
    ),
    # Another window or device takes over.
    "replaced": Rule(
        lambda world, _: _linked(world) and not _locked(world),
        lambda world, _: world.page(stopped="replaced"),
        weight=0.7,
    ),
    "other_tab": Rule(
        lambda world, _: _page(world) and not _locked(world) and world.document.stopped == "",  # type: ignore[union-attr]
        lambda world, _: world.page(stopped="other tab", dialog="", at_passkey=False),
        weight=0.4,
    ),
    # The page and its window.
    "lock": Rule(
        lambda world, _: _linked(world) and not _locked(world), lambda world, _: world.page(locked=True), weight=0.5
    ),
    "unlock": Rule(
        lambda world, _: _linked(world) and _locked(world), lambda world, _: world.page(locked=False), weight=2
    ),
    "dialog": Rule(
        lambda world, _: _linked(world) and not world.document.dialog,  # type: ignore[union-attr]
        lambda world, kind: world.page(dialog=kind),
        ("passkey", "action"),
        0.3,
    ),
    "storage_failed": Rule(_linked, lambda world, _: world.page(storage_failed=True), ("en", "de"), 0.2),
    "newer_page": Rule(_linked, lambda world, _: world.page(update=True), weight=0.4),
    "refuse_page": Rule(_linked, _refuse, weight=0.5),
    "busy": Rule(_linked, lambda world, _: world, weight=0.3),
    "language": Rule(
        lambda world, language: world.language != language and not world.silent,
        lambda world, language: world.but(language=language),
        ("en", "de"),
    ),
    "reload": Rule(_page, _reload, weight=2),
    "leave": Rule(_page, lambda world, _: world.but(document=None, loads=world.loads + 1), weight=1.5),
    "arrive": Rule(lambda world, _: world.coming, lambda world, _: fresh(world), weight=4),
    # The pod.
    "stop": Rule(
        lambda world, _: world.pod != "none" and not world.coming and _free(world),
        lambda world, _: world.but(pod="none", document=None, durable=True),
        weight=0.5,
    ),
    "kill": Rule(
        lambda world, _: world.pod != "none" and not world.coming and _free(world) and world.durable,
        lambda world, _: world.but(pod="none", document=None),
        weight=0.7,
    ),
    "policy": Rule(
        lambda world, policy: world.pod == "none" and world.policy != policy,
        lambda world, policy: world.but(policy=policy),
        ("Relink", "Wait"),
        0.3,
    ),
    "start": Rule(_can_start, _start, ("", "restart", "relink"), 4),
}


def _locked(world: World) -> bool:
    return world.document is not None and world.document.locked
