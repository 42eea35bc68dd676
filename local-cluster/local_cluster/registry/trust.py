"""Which registries a cluster's containerd may speak plain HTTP with: one small file each, read at every pull.

So a registry can come and go while the cluster runs. Every other registry is spoken to by HTTPS, as containerd does by
itself.
"""

from pathlib import Path

from local_cluster.full.components import Files
from local_cluster.full.instance import Instance

__all__ = ["hosts_file", "trust"]


def trust(instance: Instance, address: str) -> Path:
    """Let the cluster pull by plain HTTP from the registry at this address; returns the file that says so."""
    folder = Files(instance).registries / address
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "hosts.toml"
    path.write_text(hosts_file(address))
    return path


def hosts_file(address: str) -> str:
    """What containerd reads about one registry. Pure."""
    return f"""\
server = "http://{address}"
[host."http://{address}"]
  capabilities = ["pull", "resolve"]
"""
