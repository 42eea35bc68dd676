"""The hostile runner as an image: one static program (`hostile/main.go`), loaded into the cluster's own node."""

import tempfile
from pathlib import Path

from local_cluster.full import oci
from local_cluster.full.cluster import FullCluster
from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.go import SMALL, go_build
from session_devtools.progress import Progress

MODULE = Path(__file__).with_name("hostile")


def load(cluster: FullCluster, *, progress: Progress) -> str:
    """Build the program unless it is in the cache, bring its image into the cluster, and return the image's name."""

    def fill(target: Path) -> None:
        go_build(MODULE, target / "hostile", flags=SMALL, what="the hostile runner", progress=progress)

    key = content_key(files=files_of(MODULE))
    program = entry(f"hostile-{key}", fill, progress=progress) / "hostile"
    name = f"localhost/hostile:{key}"
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        archive.write_bytes(oci.archive(name, {"hostile": program.read_bytes()}, entrypoint=["/hostile"]))
        cluster.load(archive)
    return name
