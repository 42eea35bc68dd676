"""Everything one client needs to reach an API server, in one file that can be copied anywhere."""

import base64

import yaml

from local_cluster.pki.authority import Pair

__all__ = ["kubeconfig"]


def kubeconfig(*, url: str, authority: bytes, client: Pair, name: str) -> str:
    """A kubeconfig with the certificates inside; `name` is what kubectl shows for cluster, user and context."""

    def inline(pem: bytes) -> str:
        return base64.b64encode(pem).decode()

    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority-data": inline(authority)}}],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate-data": inline(client.certificate),
                        "client-key-data": inline(client.key),
                    },
                }
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )
