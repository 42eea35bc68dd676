"""The network and the mount namespace of an instance, held by its anchor.

The anchor is a process that only waits, started first, in new namespaces; everything else of the instance enters
them. When the last process is gone the kernel takes both namespaces away, with every mount, interface and firewall
rule in them: `down` has none of these to find and remove one by one. No file names the namespaces, so none is left.

Inside, `/run`, `/var/lib` and `/var/log` are folders of the instance, so that containerd, the kubelet and the network
plugins can use the places they expect and still leave no trace outside, and two instances do not meet there.

By the programs `ip` and `nsenter`: a handful of words each, where a netlink library (pyroute2) would be longer.
"""

import contextlib
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from session_devtools.commands import run, succeeds
from session_devtools.errors import CommandError

from local_cluster.control_plane import SERVICE_RANGE
from local_cluster.full.instance import Instance

__all__ = ["anchor_command", "anchor_script", "connect", "disconnect", "enter", "make_folders"]

INSIDE = "eth0"


def enter(anchor: int) -> list[str]:
    """The words before a command that runs it inside; the process keeps its id."""
    return ["nsenter", f"--mount=/proc/{anchor}/ns/mnt", f"--net=/proc/{anchor}/ns/net", "--"]


def anchor_command(instance: Instance, *, pause: Path, keep: Iterable[Path]) -> list[str]:
    """The command that becomes the anchor: new namespaces, furnished, and then nothing but waiting.

    `keep` are folders that stay visible inside although they may lie below a hidden one.
    """
    script = anchor_script(instance.hidden, pause=pause, keep=keep)
    # "slave": what the host unmounts later goes here too, so we keep no disk of it busy; nothing of ours goes there.
    return ["unshare", "--mount", "--net", "--propagation", "slave", "--", "sh", "-euc", script]


def anchor_script(hidden: Mapping[Path, Path], *, pause: Path, keep: Iterable[Path]) -> str:
    """The shell lines that furnish the namespaces; pure."""
    lines = []
    for kept in keep:
        for place, view in hidden.items():
            if kept.is_relative_to(place):
                inside = view / kept.relative_to(place)
                lines.append(_line("mkdir", "-p", kept, inside))
                lines.append(_line("mount", "--rbind", kept, inside))
    # Last, and one that holds another's view (/var/lib has the state folder) after that one was read.
    for place, view in sorted(hidden.items()):
        lines.append(_line("mount", "--rbind", view, place))
    # The kubelet hands mounts on to pods that ask for it, so they are shared among ourselves. Last: two views of one
    # folder that were shared when they were made would show each other's mounts, and every mount would be there thrice.
    lines += ["mount --make-rshared /", "ip link set lo up", _line("exec", pause)]
    return "\n".join(lines)


def make_folders(instance: Instance) -> None:
    """The folders of the inside's own version of the hidden ones."""
    for view in instance.hidden.values():
        view.mkdir(parents=True, exist_ok=True)
    for inside in ("lib/kubelet", "lib/cni", "log/pods", "log/containers"):
        (instance.state / "view" / f"var-{inside}").mkdir(parents=True, exist_ok=True)


def connect(instance: Instance, anchor: int) -> None:
    """Lay the link between the host and the inside; a second call changes nothing."""
    outside = instance.label
    inside = [*enter(anchor), "ip"]
    if not succeeds(*inside, "link", "show", "dev", INSIDE):
        disconnect(instance)  # a host's end without its counterpart is a dead instance's
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", INSIDE, "netns", str(anchor))
    run("ip", "address", "replace", f"{instance.link.host}/30", "dev", outside)
    run("ip", "link", "set", outside, "up")
    run(*inside, "address", "replace", f"{instance.link.node}/30", "dev", INSIDE)
    run(*inside, "link", "set", INSIDE, "up")
    # No default route: nothing in the cluster reaches the internet. Services need one, as the kernel looks for a way
    # to their addresses before kube-proxy's rules turn them into a pod's.
    run(*inside, "route", "replace", SERVICE_RANGE, "dev", INSIDE)


def disconnect(instance: Instance) -> None:
    """Take the link away; its end inside goes with it."""
    with contextlib.suppress(CommandError):  # there is none, or the kernel takes it away at this moment
        run("ip", "link", "delete", instance.label)


def _line(*arguments: str | Path) -> str:
    return shlex.join(str(argument) for argument in arguments)
