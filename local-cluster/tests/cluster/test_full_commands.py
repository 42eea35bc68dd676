"""The command line and the make targets, as a person or a script uses them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cluster.support import IMAGE, command_line
from local_cluster.full.cluster import FullCluster

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[3]


def _make(*fields: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-s", *fields]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_make_kubeconfig_prints_the_path_and_nothing_else(full_cluster: FullCluster) -> None:
    """`export KUBECONFIG=$(make -s kubeconfig)` works, and so does kubectl with it."""
    result = _make("kubeconfig", f"CLUSTER_NAME={full_cluster.name}")
    path = result.stdout.rstrip("\n")
    environment = {**os.environ, "KUBECONFIG": path}
    nodes = subprocess.run(
        [full_cluster.kubectl.program, "get", "nodes", "-o", "name"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.returncode == 0
    assert result.stdout == f"{full_cluster.kubeconfig}\n"
    assert nodes.stdout == f"node/{full_cluster.name}\n"


def test_make_cluster_up_is_for_a_running_cluster_too(full_cluster: FullCluster) -> None:
    """Every step is shown with its time, and the last lines say how to go on."""
    result = _make("cluster-up", f"CLUSTER_NAME={full_cluster.name}")
    lines = result.stderr.splitlines()

    assert result.returncode == 0
    assert result.stdout == ""
    assert [line for line in lines if not line.startswith("==> ")] == []
    assert [line.rpartition(": ")[2].endswith(" s") for line in lines[:3]] == [True] * 3
    assert f"export KUBECONFIG={full_cluster.kubeconfig}" in result.stderr


def test_the_kubeconfig_is_the_owners_alone(full_cluster: FullCluster) -> None:
    """It makes an administrator of whoever reads it."""
    assert full_cluster.kubeconfig.stat().st_mode & 0o077 == 0
    assert full_cluster.instance.state.stat().st_mode & 0o077 == 0


def test_without_a_cluster_kubeconfig_says_so() -> None:
    """Nothing on standard output that a script could take for a path."""
    result = _make("kubeconfig", "CLUSTER_NAME=no-such")

    assert result.returncode != 0
    assert result.stdout == ""
    assert "there is no cluster no-such" in result.stderr


def test_status_shows_every_component(full_cluster: FullCluster) -> None:
    """With its process id; status 0 when all is well."""
    result = command_line("status", "--name", full_cluster.name)
    shown = {fields[0]: fields[1] for line in result.stdout.splitlines()[1:] if (fields := line.split())}

    assert result.returncode == 0
    for component in full_cluster.status().components:
        assert shown[component.name] == str(component.pid)
    assert shown["kubeconfig"] == str(full_cluster.kubeconfig)


def test_load_names_the_images(full_cluster: FullCluster, test_image: Path) -> None:
    """Loading it again is fine."""
    result = command_line("load", "--name", full_cluster.name, str(test_image))

    assert result.returncode == 0
    assert result.stdout == f"{IMAGE}\n"


def test_load_refuses_what_is_no_image(full_cluster: FullCluster, tmp_path: Path) -> None:
    """One message, no traceback."""
    (tmp_path / "text").write_text("no archive")
    result = command_line("load", "--name", full_cluster.name, str(tmp_path / "text"))

    assert result.returncode == 1
    assert "images import" in result.stderr
    assert "Traceback" not in result.stderr


def test_exec_runs_inside(full_cluster: FullCluster) -> None:
    """In the cluster's network and with its own /run; the status is the command's."""
    script = (
        "import json, os, socket; print(json.dumps([sorted(n for _, n in socket.if_nameindex()), os.listdir('/run')]))"
    )
    inside = command_line("exec", "--name", full_cluster.name, "--", "/usr/bin/python3", "-c", script)
    links, run_folder = json.loads(inside.stdout)
    failed = command_line("exec", "--name", full_cluster.name, "--", "sh", "-c", "exit 7")

    assert {"eth0", "lo"} <= set(links)
    assert full_cluster.instance.label not in links
    assert "containerd" in run_folder
    assert failed.returncode == 7


def test_an_ordinary_user_is_asked_to_be_root(tmp_path: Path) -> None:
    """At once, before anything is installed or built."""
    script = (
        "import os, sys\n"
        "from local_cluster import cli\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(cli.main(['up', '--name', 'no-such']))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 1
    assert "needs root" in result.stderr
    assert "Traceback" not in result.stderr
