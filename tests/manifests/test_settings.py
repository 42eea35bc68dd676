"""What the manifests set is what the programs understand."""

from typing import Any

import pytest
from manifests.rendering import RENDERED, documents, render
from standin.__main__ import _parser
from whatsapp_operator.app.settings import Settings, load

PROJECTED = {"OPERATOR_NAMESPACE": "whatsapp-operator", "POD_NAME": "whatsapp-operator-0"}
""" What the kubelet fills in. """


def container(name: str) -> dict[str, Any]:
    """The one container of a kustomization's Deployment."""
    (deployment,) = [item for item in documents(render(name)) if item["kind"] == "Deployment"]
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("name", [name for name in RENDERED if name != "standin"])
def test_the_operators_variables_are_its_settings(name: str) -> None:
    """Every variable is a setting's name, and the operator takes the values."""
    variables = {
        item["name"]: item["value"] if "value" in item else PROJECTED[item["name"]] for item in container(name)["env"]
    }
    known = {field.upper() for field in Settings.model_fields}

    settings = load(**{name.lower(): value for name, value in variables.items()})

    assert set() == variables.keys() - known
    assert "whatsapp-operator" == settings.operator_namespace


def test_a_second_instances_objects_have_its_name() -> None:
    """The operator derives the names that its Role allows from INSTANCE."""
    variables = {item["name"]: item.get("value") for item in container("overlays/instance-demo")["env"]}
    settings = load(runner_image="x", instance=variables["INSTANCE"])

    (role,) = [item for item in documents(render("overlays/instance-demo")) if item["kind"] == "Role"]
    named = {name for rule in role["rules"] for name in rule.get("resourceNames", ())}
    assert {settings.object_name, settings.key_secret} == named


def test_ports_and_graces_fit() -> None:
    """The probes' port is the one that is served, and the pod is given the time that an orderly end takes."""
    settings = load(runner_image="x")
    (deployment,) = [item for item in documents(render("base")) if item["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]

    assert [settings.http_port] == [port["containerPort"] for port in pod["containers"][0]["ports"]]
    assert settings.shutdown_timeout.total_seconds() < pod["terminationGracePeriodSeconds"]


def test_the_stand_ins_arguments() -> None:
    """The stand-in understands its arguments, and they agree with its ports and with what sessions are told to open."""
    standin, operator = container("standin"), container("overlays/local")
    options = _parser().parse_args(standin["args"])
    variables = {item["name"]: item.get("value") for item in operator["env"]}

    assert {"https": options.https_port, "phone": options.phone_port} == {
        port["name"]: port["containerPort"] for port in standin["ports"]
    }
    assert f"https://{options.web_host}/" == variables["WHATSAPP_WEB_URL"]
    assert f"{options.web_host},{options.static_host}" == variables["ALLOWED_HOSTS"]


def test_the_stand_ins_hosts_are_its_services() -> None:
    """Each host name is the name of one of its Services in its namespace."""
    options = _parser().parse_args(container("standin")["args"])
    services = {
        f"{item['metadata']['name']}.{item['metadata']['namespace']}.svc"
        for item in documents(render("standin"))
        if item["kind"] == "Service"
    }

    assert {options.web_host, options.static_host} < services
