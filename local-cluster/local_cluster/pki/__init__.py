"""Who may speak to whom in a cluster, as certificates.

`authority` makes and judges single certificates and is pure; `store` keeps a set of them in a folder, and is what both
modes call; `kubeconfig` writes what a client needs into one file.
"""

from local_cluster.pki.authority import Authority, Pair, needs_renewal
from local_cluster.pki.kubeconfig import kubeconfig
from local_cluster.pki.store import Client, Server, Store

__all__ = ["Authority", "Client", "Pair", "Server", "Store", "kubeconfig", "needs_renewal"]
