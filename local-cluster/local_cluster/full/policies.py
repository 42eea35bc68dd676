"""NetworkPolicy, where a cluster is told to enforce it: the program that judges, and the rules that ask it.

`up` switches it on and off. The kernel hands the first packet of each connection from or to a pod to a queue
(NFQUEUE), and the program (`go/network-policies`) says whether it may pass. It stands behind two rules:

    FORWARD            from pod to pod, by address or by Service: a Service's address is a pod's by then
    INPUT, from pods   to the node itself: the API server and the cluster's DNS, which are no pods, so that a policy
                       allows them by ipBlock or by port

What the node sends is in neither: the kubelet's probes and port-forward pass whatever a policy says, as they should.
Without the program nothing that is asked passes, so a test never takes "not judged" for "allowed".
"""

from pathlib import Path
from typing import Final

from session_devtools.commands import run, succeeds

from local_cluster.control_plane import flags
from local_cluster.full import readiness
from local_cluster.full.instance import Instance
from local_cluster.full.namespaces import enter
from local_cluster.full.supervisor import Daemon, Supervisor

__all__ = ["NAME", "QUEUE", "RULES", "daemon", "is_answered", "switch_off", "switch_on"]

NAME: Final = "network-policies"
"""What the daemon and its kubeconfig are called."""
QUEUE: Final = 100
JUDGED: Final = ("-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", str(QUEUE))
RULES: Final = (("FORWARD", *JUDGED), ("INPUT", "-i", "veth+", *JUDGED))
"""Of the table `mangle`, before which a Service's address has become a pod's, and which kube-proxy leaves alone."""


def daemon(instance: Instance, program: Path) -> Daemon:
    """The one that judges."""
    kubeconfig = instance.plane.kubeconfig(NAME)
    return Daemon(
        name=NAME,
        command=[str(program), *flags({"kubeconfig": kubeconfig, "queue": QUEUE})],
        reads=[kubeconfig],
        follows=["containerd"],  # which tells it the pods' addresses, and which it does not look for again
    )


def switch_on(judge: Daemon, supervisor: Supervisor, *, anchor: int) -> None:
    """Have it judge; a second call changes nothing.

    :raises ToolError: it could not be done.

    The rules come last, so that nothing waits for a program that can not start.
    """
    supervisor.ensure(judge, inside=anchor)
    queues = Path(f"/proc/{anchor}/net/netfilter/nfnetlink_queue")
    readiness.wait_for(
        lambda: queues.exists() and is_answered(queues.read_text()),  # the program has the kernel load its module
        what="the network policies' start",
        check=lambda: supervisor.check(NAME),
    )
    for chain, *rule in RULES:
        if not succeeds(*_mangle(anchor, "-C", chain, *rule)):
            run(*_mangle(anchor, "-I", chain, *rule))


def switch_off(instance: Instance, supervisor: Supervisor, *, anchor: int) -> None:
    """Judge nothing any more, and keep nothing that was for it.

    :raises ToolError: it could not be done.

    The rules go first, so that no connection meets a queue that nobody answers.
    """
    for chain, *rule in RULES:
        while succeeds(*_mangle(anchor, "-C", chain, *rule)):
            run(*_mangle(anchor, "-D", chain, *rule))
    supervisor.end(NAME)
    instance.plane.kubeconfig(NAME).unlink(missing_ok=True)


def is_answered(queues: str) -> bool:
    """Whether somebody answers our queue, by the kernel's list of those that are; pure."""
    return str(QUEUE) in {line.split()[0] for line in queues.splitlines() if line.strip()}


def _mangle(anchor: int, action: str, chain: str, *rule: str) -> list[str]:
    return [*enter(anchor), "iptables", "--wait", "--table", "mangle", action, chain, *rule]
