"""An image registry on this machine, for trying what a cluster of somebody else's is used with.

Our own cluster needs none: its images are given to containerd directly. `make demo CLUSTER=current` pushes to a
registry, and its test plays a foreign cluster with ours: `Registry` serves on the host's end of the cluster's link, and
`trust` tells the cluster's containerd that this one speaks plain HTTP.
"""

from local_cluster.registry.server import Registry
from local_cluster.registry.trust import trust

__all__ = ["Registry", "trust"]
