"""The alert rules say what the code says: its metrics, its words, its runbooks. promtool tests what they do (manifests/alerts)."""

import re
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import app
from session_protocol.metric_family import MetricFamily
from session_protocol.states import STATES, OperatorState, Phase, rests
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.metrics.families import FAMILIES as RUNNER_FAMILIES
from support.alert_rules import Alert, alerts, expressions, groups, matchers, names
from whatsapp_operator.api.conditions import Reason
from whatsapp_operator.core.recovery.causes import CAUSES
from whatsapp_operator.runtime.metrics.families import FAMILIES

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
SITE = "https://wasession.dev/"
ALERTS = alerts()
NAMES = [alert.name for alert in ALERTS]

STATE_VALUES = {*map(str, RunnerState), *map(str, OperatorState)}
VALUES = {
    "state": STATE_VALUES,
    "reason": {*map(str, Reason), "Other"},
    "class": {cause.name for cause in CAUSES},
    "name": {"whatsappsession", "whatsapp-operator.*"},
    "controller": {"whatsappsession"},
    "code": {"5..", "429", "<error>"},
    "session": {"hash:.*", "uid:.*"},
    "progress": {"accepted", "paced", "handed_over"},
}
""" By label: every value that the rules may ask for. """
QUIET = {RunnerState.CONNECTED, OperatorState.SUSPENDED}
""" States in which nobody is needed. """


def watched(alert: str) -> set[str]:
    """Return the states that an alert names."""
    (found,) = (each for each in ALERTS if each.name == alert)
    return {value for each in matchers(found.expr) if each.label == "state" for value in each.values}


def stalls(state: str) -> bool:
    """Whether a session is Stalled for this state."""
    return STATES[state].hold is not None and not rests(state)


ROWS = {row.name: row for row in (*RUNNER_FAMILIES, *(row for _, rows in FAMILIES for row in rows))}
""" Every metric of operator and runner, as they register it. """


def row_of(series: str) -> MetricFamily | None:
    """Return the metric that a series belongs to: of a histogram it has one name more."""
    return ROWS.get(series) or ROWS.get(re.sub("_(bucket|count)$", "", series))


def test_every_metric_is_one_of_ours() -> None:
    """A renamed metric is an alert that never fires; records are those of the same file."""
    records = {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}
    read = {name for expr in expressions() for name in names(expr)}
    python_clients = {"process_start_time_seconds"}

    assert len(read) > 50
    assert set() == {name for name in read - records - python_clients if row_of(name) is None}
    assert set() == records - read  # and none of them is idle


def test_every_label_is_one_of_its_metric() -> None:
    """A condition on a label that a series has not is never met, or always."""
    asked = {(each.metric, each.label) for expr in expressions() for each in matchers(expr)}
    ours = {(row, metric, label) for metric, label in asked if (row := row_of(metric)) is not None}

    assert len(ours) > 5
    assert set() == {(metric, label) for row, metric, label in ours if label not in row.labels}


def test_every_label_value_is_one_of_ours() -> None:
    """A misspelt state matches nothing; a state of an earlier release neither."""
    asked = {(each.label, value) for expr in expressions() for each in matchers(expr) for value in each.values}

    assert set() == {(label, value) for label, value in asked if value not in VALUES[label]}


def test_every_state_is_somebodys_business() -> None:
    """Each state but the quiet ones is named by an alert of its own, or it is one that WhatsAppSessionDown counts."""
    spared = watched("WhatsAppSessionDown")
    own = {state for name in NAMES if name != "WhatsAppSessionDown" for state in watched(name)}

    assert set() == spared - own - QUIET
    assert not spared & {state for state in STATES if stalls(state)}  # these are told by Stalled


def test_every_wait_for_a_person_is_spared_by_down() -> None:
    """The page of these says what to do; "is not ready" would say less. What a machine brings back is not among them."""
    linking = {state for state, traits in STATES.items() if traits.phase is Phase.LINKING}

    assert linking | {OperatorState.SUSPENDED, OperatorState.QUEUED} <= watched("WhatsAppSessionDown")


def test_every_hold_has_an_alert_of_its_own() -> None:
    """A conflict, a ban and a logout are kept as the reason of Stalled, and the general alert leaves them out."""
    holds = {state for state in STATES if stalls(state)}
    conditions = [
        (alert.name, each.operator, each.values)
        for alert in ALERTS
        for each in matchers(alert.expr)
        if each.metric == "session:whatsapp_stalled_since_timestamp_seconds:held"
    ]
    own = {value for _, operator, values in conditions if operator == "=" for value in values}
    (rest,) = (set(values) for name, operator, values in conditions if name == "WhatsAppSessionStalled")

    assert holds <= own
    assert own == rest


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_who_is_needed_and_how_soon(alert: Alert) -> None:
    """Severity and audience of the few that routing knows; one about a session is its namespace's, for a tenant's routes."""
    about_session = "{{ $labels.session }}" in alert.annotations["summary"]
    about_tenant = "{{ $labels.session_namespace }}" in alert.annotations["summary"]

    assert alert.labels["severity"] in {"critical", "warning", "info"}
    assert alert.labels["audience"] in {"tenant", "platform"}
    assert about_tenant == (alert.labels.get("namespace") == "{{ $labels.session_namespace }}")
    assert about_tenant or alert.labels["audience"] == "platform"
    assert about_session == alert.name.startswith("WhatsAppSession")
    assert "{{" not in alert.annotations["description"]  # it stands in the runbooks' index, too


def test_names_are_used_once() -> None:
    """Two alerts of one name would be one to Alertmanager."""
    assert len(NAMES) == len(set(NAMES))
    assert len(NAMES) >= 22


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """By its own address, which leads to the file of that name."""
    addresses = {alert.name: alert.annotations["runbook_url"] for alert in ALERTS}

    assert {name: f"{SITE}docs/runbooks/{name}.md" for name in NAMES} == addresses
    assert sorted(NAMES) == sorted(page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_how_to_see_fix_and_prevent(name: str) -> None:
    """In this order, with something under each, and at least one command to look with."""
    text = (RUNBOOKS / f"{name}.md").read_text()
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)

    assert text.startswith(f"# {name}\n")
    assert ["How to see", "How to fix", "How to prevent"] == parts[1::2]
    assert all(len(part.strip()) > 20 for part in [parts[0].partition("\n")[2], *parts[2::2]])
    assert "kubectl " in parts[2]


SUBCOMMANDS = re.compile(r"kubectl whatsapp ([\w-]+)")
REQUESTS = re.compile(r"wasession\.dev/(\w[\w-]*-at)")


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_page_exist(name: str) -> None:
    """Subcommands of the plugin, requests by annotation, and the kinds' short names."""
    text = (RUNBOOKS / f"{name}.md").read_text()
    kinds = re.findall(r"kubectl (?:get|describe|edit|patch|annotate --overwrite) (was\w*)", text)

    assert {command.name for command in app.registered_commands} >= set(SUBCOMMANDS.findall(text))
    assert {"restart-at", "relink-at", "renew-tokens-at"} >= set(REQUESTS.findall(text))
    assert {"was", "wasq"} >= set(kinds)


KUBERNETES = {"ImagePullBackOff", "Unschedulable", "FailedUpdateStatus", "NotKept"}
""" Words of the kubelet, the scheduler and of events that a page names. """


def test_states_and_reasons_in_pages_exist() -> None:
    """What a page's table tells to look for is what the session says: one CamelCase word of the vocabulary or Kubernetes'."""
    known = STATE_VALUES | VALUES["reason"] | VALUES["class"] | {*map(str, StateReason)} | KUBERNETES
    cells = {
        name
        for page in RUNBOOKS.glob("WhatsApp*.md")
        for row in re.findall(r"^\| (`.*?) \|", page.read_text(), re.MULTILINE)
        for name in re.findall(r"`([A-Z][A-Za-z]+)`", row)
    }

    assert len(cells) > 30
    assert set() == cells - known
