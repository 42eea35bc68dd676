"""An image made of a few files, without any build tool.

An OCI archive is a tar of some JSON files and one layer, so making one here costs no package and no second. The
sandbox of every pod runs on such an image, and so do the pods of this project's own tests. What builds, pushes and
serves real images is buildah and the reference registry; a library for images (go-containerregistry) would be one more
program beside them.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence

__all__ = ["archive", "pause_archive", "pause_image"]

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
OCI = "application/vnd.oci.image"
NOBODY = "65534:65534"


def pause_image(program: bytes) -> str:
    """The name of the sandbox's image; its tag follows the content, so that a new program is a new image."""
    return f"localhost/pause:{hashlib.sha256(program).hexdigest()[:12]}"


def pause_archive(program: bytes) -> bytes:
    """The image of every pod's sandbox: one static program and nothing else."""
    return archive(pause_image(program), {"pause": program}, entrypoint=["/pause"])


def archive(name: str, files: Mapping[str, bytes], *, entrypoint: Sequence[str], machine: str | None = None) -> bytes:
    """An OCI archive of an image with these (executable) files, run as nobody; the same bytes for the same content."""
    layer = _tar(files, mode=0o755)
    config = _json(
        {
            "architecture": ARCHITECTURES[machine or platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": list(entrypoint), "User": NOBODY},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": _descriptor(f"{OCI}.config.v1+json", config),
            "layers": [_descriptor(f"{OCI}.layer.v1.tar", layer)],
        }
    )
    named = {**_descriptor(f"{OCI}.manifest.v1+json", manifest), "annotations": {"io.containerd.image.name": name}}
    blobs = {f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}": blob for blob in (layer, config, manifest)}
    index = _json({"schemaVersion": 2, "manifests": [named]})
    return _tar({"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": index, **blobs}, mode=0o644)


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _tar(files: Mapping[str, bytes], *, mode: int) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()
