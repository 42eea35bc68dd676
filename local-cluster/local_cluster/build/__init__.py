"""The programs of a cluster that no package carries, built once into the cache folder.

Light mode and the full cluster ask here for the programs they start. Each is built by the first who asks, from a Go
module whose dependencies are locked, into a folder named after everything that decides its content; whoever asks
later finds it in the time of one file look-up. Nothing here is removed by `cluster-down`: that is what a cache is for.
"""

from local_cluster.build.cache import cache_folder
from local_cluster.build.programs import coredns, kubernetes, kubernetes_version, pause, registry

__all__ = ["cache_folder", "coredns", "kubernetes", "kubernetes_version", "pause", "registry"]
