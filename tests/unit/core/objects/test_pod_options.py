"""What people may say about a pod, the labels that are theirs, and the browser's sandbox."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from unit.core.fake_cluster import DEFAULTS
from unit.core.objects.pods import UID, container, environment, pod, session
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.pod import template_hash


def test_peoples_options_are_on_the_pod() -> None:
    """Each of them, as it was written."""
    options = {
        "image": "mirror.example/runner:2",
        "imagePullSecrets": [{"name": "mirror"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "browsers", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}}
                ]
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 2,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"team": "sales"}},
                "minDomains": 3,
                "nodeAffinityPolicy": "Ignore",
                "nodeTaintsPolicy": "Honor",
                "matchLabelKeys": ["wasession.dev/quota"],
            }
        ],
        "schedulerName": "packer",
        "priorityClassName": "important",
        "runtimeClassName": "gvisor",
        "dnsPolicy": "None",
        "dnsConfig": {
            "nameservers": ["10.0.0.53", "fd00::53"],
            "searches": ["corp.example.com"],
            "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
        },
    }
    manifest = pod({"pod": options | {"labels": {"team": "sales"}, "annotations": {"note": "x"}}})

    assert "mirror.example/runner:2" == container(manifest)["image"]
    assert {name: value for name, value in options.items() if name != "image"} == {
        name: manifest["spec"][name] for name in options if name != "image"
    }
    assert "sales" == manifest["metadata"]["labels"]["team"]
    assert "x" == manifest["metadata"]["annotations"]["note"]


def test_sessions_are_spread_among_each_other_unless_asked_otherwise() -> None:
    """A pod's own default would count no pods; an empty selector is a person's word and means all of the namespace."""
    zones = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    nodes = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}

    manifest = pod({"pod": {"topologySpreadConstraints": [zones, {**nodes, "labelSelector": {}}]}})

    selectors = [spread["labelSelector"] for spread in manifest["spec"]["topologySpreadConstraints"]]
    assert [{"matchLabels": {"app.kubernetes.io/name": "whatsapp-session"}}, {}] == selectors
    assert selectors[0]["matchLabels"].items() <= manifest["metadata"]["labels"].items()


@pytest.mark.parametrize("options", [{}, {"dnsConfig": {}}, {"topologySpreadConstraints": []}])
def test_what_nobody_chose_is_the_clusters_business(options: dict[str, Any]) -> None:
    """No empty choice on the pod: it would hold nothing, and make every running session look edited."""
    chosen = {"topologySpreadConstraints", "schedulerName", "dnsPolicy", "dnsConfig"}

    assert chosen.isdisjoint(pod({"pod": options})["spec"])
    assert template_hash(session(), DEFAULTS) == template_hash(session({"pod": options}), DEFAULTS)


def test_labels_for_peoples_tools_are_the_persons_to_set() -> None:
    """Nothing selects by them: a person's own part-of, say, stays; of the others it has ours."""
    manifest = pod({"pod": {"labels": {"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "2"}}})

    labels = manifest["metadata"]["labels"]
    assert ("shop", "2", "sales", "runner") == tuple(
        labels[f"app.kubernetes.io/{name}"] for name in ("part-of", "version", "instance", "component")
    )


def test_labels_for_peoples_tools_make_no_pod_look_outdated() -> None:
    """The fingerprint of a pod without them, as an operator before them made it, is the one a pod has today."""
    manifest = pod({"pod": {"labels": {"team": "sales"}}})
    hash_of_pod = manifest["metadata"]["annotations"].pop("wasession.dev/made-from")
    for name in names.recommended_labels("sales"):
        del manifest["metadata"]["labels"][name]
    del manifest["metadata"]["annotations"]["wasession.dev/renew-tokens-at"]
    volume = next(volume for volume in manifest["spec"]["volumes"] if volume["name"] == "tokens")
    volume["secret"]["secretName"] = names.template_secret_name(session(), key_id=KeyID("key-1"), extra_ca="")
    for amounts in container(manifest)["resources"].values():  # which an operator before them did not set either
        del amounts["ephemeral-storage"]

    before = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]

    assert before == hash_of_pod
    assert 3 == len(names.recommended_labels("sales"))


def test_ours_win_over_peoples() -> None:
    """A stored object may hold what the schema refuses today: nobody's pod may look like another session's."""
    theirs = {"wasession.dev/session-uid": "other", "app.kubernetes.io/managed-by": "helm"}

    manifest = pod({"pod": {"labels": theirs, "annotations": {"wasession.dev/quota": "other"}}})

    assert UID == manifest["metadata"]["labels"]["wasession.dev/session-uid"]
    assert "whatsapp-session-operator" == manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    assert "default" == manifest["metadata"]["annotations"]["wasession.dev/quota"]


SANDBOXED = replace(DEFAULTS, browser_sandbox=True, browser_seccomp_profile="a/b.json")


def test_the_browsers_sandbox_is_a_profile_for_its_container_and_a_variable_for_the_runner() -> None:
    """The pod's own profile stays what it is: nothing but the runner needs more."""
    manifest = pod(defaults=SANDBOXED)

    assert {"type": "Localhost", "localhostProfile": "a/b.json"} == (
        container(manifest)["securityContext"]["seccompProfile"]
    )
    assert {"type": "RuntimeDefault"} == manifest["spec"]["securityContext"]["seccompProfile"]
    assert "true" == environment(manifest)["BROWSER_SANDBOX"]
    assert "hostUsers" not in manifest["spec"]


def test_a_user_namespace_is_one_field() -> None:
    """The users inside are the same ones."""
    manifest = pod(defaults=replace(DEFAULTS, user_namespaces=True))
    expected = pod()["spec"] | {"hostUsers": False}

    assert expected == manifest["spec"]


def test_while_both_are_off_nothing_of_them_is_in_the_pod() -> None:
    """So no pod counts as outdated because an operator came that knows them; one made before they were set does."""
    manifest = pod(defaults=replace(DEFAULTS, browser_seccomp_profile="a/b.json"))
    hashes = {
        template_hash(session(), defaults)
        for defaults in (DEFAULTS, SANDBOXED, replace(DEFAULTS, user_namespaces=True))
    }

    assert pod() == manifest
    assert "seccompProfile" not in container(manifest)["securityContext"]
    assert {"BROWSER_SANDBOX", "hostUsers"}.isdisjoint({*environment(manifest), *manifest["spec"]})
    assert 3 == len(hashes)
