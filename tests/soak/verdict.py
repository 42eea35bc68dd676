"""From what was seen in a soak to what held and what did not. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from campaigns.verdicts import Verdict

from soak.mishaps import Mishap
from soak.traffic import Ledger
from soak.watch import Record, Sample

FLAT: Final = 1.15
""" How many times its figure of the first half the second half's may be. """
SMALLEST: Final = {"CPU": 0.02, "descriptors": 16.0, "tasks": 8.0, "memory": 2.0**20 * 16}
""" Below these a change is noise. """
GROWS: Final = (16 * 2**20, 64 * 2**10)
""" Bytes by which a profile may grow: what a browser's databases do by themselves, and for each message. """
NEEDS_PHONE: Final = ("QRPending", "PairingCodePending", "LinkExpired", "LoggedOut", "PasskeyRequired")
""" States of a session that has lost its login. """


class Happened(NamedTuple):
    """One mishap as it went."""

    mishap: Mishap
    victim: str
    began: float
    ended: float
    """ When its cause ended. """
    back: float | None
    """ Seconds from then until every session was Connected; None: not in time. """
    failure: str = ""
    """ Why it could not be brought about, or ended. """


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What came of one run."""

    record: Record
    happened: Sequence[Happened]
    places: int
    """ How many sessions the quota lets in. """
    written: Sequence[str]
    """ What was written at rest. """
    messages: Ledger


def judge(found: Findings) -> list[Verdict]:
    """Return every claim with what was seen of it."""
    halves = _halves(found.record.samples)
    flat = [
        _flat(program, what, figure, halves)
        for program in ("operator", "runner")
        for what, figure in FIGURES.items()
        if all(any(one.program == program for one in half) for half in halves)
    ]
    return [
        _one_pod(found),
        _logins(found),
        _quota(found),
        _nobody_needed(found),
        _explained(found),
        _spared(found),
        _back(found),
        _brought_about(found),
        Verdict("nothing is written at rest", not found.written, ", ".join(found.written[:5]) or "nothing"),
        _sent(found.messages),
        _reported(found.messages),
        _profiles(found.messages),
        *flat,
    ]


def _verdict(claim: str, found: Findings, wrong: Sequence[str]) -> Verdict:
    looks = len(found.record.looks)
    text = f"{looks} looks, {found.record.missed} not answered" + (f"; not so: {', '.join(wrong[:5])}" if wrong else "")
    return Verdict(claim, bool(looks) and not wrong, text)


def _one_pod(found: Findings) -> Verdict:
    many = sorted({name for look in found.record.looks for name, count in look.pods.items() if count > 1})
    return _verdict("no session has two pods", found, many)


def _logins(found: Findings) -> Verdict:
    """A login is the same in each status that tells one, and no session asks for a phone."""
    first: dict[str, str] = {}
    lost = []
    for look in found.record.looks:
        for name, seen in look.sessions.items():
            changed = bool(seen.linked) and first.setdefault(name, seen.linked) != seen.linked
            if changed or seen.state in NEEDS_PHONE:
                lost.append(f"{name} {seen.state}")
    return _verdict("no login is lost", found, sorted(set(lost)))


def _quota(found: Findings) -> Verdict:
    taken = [sum(seen.admitted for seen in look.sessions.values()) for look in found.record.looks]
    wrong = [str(count) for count in sorted(set(taken)) if count > found.places]
    return _verdict(f"the quota's {found.places} places are kept", found, wrong)


def _nobody_needed(found: Findings) -> Verdict:
    stalled = sorted(
        {
            f"{name}: {seen.messages}"
            for look in found.record.looks
            for name, seen in look.sessions.items()
            if seen.stalled
        }
    )
    return _verdict("no session waits for a person", found, stalled)


def _explained(found: Findings) -> Verdict:
    """Whatever is not Connected says why; and a cause that lasts is named by the session that it hits."""
    silent = [
        f"{name} {seen.state}"
        for look in found.record.looks
        for name, seen in look.sessions.items()
        if seen.state not in ("", "Connected") and not seen.messages
    ]
    silent += [
        f"{one.mishap.name} ({one.victim})"
        for one in found.happened
        if one.mishap.says and not _names_cause(found, one)
    ]
    return _verdict("every stop is explained", found, silent)


def _names_cause(found: Findings, one: Happened) -> bool:
    pattern = re.compile(one.mishap.says)
    looks = found.record.between(one.began, one.ended + 5)
    return any(pattern.search(look.sessions[one.victim].messages) for look in looks if one.victim in look.sessions)


def _spared(found: Findings) -> Verdict:
    left = [
        f"{one.mishap.name}: {name} {seen.state}"
        for one in found.happened
        if one.mishap.spares
        for look in found.record.between(one.began, one.ended)
        for name, seen in look.sessions.items()
        if seen.state != "Connected"
    ]
    return _verdict("what is no session's business is not noticed by any", found, sorted(set(left)))


def _back(found: Findings) -> Verdict:
    late = [f"{one.mishap.name} ({one.victim})" for one in found.happened if one.back is None]
    times = ", ".join(f"{one.mishap.name} {one.back:.0f} s" for one in found.happened if one.back is not None)
    return Verdict(
        "everybody is back when the cause ends",
        bool(found.happened) and not late,
        f"{len(found.happened)} mishaps" + (f"; not so: {', '.join(late)}" if late else f": {times}"),
    )


def _brought_about(found: Findings) -> Verdict:
    failed = [f"{one.mishap.name}: {one.failure}" for one in found.happened if one.failure]
    return Verdict("every mishap was brought about and ended", not failed, "; ".join(failed) or "all")


# --- messages ---------------------------------------------------------------------------------------------------


def _sent(ledger: Ledger) -> Verdict:
    """What the API took is at the phone, under the id that it gave and no other."""
    wrong = [text for text, identifier in ledger.taken.items() if ledger.arrived.get(text) != {identifier}]
    return _messages("every message that was taken goes out, once", len(ledger.taken), wrong)


def _reported(ledger: Ledger) -> Verdict:
    again = sum(count - 1 for identifier, count in ledger.reported.items() if identifier in ledger.written)
    wrong = sorted(ledger.written - ledger.reported.keys())
    return _messages("every message that comes in is told", len(ledger.written), wrong, f", {again} told again")


def _messages(claim: str, count: int, wrong: Sequence[str], more: str = "") -> Verdict:
    text = f"{count} messages{more}" + (f"; {len(wrong)} not: {', '.join(wrong[:5])}" if wrong else "")
    return Verdict(claim, bool(count) and not wrong, text)


def _profiles(ledger: Ledger) -> Verdict:
    base, each = GROWS
    wrong = [name for name, size in ledger.grown.items() if size > base + each * ledger.messages[name]]
    shown = [f"{size / 2**20:.1f}" for size in sorted(ledger.grown.values())]
    text = f"{shown[0]} to {shown[-1]} MB" if shown else "not seen"
    if wrong:
        text += f"; not so: {', '.join(wrong[:5])}"
    return Verdict("profiles grow by the messages only", bool(shown) and not wrong, text, measured=True)


# --- what processes take ----------------------------------------------------------------------------------------

_Half = Sequence[Sample]


def _cpu(half: _Half) -> float:
    """Cores that these processes used on average, each for as long as it was seen."""
    spans: dict[int, list[Sample]] = {}
    for one in half:
        spans.setdefault(one.pid, []).append(one)
    long = [span for span in spans.values() if span[-1].time > span[0].time]
    seen = sum(span[-1].time - span[0].time for span in long)
    return sum(span[-1].cpu - span[0].cpu for span in long) / seen if seen else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


FIGURES: Final[dict[str, Callable[[_Half], float]]] = {
    "memory": lambda half: _mean([one.memory for one in half]),
    "descriptors": lambda half: _mean([one.descriptors for one in half]),
    "tasks": lambda half: _mean([one.tasks for one in half]),
    "CPU": _cpu,
}


def _halves(samples: Sequence[Sample]) -> tuple[_Half, _Half]:
    if not samples:
        return (), ()
    middle = (samples[0].time + samples[-1].time) / 2
    return [one for one in samples if one.time < middle], [one for one in samples if one.time >= middle]


def _flat(program: str, what: str, figure: Callable[[_Half], float], halves: tuple[_Half, _Half]) -> Verdict:
    first, second = (figure([one for one in half if one.program == program]) for half in halves)
    ratio = max(second, SMALLEST[what]) / max(first, SMALLEST[what])
    unit = "MB" if what == "memory" else "cores" if what == "CPU" else ""
    shown = [
        f"{value / 2**20:.1f}" if what == "memory" else f"{value:.3f}" if what == "CPU" else f"{value:.1f}"
        for value in (first, second)
    ]
    text = f"{shown[0]} then {shown[1]} {unit}".rstrip() + f" a process: {ratio:.2f}"
    return Verdict(f"the {program}'s {what} is flat", ratio <= FLAT, text, measured=True)
