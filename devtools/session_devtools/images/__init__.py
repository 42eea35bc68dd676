"""The project's container images, built on the machine itself, without a registry and without a daemon.

`build()` gives an OCI archive per image out of the cache, and builds it first when anything that decides its content
has changed; `python -m session_devtools.images` is the same for the command line. A local cluster takes the archives by
`python -m local_cluster load-images`. The Dockerfiles at the repository's root know nothing of all this: docker and podman build
them unchanged. `docs/design/images.md` tells why it is built so.
"""

from session_devtools.images.build import Built, build
from session_devtools.images.definitions import IMAGES, Image

__all__ = ["IMAGES", "Built", "Image", "build"]
