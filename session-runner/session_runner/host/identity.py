"""Whose runner this is: for its answers, and for its log lines the name and the namespace of its session.

The last two are in the pod's full host name, which the kubelet writes into /etc/hosts: the operator gives each pod the session's
name as its host name, and a subdomain. A variable of its own would change the pod's template, so that every running
session waited for a new pod after an upgrade. Outside of a cluster nothing is known, and the lines name no session.
"""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from session_protocol.phone_number_id import phone_number_id

HOSTS: Final = Path("/etc/hosts")


class Identity(Struct, frozen=True, kw_only=True):
    """By what others know this runner."""

    session_uid: str
    pod_uid: str
    phone_number_id: str


def identity_of(pod: Mapping[str, str], *, session_uid: str, pod_uid: str) -> Identity:
    """Return whose runner this is; `pod`: what `session_of_pod` found."""
    phone = phone_number_id(pod.get("namespace", ""), pod.get("session", session_uid))
    return Identity(session_uid=session_uid, pod_uid=pod_uid, phone_number_id=phone)


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
