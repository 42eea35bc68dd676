"""From what was seen before and during the attacks to what held and what did not. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from campaigns.verdicts import Verdict, percentile
from session_protocol.vocabulary import ExitCode

from attack.watch import Observations

SLOWER: Final = 3.0
""" How many times its own figure before the attack the 99th percentile of `/v1/state` may be. """
SERVED: Final = 0.95
""" The share of its requests with a token that the attacked runner must answer: they come from the attackers' address. """
SMALLEST: Final = 0.02
""" Seconds; an answer that took less before counts as this long: below it the machine's noise is measured. """
PLANTED: Final = ("5ec2e75ec2e7", "cGxhbnRlZ", "5550199", "555.01.99", "evil.example")
""" Pieces of what the attackers said that must be seen nowhere. """
UNPRINTABLE: Final = re.compile(r"[^\n\t\x20-\x7e\u00a1-\u024f\u2010-\u2027\u2030-\u205e\u2190-\u21ff]")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What came of one run."""

    before: Observations
    during: Observations
    victim: str
    """ The session whose runner was attacked over the network. """
    operator_restarts: int
    texts: Mapping[str, str]
    """ Whatever people read, by where it stands: logs, status, events, metrics. """
    refused: Mapping[str, str | None]
    """ What a person without the right to make pods asked for: the refusal, or None if it was granted. """
    newcomer: float | None
    """ Seconds from the apply of an honest session during the attack to its QR code. """
    recovered: float | None
    """ Seconds from a killed browser during the attack to a new pod with a QR code. """
    hoarded: int
    """ Claims of 10Ti that are left. """
    poisoned: Mapping[str, str]
    """ Why honest runners have ended on profiles that a hostile one left, by what it left. """
    series: tuple[int, int]
    """ The operator's metric lines before and at the end; 0 when it did not answer. """


def judge(found: Findings) -> list[Verdict]:
    """Return every claim with what was seen of it."""
    granted = [label for label, refusal in found.refused.items() if refusal is None]
    leaks = sorted(leaked(found.texts))
    return [
        _stayed(found.during),
        _held(found.during),
        Verdict(
            "the operator's container does not restart", found.operator_restarts == 0, f"{found.operator_restarts}"
        ),
        _answered_in_time(found),
        _served(found),
        Verdict("nothing that attackers say is seen anywhere", not leaks, ", ".join(leaks) or "nothing"),
        Verdict("who may not make pods gets none by a session", not granted, ", ".join(granted) or "all refused"),
        Verdict("an honest session is admitted and started", found.newcomer is not None, _seconds(found.newcomer)),
        Verdict("an honest session recovers", found.recovered is not None, _seconds(found.recovered)),
        Verdict("claims beyond the quota's storage are not made", found.hoarded <= 1, f"{found.hoarded} of 20 left"),
        Verdict(
            "a runner refuses a profile with a trap in it",
            bool(found.poisoned) and {*found.poisoned.values()} == {ExitCode.PROFILE_UNUSABLE.reason},
            ", ".join(f"{poison}: {reason}" for poison, reason in found.poisoned.items()),
        ),
        Verdict(
            "the operator's metrics do not grow with what is said",
            0 < found.series[1] <= found.series[0] * 1.5 + 100,
            f"{found.series[0]} lines, then {found.series[1]}",
        ),
    ]


def _stayed(seen: Observations) -> Verdict:
    """Every look at every session shows the same pod, Connected, without a restart."""
    left = [
        f"{name} {' '.join(map(str, look))}"
        for name, looks in sorted(seen.sessions.items())
        for look in looks
        if look.state != "Connected" or look.pod_uid != looks[0].pod_uid or look.restarts != looks[0].restarts
    ]
    looks = sum(map(len, seen.sessions.values()))
    text = f"{len(seen.sessions)} sessions, {looks} looks" + (f"; not so: {', '.join(left[:5])}" if left else "")
    return Verdict("no honest session leaves Connected, no container restarts", bool(looks) and not left, text)


def _answered_in_time(found: Findings) -> Verdict:
    """The other sessions' runners answer as fast as before, within the bound, and always."""
    calm, attacked = (
        [took for name, times in seen.answered.items() if name != found.victim for took in times]
        for seen in (found.before, found.during)
    )
    missed = sum(count for name, count in found.during.unanswered.items() if name != found.victim)
    before, during = percentile(calm), percentile(attacked)
    ratio = during / max(before, SMALLEST)
    return Verdict(
        f"p99 of /v1/state is at most {SLOWER:g} times that before",
        bool(attacked) and ratio <= SLOWER and missed == 0,
        f"{during * 1000:.0f} ms : {before * 1000:.0f} ms = {ratio:.1f} ({len(attacked)} answers, {missed} not answered)",
        measured=True,
    )


def _served(found: Findings) -> Verdict:
    """The attacked runner goes on to answer who shows a token."""
    times, missed = found.during.answered.get(found.victim, []), found.during.unanswered[found.victim]
    return Verdict(
        "the attacked runner answers who shows a token",
        bool(times) and len(times) >= SERVED * (len(times) + missed),
        f"{len(times)} of {len(times) + missed}, p99 {percentile(times) * 1000:.0f} ms",
        measured=True,
    )


def _held(seen: Observations) -> Verdict:
    holders = set(seen.leases)
    return Verdict("the Lease stays", len(holders) == 1, f"{len(seen.leases)} looks, {len(holders)} holders")


def leaked(texts: Mapping[str, str]) -> Iterable[str]:
    """Yield where something planted, or something that no terminal should get, stands."""
    for where, text in texts.items():
        for piece in PLANTED:
            if piece in text:
                yield f"{piece} in {where}"
        if (found := UNPRINTABLE.search(text)) is not None:
            yield f"{found.group()!a} in {where}"


def _seconds(taken: float | None) -> str:
    return "not in time" if taken is None else f"after {taken:.0f} s"
