"""The dashboards' queries, judged by Prometheus itself."""

import subprocess
from pathlib import Path

import pytest
import yaml
from dashboards import queries
from session_devtools import packages

VALUES = {"session_namespace": "shop", "quota": "default", "session": "sales", "__rate_interval": "5m", "__range": "6h"}


@pytest.mark.root
def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    """As recording rules of one file, which `promtool` reads as the server does."""
    packages.ensure(["prometheus"])
    rules = [
        {"record": f"dashboard:query:{number}", "expr": query.expr} for number, (_, query) in enumerate(queries(VALUES))
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))

    checked = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)

    assert 0 == checked.returncode, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
