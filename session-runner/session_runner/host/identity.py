"""Whose runner this is, for its log lines: the name and the namespace of its session.

Both are in the pod's full host name, which the kubelet writes into /etc/hosts: the operator gives each pod the session's
name as its host name, and a subdomain. A variable of its own would change the pod's template, so that every running
session waited for a new pod after an upgrade. Outside of a cluster nothing is known, and the lines name no session.
"""

import re
import socket
from pathlib import Path
from typing import Final

HOSTS: Final = Path("/etc/hosts")


def session_of_pod(hosts: Path = HOSTS) -> dict[str, str]:
    """Return the fields that every line of this runner has; empty outside of a cluster."""
    try:
        text = hosts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return session_in(text, hostname=socket.gethostname())


def session_in(hosts: str, *, hostname: str) -> dict[str, str]:
    """Return session and namespace by the line of a host in /etc/hosts: address, full name, name."""
    full_name = re.compile(rf"{re.escape(hostname)}\.[^.]+\.(?P<namespace>[^.]+)\.svc(\..*)?")
    for line in hosts.splitlines():
        for name in line.partition("#")[0].split()[1:]:
            if found := full_name.fullmatch(name):
                return {"session": hostname, "namespace": found["namespace"]}
    return {}
