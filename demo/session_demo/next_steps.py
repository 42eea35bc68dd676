"""How a person goes on after the scenario, in a shell of their own."""

import shlex
import shutil
from pathlib import Path

from session_devtools.kubectl import Kubectl

PLUGIN = Path(__file__).parents[2] / "plugin"


def shell_exports(kubectl: Kubectl) -> str:
    """Return the line after which kubectl and its plugin work in the person's shell."""
    folders = [str(PLUGIN)]
    if shutil.which("kubectl") is None:
        folders.insert(0, str(Path(kubectl.program).parent))
    exports = [f"KUBECONFIG={shlex.quote(str(kubectl.kubeconfig))}"] if kubectl.kubeconfig else []
    path = ":".join([*map(shlex.quote, folders), "$PATH"])
    return " ".join(["export", *exports, f"PATH={path}"])
