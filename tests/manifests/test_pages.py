"""What the pages tell people to type to install works as it stands there, in a clone of the project."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from local_cluster.light import Programs
from manifests.rendering import MANIFESTS, documents

ROOT = MANIFESTS.parent
PAGES = ("README.md", "docs/operations/install.md")
COPY = re.compile(r"cp -r (\S+) (\S+)")
APPLY = re.compile(r"kubectl apply -k (\S+)")


@pytest.mark.parametrize("page", PAGES)
def test_a_copied_installation_renders_where_the_page_puts_it(
    page: str, tmp_path: Path, light_programs: Programs
) -> None:
    """`cp -r` to the place that the page names, then `kubectl apply -k` of it: the path to the base still leads there."""
    text = (ROOT / page).read_text()
    ((source, target),) = set(COPY.findall(text))
    for folder in ("manifests", "crds"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(tmp_path / source, tmp_path / target)

    done = subprocess.run(
        [light_programs.kubectl, "kustomize", tmp_path / target], capture_output=True, text=True, check=False
    )

    assert {target} == set(APPLY.findall(text))
    assert (0, "") == (done.returncode, done.stderr)
    assert ["Deployment"] == [item["kind"] for item in documents(done.stdout) if item["kind"] == "Deployment"]


@pytest.mark.parametrize("page", PAGES)
def test_the_quota_comes_when_its_kind_is_served(page: str) -> None:
    """The default quota is applied after the rollout was waited for: right after the CRDs its kind may be unknown."""
    for block in re.findall(r"```.*?\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL):
        if "manifests/quota/default.yaml" in block:
            assert block.index("kubectl rollout status") < block.index("manifests/quota/default.yaml")
