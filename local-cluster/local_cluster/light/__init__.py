"""Light mode: a real API server for tests, with no root, no container and no bridge, ready in about three seconds.

`LightCluster.start()` is what the pytest fixtures of `local_cluster.testing` call, and works from plain Python too.
Nothing here touches a full cluster on the same machine: every instance has its own free ports on loopback and its own
temporary folder.
"""

from local_cluster.light.cluster import LightCluster
from local_cluster.light.programs import Programs, find_programs

__all__ = ["LightCluster", "Programs", "find_programs"]
