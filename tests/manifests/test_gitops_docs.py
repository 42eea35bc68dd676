"""What the page about GitOps tells people to type does what it says."""

import os
import re
import subprocess
from pathlib import Path

import yaml
from local_cluster.light import LightCluster, Programs
from manifests.engines import GITOPS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations/gitops.md").read_text()
KEY = "resource.customizations.{}.wasession.dev_WhatsAppSession"


def command(part: str) -> str:
    """Return the commands of the page that have this text in them."""
    [found] = [block for block in re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if part in block]
    return str(found)


def test_the_command_for_argo_cd_leaves_its_other_settings_alone(
    light_cluster: LightCluster, light_programs: Programs, tmp_path: Path
) -> None:
    """Typed word for word, twice: both keys are there, and what was there before."""
    (tmp_path / "kubectl").symlink_to(light_programs.kubectl)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "KUBECONFIG": str(light_cluster.kubeconfig),
    }  # fmt: skip
    light_cluster.kubectl("create", "namespace", "argocd")
    light_cluster.kubectl("create", "configmap", "argocd-cm", "--namespace=argocd", "--from-literal=url=https://x")

    for _ in range(2):
        subprocess.run(["bash", "-euo", "pipefail", "-c", command("argocd-cm")], cwd=ROOT, env=environment, check=True)

    stored = yaml.safe_load(
        light_cluster.kubectl("get", "configmap", "argocd-cm", "--namespace=argocd", "--output=yaml")
    )
    light_cluster.kubectl("delete", "namespace", "argocd", "--wait=false")
    files = {"health": "health.lua", "actions": "actions.yaml"}
    assert {
        "url": "https://x",
        **{KEY.format(kind): (GITOPS / name).read_text() for kind, name in files.items()},
    } == stored["data"]


def test_the_patch_for_flux_is_what_the_page_shows() -> None:
    """The expressions of the page and the file that the command names are the same."""
    [shown] = [
        block for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "inProgress" in block
    ]

    assert "--patch-file=manifests/gitops/health-expressions.yaml" in command("--patch-file")
    assert yaml.safe_load(shown) == yaml.safe_load((GITOPS / "health-expressions.yaml").read_text())["spec"]


def test_the_table_of_actions_has_every_action() -> None:
    """A new script is described."""
    rows = re.findall(r"^\| ([a-z, ]+) \|", PAGE, re.MULTILINE)

    described = {name for row in rows for name in row.split(", ")}
    assert {path.stem for path in (GITOPS / "actions").glob("*.lua")} - {"discovery"} <= described
