"""What each step of a walk does, by the names of `walk.rules`."""

from functools import partial

from walk.expected import BAN_SECONDS, BUSY_SECONDS, SLOW_SECONDS
from walk.player import UNLINKED, Do

__all__ = ["CONTROLS"]

_LONG_BAN_SECONDS = 3600
_DIALOGS = {"passkey": "passkey", "action": "action-required"}
_FOR_EVER = 600.0
""" Seconds that a document is on its way, until the walk lets it arrive. """


async def _nothing() -> None:
    """The page itself waits for what comes."""


CONTROLS: dict[str, Do] = {
    "scan": lambda one, _: one.link(one.scan()),
    "ask_passkey": lambda one, _: one.ask_passkey(),
    "confirm_passkey": lambda one, _: one.phone.confirm_passkey(),
    "give_up_passkey": lambda one, _: one.phone.end_passkey(),
    "link_with_passkey": lambda one, _: one.link(one.phone.link_with_passkey()),
    "expire_code": lambda one, _: one.phone.expire_qr(),
    "unlink": lambda one, _: one.unlink(one.phone.unlink(one.device)),
    "log_out": lambda one, reason: one.unlink(one.phone.logout(one.device, reason=reason)),
    "log_out_here": lambda one, _: one.unlink(one.log_out()),
    "offline": lambda one, _: one.everywhere(one.phone.offline),
    "unreachable": lambda one, _: one.everywhere(one.phone.unreachable),
    "online": lambda one, _: one.everywhere(one.phone.online),
    "outage": lambda one, how: one.everywhere(partial(one.phone.service_unavailable, silent=how == "silent")),
    "ban": lambda one, how: one.everywhere(
        partial(one.phone.ban, expire=BAN_SECONDS if how == "short" else _LONG_BAN_SECONDS, silent=how == "silent")
    ),
    "ban_over": lambda _one, _: _nothing(),
    "drop": lambda one, _: one.phone.drop(one.device or UNLINKED),
    "slow": lambda one, _: one.phone.sync_slow(one.device, seconds=SLOW_SECONDS),
    "quick": lambda one, _: one.phone.sync_slow(one.device, seconds=0),
    "restrict": lambda one, kind: one.phone.restrict(one.device, kind=kind, until=1_900_000_000),
    "replaced": lambda one, _: one.phone.replaced(one.device),
    "other_tab": lambda one, _: one.phone.open_other_tab(),
    "lock": lambda one, _: one.phone.screen_lock(one.device),
    "unlock": lambda one, _: one.phone.screen_lock(one.device, locked=False),
    "dialog": lambda one, kind: one.phone.dialog(one.device, kind=_DIALOGS[kind]),
    "storage_failed": lambda one, language: one.phone.storage_failed(one.device, language=language),
    "newer_page": lambda one, _: one.phone.needs_update(one.device),
    "refuse_page": lambda one, _: one.phone.needs_update(one.device, reload=True),
    "busy": lambda one, _: one.phone.busy(one.device, seconds=BUSY_SECONDS),
    "language": lambda one, language: one.phone.set_language(language),
    "reload": lambda one, _: one.reload(delay=0),
    "leave": lambda one, _: one.reload(delay=_FOR_EVER),
    "arrive": lambda one, _: one.phone.set_delay(0),
    "stop": lambda one, _: one.stop(),
    "kill": lambda one, _: one.kill(),
    "policy": lambda one, policy: one.set_policy(policy),
    "start": lambda one, request: one.start(request),
}
