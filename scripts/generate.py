"""Writes every file that is made from others: `make generate`. `make verify` writes nothing and fails if one is stale.

The modules that know a file's content return it as text; here is the one list of them, and the one place that writes.
A new generated file is a row of GENERATORS and a line in .gitattributes. install.yaml is rendered by the project's own
kubectl, so that it has the same bytes on every machine: on a new one that is compiled first.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

REPOSITORY: Final = Path(__file__).resolve().parents[1]

STAMPED: Final = (
    "docs/operations/install.md",
    "manifests/base/operator/deployment.yaml",
    "manifests/components/browser-sandbox/nodes/daemon-set.yaml",
    "manifests/components/labels/kustomization.yaml",
    "manifests/examples/install/kustomization.yaml",
    "manifests/examples/install/settings.yaml",
    "manifests/examples/session-full.yaml",
)
""" Files that people write and that name the release: the version in them comes from pyproject.toml. """

_VERSION: Final = re.compile(
    r"(?P<before>\bwhatsapp-(?:operator|runner):|\bnewTag: |\bapp\.kubernetes\.io/version: )\d[\w.+-]*"
)


class Generator(NamedTuple):
    """Some files, by their paths in the repository, and what to change instead of them."""

    source: str
    files: Callable[[Path], Mapping[str, str]]


def api(repository: Path) -> Mapping[str, str]:
    """Return the CRDs, the JSON Schemas and the reference page of the API, and what Argo CD and Flux go by."""
    from whatsapp_operator.api.generate import files

    del repository
    return {str(path): text for path, text in files().items()}


def state_tables(repository: Path) -> Mapping[str, str]:
    """Return the pages that people write around tables of states, with the tables filled in."""
    from whatsapp_operator.api.state_pages import PAGES, filled

    return {str(page): filled((repository / page).read_text(encoding="utf-8")) for page in PAGES}


def states(repository: Path) -> Mapping[str, str]:
    """Return the page of states: how each shows, and what to do."""
    import alert_files
    from whatsapp_operator.api.states_page import page

    rules = (repository / alert_files.RULES).read_text(encoding="utf-8")
    return {"docs/states.md": page(alert_files.by_state(rules))}


def argo_cd_actions(repository: Path) -> Mapping[str, str]:
    """Return the actions of Argo CD in one file, as its ConfigMap takes them."""
    from whatsapp_operator.api.gitops import ACTIONS, ACTIONS_FILE, actions_file

    return {str(ACTIONS_FILE): actions_file(repository / ACTIONS)}


def operator_settings(repository: Path) -> Mapping[str, str]:
    """Return the page of the operator's settings."""
    from whatsapp_operator.app.settings_page import page

    del repository
    return {"docs/reference/settings.md": page()}


def metrics(repository: Path) -> Mapping[str, str]:
    """Return the page of the operator's and the runner's metrics."""
    from session_runner.metrics.families import FAMILIES
    from whatsapp_operator.app.metrics_page import page

    del repository
    return {"docs/reference/metrics.md": page(FAMILIES)}


def causes(repository: Path) -> Mapping[str, str]:
    """Return the page of causes: why a pod ended or does not run."""
    from whatsapp_operator.app.causes_page import page

    del repository
    return {"docs/causes.md": page()}


def runner_settings(repository: Path) -> Mapping[str, str]:
    """Return the page of the runner's settings: its words are written by hand, the table at its end is not."""
    from session_runner.settings import settings_table

    page = "docs/reference/runner-settings.md"
    words, _, _ = (repository / page).read_text(encoding="utf-8").partition("| Variable |")
    return {page: words + settings_table()}


def openapi(repository: Path) -> Mapping[str, str]:
    """Return the OpenAPI document of the runner."""
    from session_runner.http.openapi import text

    del repository
    return {"session-runner/session_runner/http/openapi.yaml": text()}


def scrape_config(repository: Path) -> Mapping[str, str]:
    """Return the PodMonitors as a plain Prometheus reads them."""
    import yaml
    from session_devtools.monitoring.scrape_config import scrape_yaml

    monitors = (repository / "manifests/components/monitoring/pod-monitors.yaml").read_text(encoding="utf-8")
    return {"manifests/monitoring/scrape.yaml": scrape_yaml(yaml.safe_load_all(monitors))}


def alerts(repository: Path) -> Mapping[str, str]:
    """Return the alert rules as the Prometheus operator reads them, and the runbooks' index with its table filled in."""
    import alert_files

    rules = (repository / alert_files.RULES).read_text(encoding="utf-8")
    words = (repository / alert_files.INDEX).read_text(encoding="utf-8")
    return {
        alert_files.PROMETHEUS_RULE: alert_files.prometheus_rule(rules),
        alert_files.INDEX: alert_files.index(words, rules),
    }


def log_lines(repository: Path) -> Mapping[str, str]:
    """Return the schema of a log line, and the page of all lines."""
    from log_lines import files

    del repository
    return files()


def grafana(repository: Path) -> Mapping[str, str]:
    """Return the Grafana dashboards, as JSON and as ConfigMaps."""
    from dashboards import files

    del repository
    return files()


def version(repository: Path) -> Mapping[str, str]:
    """Return the files that name the release, with the version of pyproject.toml."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        path: _VERSION.sub(rf"\g<before>{project['version']}", (repository / path).read_text(encoding="utf-8"))
        for path in STAMPED
    }


def install(repository: Path) -> Mapping[str, str]:
    """Return the installation in one file, as kubectl renders it from what the generators before have written."""
    from manifests.rendering import install_yaml

    del repository
    return {"manifests/install.yaml": install_yaml()}


GENERATORS: Final = (
    Generator("whatsapp_operator.api", api),
    Generator("the table in session_protocol.states", state_tables),
    Generator("the table in session_protocol.states and manifests/monitoring/rules.yaml", states),
    Generator("manifests/gitops/actions", argo_cd_actions),
    Generator("whatsapp_operator.app.settings", operator_settings),
    Generator("whatsapp_operator.runtime.metrics and session_runner.metrics.families", metrics),
    Generator("whatsapp_operator.core.recovery.causes", causes),
    Generator("session_runner.settings", runner_settings),
    Generator("session_runner.http.routes, cloud_routes beside it, and session_protocol.answers", openapi),
    Generator("manifests/components/monitoring/pod-monitors.yaml", scrape_config),
    Generator("manifests/monitoring/rules.yaml", alerts),
    Generator("session_protocol.log_line and the log calls of the source", log_lines),
    Generator("scripts/dashboards", grafana),
    Generator("the version in pyproject.toml", version),
    Generator("manifests/base and crds", install),
)
""" In this order: install.yaml is made of others. """


def stale(repository: Path, generator: Generator) -> Iterator[tuple[str, str]]:
    """Yield the files that are missing or differ from what they should be, with the text they should have."""
    for path, text in generator.files(repository).items():
        file = repository / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            yield path, text


def generate(repository: Path, generators: Sequence[Generator]) -> list[str]:
    """Write what is stale; return the paths."""
    written = []
    for generator in generators:
        for path, text in stale(repository, generator):
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_text(text, encoding="utf-8")
            written.append(path)
    return written


def verify(repository: Path, generators: Sequence[Generator]) -> list[str]:
    """Return a line for each file that is stale."""
    return [
        f"{path} is not what {generator.source} makes of it: run `make generate` and commit the result"
        for generator in generators
        for path, _ in stale(repository, generator)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/generate.py", description="Write every generated file.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    options = parser.parse_args(arguments)
    if options.check:
        faults = verify(REPOSITORY, GENERATORS)
        sys.stderr.writelines(f"{fault}\n" for fault in faults)
        return 1 if faults else 0
    for path in generate(REPOSITORY, GENERATORS):
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
