"""The programs of a cluster that no package carries, built once into the cache folder.

Light mode and the full cluster ask here for the programs they start. Nothing in the cache is removed by `cluster-down`:
that is what a cache is for.
"""

from local_cluster.build.programs import (
    kubeadm,
    kubernetes,
    network_policies,
    network_policies_plan,
    pause,
    plans,
    registry,
    runtime,
)

__all__ = [
    "kubeadm",
    "kubernetes",
    "network_policies",
    "network_policies_plan",
    "pause",
    "plans",
    "registry",
    "runtime",
]
