"""What a case of an alert is, and the few words in which the tables say one.

A case gives series over time and says at which minutes which alerts fire; whatever it does not name stays silent. It
becomes a test of promtool's (`promtool`). Time begins at 0, so a timestamp is the second of the case at which it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = [
    "OWNERS",
    "Case",
    "Expected",
    "Firing",
    "Series",
    "acting",
    "flat",
    "inhibiting",
    "of_operator",
    "of_runner",
    "operator",
    "runner",
    "state",
    "tenant",
    "then",
]

LAST: Final = "stale"
OWNERS: Final = {"sales": "ops", "deleted": "other-ops", "orphan": "other-ops/second"}
""" Whose the sessions and quotas of these names are, where they are not of the operator `ops`. """
Series = dict[str, str | float]
""" By series with its labels: its samples in promtool's notation, or one value that stays. """


@dataclass(frozen=True)
class Firing:
    """An alert that fires: its labels besides severity and audience, and the value that its annotations show."""

    labels: Mapping[str, str]
    value: float | None = None


@dataclass(frozen=True)
class Case:
    """Series over time, and which alerts fire when."""

    given: Series
    checks: Mapping[int, tuple[Firing, ...]]
    """ By the minute. """
    step: int = 1
    """ Minutes between two samples, and two evaluations. """


@dataclass(frozen=True)
class Expected:
    """What an alert is expected to be: for whom, how urgent, and when."""

    alert: str
    severity: str
    audience: str
    cases: tuple[Case, ...]


def labelled(name: str, labels: Mapping[str, str]) -> str:
    """Return a series in Prometheus' notation."""
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"


def of_operator(ops: str = "ops") -> dict[str, str]:
    """Return the labels that tell operators apart; `ops` is the namespace and, of a second one there, its name behind it."""
    namespace, _, name = ops.partition("/")
    return {"namespace": namespace, "operator": name or "first"}


def inhibiting(ops: str = "ops") -> dict[str, str]:
    """Return the labels of an alert that holds back those of this operator's sessions."""
    return of_operator(ops) | {"operator_namespace": of_operator(ops)["namespace"]}


def operator(metric: str, /, *, pod: int | str = 1, ops: str = "ops", job: str = "operator", **labels: str) -> str:
    """Return a series of an operator, with the labels that its scrape adds."""
    scraped = {"pod": f"op-{pod}", "instance": f"{ops}-{pod}:8080", "job": job}
    return labelled(metric, of_operator(ops) | scraped | labels)


def runner(metric: str, session: str, /, *, pod: int | str = 1, **labels: str) -> str:
    """Return a series of a session's runner, with the labels that its scrape adds."""
    scraped = {"namespace": "shop", "session_namespace": "shop", "session": session}
    return labelled(metric, scraped | {"instance": f"{session}-{pod}:8080", "job": "runners"} | labels)


def tenant(session: str, **labels: str) -> dict[str, str]:
    """Return the labels of an alert that an operator's series say of a session: `namespace` is its own."""
    return inhibiting(OWNERS.get(session, "ops")) | of_runner(session) | labels


def of_runner(session: str) -> dict[str, str]:
    """Return the labels of an alert that a runner's series say of its session: no operator has to do with it."""
    return {"namespace": "shop", "session_namespace": "shop", "session": session}


def of(session: str, namespace: str = "shop") -> dict[str, str]:
    """Return the labels by which the operator's series name a session."""
    return {"session_namespace": namespace, "session": session}


def flat(value: float, minutes: int) -> str:
    """Return the same value for so many minutes."""
    return f"{value}+0x{minutes - 1}"


def then(*parts: tuple[float | None, int]) -> str:
    """Return one value after the other, each for so many minutes; None: the series has ended."""
    return " ".join(f"_x{minutes}" if value is None else flat(value, minutes) for value, minutes in parts)


def state(name: str, value: str, since: float, *, namespace: str = "shop", pod: int = 1, ops: str = "ops") -> Series:
    """Return the two series that say in which state a session is, and since when."""
    labels = of(name, namespace)
    return {
        operator("whatsapp_session_state", pod=pod, ops=ops, state=value, **labels): 1,
        operator("whatsapp_session_state_since_timestamp_seconds", pod=pod, ops=ops, **labels): since,
    }


def stalled(name: str, value: str, since: float, *, namespace: str = "shop", pod: int = 1, ops: str = "ops") -> Series:
    """Return the two series that say why a session is stalled, and since when."""
    labels = of(name, namespace)
    return {
        operator("whatsapp_session_stalled_reason", pod=pod, ops=ops, reason=value, **labels): 1,
        operator("whatsapp_session_stalled_since_timestamp_seconds", pod=pod, ops=ops, **labels): since,
    }


def unready(name: str, since: float = 0, *, namespace: str = "shop", pod: int = 1, ops: str = "ops") -> Series:
    """Return the two series that say that a session is not ready, and since when."""
    labels = of(name, namespace)
    return {
        operator("whatsapp_session_ready", pod=pod, ops=ops, **labels): 0,
        operator("whatsapp_session_ready_since_timestamp_seconds", pod=pod, ops=ops, **labels): since,
    }


def acting(*, pod: int = 1, ops: str = "ops") -> Series:
    """Return the series of an operator that acts and has listed everything."""
    return {operator("whatsapp_operator_sessions_without_metrics", pod=pod, ops=ops): 0}


def until(minute: int, given: Series) -> Series:
    """Return series that end at this minute, as those of a target that is gone: the next sample says so."""
    return {series: f"{flat(float(value), minute)} {LAST}" for series, value in given.items()}


def since(minute: int, given: Series) -> Series:
    """Return series that begin at this minute and go on."""
    return {series: f"_x{minute} {flat(float(value), 60)}" for series, value in given.items()}
