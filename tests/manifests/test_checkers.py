"""The checks of others, over all manifests: yamllint, kube-score, and the API server's schemas by kubeconform."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_cluster.light import LightCluster
from manifests.conftest import run
from manifests.rendering import MANIFESTS, RENDERED, render, sources
from manifests.schemas import write_schemas
from support.waiting import until

GENERATED = ("install.yaml", "dashboards.yaml", "prometheus-rule.yaml")
WRITTEN = sorted(path for path in MANIFESTS.rglob("*.yaml") if path.name not in GENERATED)


@pytest.fixture(scope="session")
def schemas(installed: LightCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of strict schemas, made from what the API server publishes about every kind, ours included."""

    def fetch(path: str) -> Any:
        return json.loads(installed.kubectl("get", "--raw", path))

    folder = tmp_path_factory.mktemp("schemas")
    ours = [folder / f"wasession.dev_v1alpha1_{kind}.json" for kind in ("whatsappsession", "whatsappsessionquota")]
    foreign = [folder / f"monitoring.coreos.com_v1_{kind}.json" for kind in ("podmonitor", "prometheusrule")]

    def published() -> bool:
        write_schemas(fetch=fetch, folder=folder)
        return all(
            file.exists() for file in (*ours, *foreign)
        )  # new kinds are published a moment after they are established

    until("the API server publishes our kinds and the Prometheus operator's", published, within=30)
    return folder


def test_yamllint() -> None:
    """Every file that a person wrote is tidy."""
    done = run(sys.executable, "-m", "yamllint", "--format=parsable", "-c", MANIFESTS / ".yamllint", *WRITTEN)

    assert len(WRITTEN) > 20
    assert "" == done.stdout


@pytest.mark.parametrize("name", RENDERED)
def test_kube_score(kube_score: Path, name: str) -> None:
    """No finding, warnings included; each exception stands in the file with its reason."""
    done = run(kube_score, "score", "--exit-one-on-warning", "--output-format", "ci", "-", text=render(name))

    bad = [line for line in done.stdout.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))]
    assert (0, []) == (done.returncode, bad)


def test_kube_score_looks_at_something(kube_score: Path) -> None:
    """A Deployment without limits is found: the check is not vacuous."""
    careless = render("base").replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")

    done = run(kube_score, "score", "--output-format", "ci", "-", text=careless)

    assert 1 == done.returncode
    assert "[CRITICAL] whatsapp-operator/whatsapp-operator apps/v1/Deployment" in done.stdout


@pytest.mark.parametrize("name", [*RENDERED, *(path.name for path in sources())])
def test_kubeconform(kubeconform: Path, schemas: Path, name: str) -> None:
    """Every object fits the schema that the API server itself publishes, with no field unknown to it."""
    plain = {path.name: path for path in sources()}
    text = plain[name].read_text() if name in plain else render(name)

    done = run(
        kubeconform, "-strict", "-output=json", "-summary", "-schema-location", template(schemas), "-", text=text
    )

    answer = json.loads(done.stdout)
    assert [] == [f"{item['kind']}: {item['msg']}" for item in answer["resources"]]
    assert {"invalid": 0, "errors": 0, "skipped": 0} == {
        key: answer["summary"][key] for key in ("invalid", "errors", "skipped")
    }
    assert len([item for item in yaml.safe_load_all(text) if item]) == answer["summary"]["valid"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("imagePullPolicy:", "imagePulPolicy:"),
        ("replicas: 1", "replicas: one"),
        ("terminationGracePeriodSeconds: 15", "x: 1"),
    ],
)
def test_kubeconform_finds_mistakes(kubeconform: Path, schemas: Path, before: str, after: str) -> None:
    """A misspelt field and a wrong type are found: the schemas are strict."""
    careless = render("base").replace(before, after)

    done = run(kubeconform, "-strict", "-schema-location", template(schemas), "-", text=careless)

    assert 1 == done.returncode
    assert "Deployment whatsapp-operator is invalid" in done.stdout


def test_kubeconform_knows_our_kinds(kubeconform: Path, schemas: Path) -> None:
    """A field that our CRD does not have is found too."""
    text = (MANIFESTS / "examples" / "session-full.yaml").read_text().replace("maxRounds", "maxRound")

    done = run(kubeconform, "-strict", "-schema-location", template(schemas), "-", text=text)

    assert 1 == done.returncode
    assert "WhatsAppSession support is invalid" in done.stdout
    assert "maxRound" in done.stdout


@pytest.mark.parametrize(("field", "status"), [("maxRounds", 0), ("maxRound", 1)])
def test_kubeconform_finds_the_checked_in_schemas(kubeconform: Path, field: str, status: int) -> None:
    """As docs/reference/editors.md tells it, without a cluster."""
    text = (MANIFESTS / "examples" / "session-full.yaml").read_text().replace("maxRounds", field)
    place = str(MANIFESTS.parent / "schemas" / "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json")

    done = run(kubeconform, "-strict", "-schema-location", place, "-", text=text)

    assert (status, "") == (done.returncode, done.stderr)


def template(schemas: Path) -> str:
    """Where kubeconform finds the schema of a kind."""
    return str(schemas / "{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json")
