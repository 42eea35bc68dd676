"""What scrapers and Alertmanager are given: the PodMonitors find the pods and are let in, the routing tells the right one."""

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_cluster.light import LightCluster
from manifests.conftest import run
from manifests.rendering import MANIFESTS, documents, render, render_component
from session_devtools import packages
from session_devtools.errors import CommandError
from session_devtools.monitoring.configuration import prometheus_config
from session_devtools.monitoring.stack import AGENT_PACKAGE, PACKAGES
from whatsapp_operator.api.constants import SCRAPES_METRICS_LABEL
from whatsapp_operator.api.session import ObjectMeta, WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.network import RunnerNetwork
from whatsapp_operator.core.objects.network_policy import network_policy_manifest
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.runtime.metrics.fleet import Fleet, FleetSeries

Object = dict[str, Any]
ROUTING = MANIFESTS / "monitoring" / "alertmanager-example.yaml"
TARGETS = {"namespace", "pod", "container", "endpoint", "job", "instance"}
""" The labels that every target of a PodMonitor has. """


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Debian's Prometheus and Alertmanager, with promtool and amtool, and VictoriaMetrics."""
    packages.ensure((*PACKAGES, AGENT_PACKAGE))


_render = functools.cache(render_component)


def rendered(kind: str, *components: str) -> list[Object]:
    """Return the objects of a kind in the base with components."""
    return [item for item in documents(_render(*components)) if item["kind"] == kind]


def operator_pod() -> Object:
    """Return the operator's pod, as its Deployment makes it."""
    (deployment,) = rendered("Deployment", "components/monitoring")
    found: Object = deployment["spec"]["template"]
    return found


def runner_pod(name: str = "sales") -> Object:
    """Return a session's pod, as the operator makes it."""
    session = WhatsAppSession(metadata=ObjectMeta(name=name, namespace="shop", uid="0af1-u"))
    return dict(pod_manifest(session, Defaults(runner_image="r:1", key_id=KeyID("k"))))


def operator_policy() -> Object:
    """Return the operator's own NetworkPolicy."""
    (policy,) = rendered("NetworkPolicy", "components/monitoring")
    return policy


def runner_policy() -> Object:
    """Return the NetworkPolicy of a namespace with sessions."""
    return dict(network_policy_manifest("shop", RunnerNetwork(operator_namespace="whatsapp-operator")))


def monitor(name: str) -> Object:
    """Return one of the PodMonitors."""
    (found,) = (one for one in rendered("PodMonitor", "components/monitoring") if one["metadata"]["name"] == name)
    return found


def selects(labels: Object, pod: Object) -> bool:
    """Whether a pod has these labels."""
    return bool(labels.items() <= pod["metadata"]["labels"].items())


def named_ports(pod: Object) -> dict[str, int]:
    """Return the ports of a pod."""
    return {port["name"]: port["containerPort"] for one in pod["spec"]["containers"] for port in one.get("ports", ())}


WHOSE = {
    "whatsapp-operator": (operator_pod, runner_pod, operator_policy),
    "whatsapp-session-runners": (runner_pod, operator_pod, runner_policy),
}
""" Each PodMonitor with the pod that it is for, one that it is not for, and who may connect to the first. """


@pytest.mark.parametrize("name", WHOSE)
def test_a_monitor_selects_its_pods_and_names_their_port(name: str) -> None:
    """Its own pods and no others; a port's name that no container has would be no target, and no error."""
    pod, other, _ = WHOSE[name]
    spec = monitor(name)["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]

    assert selects(spec["selector"]["matchLabels"], pod())
    assert not selects(spec["selector"]["matchLabels"], other())
    assert endpoint["port"] in named_ports(pod())
    assert spec["jobLabel"] in pod()["metadata"]["labels"]


@pytest.mark.parametrize("name", WHOSE)
def test_a_labelled_namespace_reaches_what_the_monitor_scrapes(name: str) -> None:
    """One label on the scraper's namespace opens the port of the operator and of every runner."""
    pod, _, policy = WHOSE[name]
    (endpoint,) = monitor(name)["spec"]["podMetricsEndpoints"]
    spec = policy()["spec"]
    scraper = {"namespaceSelector": {"matchLabels": {SCRAPES_METRICS_LABEL: "true"}}}
    open_ports = [port["port"] for rule in spec["ingress"] if scraper in rule["from"] for port in rule["ports"]]

    assert selects(spec["podSelector"]["matchLabels"], pod())
    assert {endpoint["port"], named_ports(pod())[endpoint["port"]]} & set(open_ports)


def test_the_runners_are_looked_for_everywhere_and_the_operator_at_home() -> None:
    """Sessions may be in any namespace."""
    selectors = {name: monitor(name)["spec"].get("namespaceSelector") for name in WHOSE}

    assert {"whatsapp-operator": None, "whatsapp-session-runners": {"any": True}} == selectors


def relabelled(name: str, namespace: str = "shop") -> dict[str, str]:
    """Return the labels that a runner's pod of this name gets from the monitor's own rules."""
    return target_labels("whatsapp-session-runners", runner_pod(name)["metadata"], namespace)


def target_labels(name: str, pod: Object, namespace: str) -> dict[str, str]:
    """Return the labels that a pod gets from a monitor's own rules, and its name's."""
    labels = {
        "pod": pod.get("name", ""),
        "__meta_kubernetes_namespace": namespace,
        "__meta_kubernetes_pod_node_name": "n",
    }
    labels |= {
        f"__meta_kubernetes_pod_label_{re.sub('[^a-zA-Z0-9_]', '_', key)}": value
        for key, value in pod["labels"].items()
    }
    for rule in monitor(name)["spec"]["podMetricsEndpoints"][0]["relabelings"]:
        text = ";".join(labels.get(source, "") for source in rule["sourceLabels"])
        found = re.fullmatch(rule.get("regex", "(.*)"), text)
        if found:
            labels[rule["targetLabel"]] = rule.get("replacement", "${1}").replace("${1}", found[1])
    return {label: value for label, value in labels.items() if not label.startswith("__")}


def test_a_runners_series_get_the_sessions_labels() -> None:
    """The same that the operator's series have, so that the two can be joined."""
    assert {"session_namespace": "shop", "session": "sales", "pod": "sales", "node": "n"} == relabelled("sales")


def test_an_operators_series_say_which_one_it_is() -> None:
    """By the label that an overlay with a second installation has to change, so that two in one namespace differ."""
    pods = [
        next(item for item in documents(text) if item["kind"] == "Deployment")["spec"]["template"]["metadata"]
        for text in (_render("components/monitoring"), render("overlays/instance-demo"))
    ]

    found = [target_labels("whatsapp-operator", pod, "ops")["operator"] for pod in pods]

    assert ["whatsapp-operator", "whatsapp-operator-demo"] == found


@pytest.mark.parametrize("name", ["4917012345678", "sales-491-7012", "a1b2c3d4e5f6g7"])
def test_a_name_that_may_be_a_telephone_number_is_no_label(name: str) -> None:
    """Seven digits, wherever they stand: the UID stands for it, and for the pod, whose name is the same."""
    found = relabelled(name)

    assert ("uid:0af1-u", "uid:0af1-u") == (found["session"], found["pod"])


@pytest.mark.parametrize("name", ["tenant-3f2504e04f89", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "4917012345678"])
def test_a_namespace_is_the_same_on_both_sides(name: str) -> None:
    """The operator's series and the runner's, so that they are joined, and an alert is its tenant's, whatever he is called."""
    shown = FleetSeries(limit=1)
    shown.show(Fleet(sessions=[{"metadata": {"name": "sales", "namespace": name, "uid": "u"}}], quotas=[]))
    labels = {one.labels["session_namespace"] for metric in shown.collect() for one in metric.samples if one.labels}

    assert {name} == labels == {relabelled("sales", name)["session_namespace"]}


def test_six_digits_are_a_name() -> None:
    """As in sales-202611."""
    assert "sales-202611" == relabelled("sales-202611")["session"]


def test_no_monitor_touches_the_labels_that_every_target_has() -> None:
    """But for the pod's name where that may be a telephone number; and a series' own labels are never preferred to them."""
    rules = [
        rule
        for name in WHOSE
        for endpoint in monitor(name)["spec"]["podMetricsEndpoints"]
        for rule in endpoint.get("relabelings", ())
    ]
    honoured = [each["honorLabels"] for name in WHOSE for each in monitor(name)["spec"]["podMetricsEndpoints"]]

    assert {"pod"} == {rule["targetLabel"] for rule in rules} & TARGETS
    assert [False, False] == honoured


def test_the_prometheus_operators_own_crd_takes_them(installed: LightCluster) -> None:
    """On a real API server, strictly."""
    text = yaml.safe_dump_all(rendered("PodMonitor", "components/monitoring", "components/metrics-token"))

    output = installed.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename=-", input=text)

    assert 2 == output.count(" created (server dry run)\n")


@pytest.mark.parametrize(("before", "after"), [("honorLabels", "honourLabels"), ("interval: 30s", "interval: 30 s")])
def test_the_crd_finds_mistakes(installed: LightCluster, before: str, after: str) -> None:
    """An unknown field and a wrong duration: the check is not vacuous."""
    text = yaml.safe_dump_all(rendered("PodMonitor", "components/monitoring")).replace(before, after)

    with pytest.raises(CommandError, match=r"honourLabels|spec\.podMetricsEndpoints\[0\]\.interval"):
        installed.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename=-", input=text)


def test_the_page_puts_the_two_labels_on_everything_that_is_selected_by_them() -> None:
    """What it tells to write renders as it stands there; and nothing else of the Prometheus operator's is in it."""
    page = (MANIFESTS.parent / "docs" / "operations" / "monitoring.md").read_text()
    (fields,) = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "patches:" in block
    )
    (component,) = (name.removeprefix("../../") for name in fields.pop("components"))

    found = [
        item["metadata"]["labels"]
        for item in documents(render_component(component, **fields))
        if item["apiVersion"].startswith("monitoring.coreos.com/")
    ]

    assert len(found) >= 2
    assert {("kube-prometheus-stack", "kube-prometheus-stack")} == {(each["release"], each["app"]) for each in found}


def test_a_token_is_asked_for_and_sent() -> None:
    """The Secret that the operator reads is the one that the Prometheus operator sends; the runners' are asked for none."""
    pods = {
        one["metadata"]["name"]: one
        for one in rendered("PodMonitor", *("components/monitoring", "components/metrics-token"))
    }
    (deployment,) = rendered("Deployment", "components/metrics-token")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    variables = {item["name"]: item.get("value") for item in container["env"]}
    (mount,) = (one for one in container["volumeMounts"] if one["name"] == "metrics-token")
    (volume,) = (one for one in pod["volumes"] if one["name"] == "metrics-token")
    endpoints = [pods[name]["spec"]["podMetricsEndpoints"][0].get("authorization") for name in WHOSE]

    secret = volume["secret"]["secretName"]
    assert [{"type": "Bearer", "credentials": {"name": secret, "key": "token"}}, None] == endpoints
    assert f"{mount['mountPath']}/token" == variables["METRICS_TOKEN_FILE"]
    assert 0o444 == volume["secret"]["defaultMode"]


def test_promtool_takes_the_scrape_configuration(tmp_path: Path) -> None:
    """With another discovery in the place of Kubernetes', which Debian's promtool is built without."""
    shipped = yaml.safe_load((MANIFESTS / "monitoring" / "scrape.yaml").read_text())
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(prometheus_config(shipped, rules=str(MANIFESTS / "monitoring" / "rules.yaml"))))

    done = run("promtool", "check", "config", file)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert {
        "podMonitor/whatsapp-operator/whatsapp-operator/0",
        "podMonitor/whatsapp-operator/whatsapp-session-runners/0",
    } == {one["job_name"] for one in shipped["scrape_configs"]}


def test_victoriametrics_takes_the_same_files() -> None:
    """Its agent the scrape configuration, without a field that it does not know, and its vmalert the rules."""
    folder = MANIFESTS / "monitoring"
    strictly = ("-dryRun", "-promscrape.config.strictParse", "-remoteWrite.url=http://127.0.0.1:9/")

    agent = run("vmagent", *strictly, f"-promscrape.config={folder / 'scrape.yaml'}")
    alerts = run("vmalert", "-dryRun", f"-rule={folder / 'rules.yaml'}")

    assert (0, 0) == (agent.returncode, alerts.returncode), agent.stderr + alerts.stderr


def test_a_prometheus_without_the_operator_may_look_at_pods_alone() -> None:
    """Get, list and watch; it is no way to a Secret."""
    role, _ = documents((MANIFESTS / "monitoring" / "rbac.yaml").read_text())

    assert [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}] == role["rules"]


def test_amtool_takes_the_routing() -> None:
    """It is a whole configuration, as Alertmanager reads it."""
    done = run("amtool", "check-config", ROUTING)

    assert 0 == done.returncode, done.stderr


SESSION = ["session_namespace=shop", "session=sales", "audience=tenant"]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ([*SESSION, "severity=critical"], "shop-on-call"),
        ([*SESSION, "severity=warning"], "shop"),
        ([*SESSION, "severity=info"], "shop"),
        (["session_namespace=club", "audience=tenant", "severity=critical"], "platform"),
        (["session_namespace=shop", "audience=platform", "severity=critical"], "platform-on-call"),
        (["audience=platform", "severity=critical"], "platform-on-call"),
        (["audience=platform", "severity=warning"], "platform"),
        (["audience=platform", "severity=info"], "platform"),
        (["alertname=SomebodyElses", "severity=critical"], "platform"),
    ],
)
def test_each_alert_is_sent_to_whom_it_concerns(labels: list[str], receiver: str) -> None:
    """A tenant hears of his own sessions and never of the platform's; what nobody has claimed is the platform's."""
    done = run(
        "amtool", "config", "routes", "test", f"--config.file={ROUTING}", f"--verify.receivers={receiver}", *labels
    )

    assert (0, receiver) == (done.returncode, done.stdout.strip())


@functools.cache
def alert_rules() -> tuple[Object, ...]:
    """Return the shipped alerts."""
    groups = yaml.safe_load((MANIFESTS / "monitoring" / "rules.yaml").read_text())["groups"]
    return tuple(rule for group in groups for rule in group["rules"] if "alert" in rule)


@functools.cache
def inhibitions() -> tuple[Object, ...]:
    """Return the shipped routing's rules on what holds back what."""
    return tuple(yaml.safe_load(ROUTING.read_text())["inhibit_rules"])


KUBE_PROMETHEUS = {"KubeNodeNotReady", "KubeNodeUnreachable"}
FIRST = ("ops", "whatsapp-operator")
""" An operator: the namespace that it runs in, and its name. """


def firing(name: str, session: str = "", namespace: str = "", by: tuple[str, str] = FIRST) -> dict[str, str]:
    """Return the labels of one of the shipped alerts, where an operator says it of this one, or of kube-prometheus'."""
    labels = {rule["alert"]: rule["labels"] for rule in alert_rules()}
    assert name in labels.keys() | KUBE_PROMETHEUS
    found = {**labels.get(name, {}), "alertname": name, "session": session, "session_namespace": namespace}
    if "operator_namespace" in found:
        assert "{{ $labels.namespace }}" == found["operator_namespace"]
        found["operator_namespace"], found["operator"] = by
    return found


def matches(matcher: str, labels: dict[str, str]) -> bool:
    """Whether labels fulfil a matcher, as Alertmanager reads it: a label that is not there is empty."""
    label, comparison, value = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher).groups()  # type: ignore[union-attr]
    pattern = value if "~" in comparison else re.escape(value)
    return bool(re.fullmatch(pattern, labels.get(label, ""))) != comparison.startswith("!")


def holds_back(source: dict[str, str], target: dict[str, str]) -> bool:
    """Whether one alert holds back another, by the routing example."""
    return source != target and any(
        all(matches(each, source) for each in rule["source_matchers"])
        and all(matches(each, target) for each in rule["target_matchers"])
        and all(source.get(label, "") == target.get(label, "") for label in rule.get("equal", ()))
        for rule in inhibitions()
    )


def held_back_by(source: dict[str, str]) -> set[str]:
    """Return the alerts about somebody's session that an alert holds back."""
    names = {rule["alert"] for rule in alert_rules()}
    about = [firing(name, "sales", "shop") for name in names if name.startswith("WhatsAppSession")]
    return {each["alertname"] for each in about if holds_back(source, each)}


FROM_RUNNERS = {
    *("MemoryNearLimit", "VolumeNearlyFull", "VolumeFull", "ReconnectsOften", "PageSilent"),
    *("MessagesWaiting", "MessagesDelayed", "ReadingStopped", "WebhookFailing", "WebhookDeadLetters"),
}
COMMON = {"Unreachable", "PageNotLoaded", "PodPending", "Degraded", "BrowserRefused"}
ALL = {rule["alert"].removeprefix("WhatsAppSession") for rule in alert_rules() if "WhatsAppSession" in rule["alert"]}


@pytest.mark.parametrize(
    ("source", "held"),
    [
        ("WhatsAppOperatorDown", ALL - FROM_RUNNERS),
        ("WhatsAppOperatorLeaderMissing", ALL - FROM_RUNNERS),
        ("WhatsAppFleetBroken", COMMON),
        ("WhatsAppOperatorRecoveryPaused", COMMON),
        ("KubeNodeNotReady", {"Unreachable", "PodPending"}),
        ("KubeNodeUnreachable", {"Unreachable", "PodPending"}),
        ("WhatsAppNamespaceRecoveryPaused", set()),
        ("WhatsAppQuotaNearlyFull", set()),
    ],
)
def test_what_has_a_common_cause_is_held_back(source: str, held: set[str]) -> None:
    """Nothing that one tenant can bring about keeps another one's alert; nor does a node that stays dead."""
    assert {f"WhatsAppSession{name}" for name in held} == held_back_by(firing(source, namespace="club"))


@pytest.mark.parametrize("other", [("shop-ops", "whatsapp-operator"), ("ops", "whatsapp-operator-shop")])
@pytest.mark.parametrize(
    "source",
    [
        "WhatsAppOperatorDown",
        "WhatsAppOperatorLeaderMissing",
        "WhatsAppFleetBroken",
        "WhatsAppOperatorRecoveryPaused",
    ],
)
def test_an_operator_inhibits_nothing_of_another_ones_sessions(source: str, other: tuple[str, str]) -> None:
    """Be it of another namespace or a second one in the same."""
    assert set() == held_back_by(firing(source, by=other))


def test_each_audience_hears_the_worst_of_a_session() -> None:
    """A tenant's critical alert holds back his own lesser ones of that session, and none of the platform's."""
    worst = firing("WhatsAppSessionDown", "sales", "shop")

    assert "WhatsAppSessionRestartsOften" in held_back_by(worst)
    assert set() == held_back_by(worst) & {f"WhatsAppSession{name}" for name in (*COMMON, "StatusBehind")}
    assert set() == held_back_by(firing("WhatsAppSessionDown", "sales", "club"))
    assert set() == held_back_by(firing("WhatsAppSessionDown", "other", "shop"))


def test_every_kind_of_alert_has_a_route_of_its_audience() -> None:
    """A tenant's go to the tenant and the platform's to the platform, whatever their severity is."""
    kinds = {(rule["labels"]["audience"], rule["labels"]["severity"]) for rule in alert_rules()}
    receivers = {
        (audience, severity): run(
            "amtool", "config", "routes", "test", f"--config.file={ROUTING}",
            f"audience={audience}", f"severity={severity}", "session_namespace=shop",
        ).stdout.strip()
        for audience, severity in kinds
    }  # fmt: skip

    expected = {"tenant": {"shop", "shop-on-call"}, "platform": {"platform", "platform-on-call"}}
    assert expected.keys() == {audience for audience, _ in kinds}
    assert [] == [kind for kind, receiver in receivers.items() if receiver not in expected[kind[0]]]


def test_the_base_has_nothing_of_it() -> None:
    """A cluster without the Prometheus operator has not its kinds: an installation must not need them."""
    assert "monitoring.coreos.com" not in render("base")
