"""The programs that look over the manifests, built once from Go modules that pin them into the cache folder.

`make test-manifests` runs this module first, so that a person sees the builds and their times; the tests find the
programs in the cache then. From nothing, downloads included, the three take little over a minute on two cores.
"""

from pathlib import Path
from typing import Final

from manifests.engines import engines
from session_devtools.build.go import go_tool
from session_devtools.progress import ConsoleProgress

__all__ = ["KUBECONFORM", "KUBE_SCORE"]

MODULES: Final = Path(__file__).parent / "go"
KUBECONFORM: Final = MODULES / "kubeconform"
KUBE_SCORE: Final = MODULES / "kube-score"

if __name__ == "__main__":
    for each in (KUBECONFORM, KUBE_SCORE):
        go_tool(each, progress=ConsoleProgress())
    engines(progress=ConsoleProgress())
