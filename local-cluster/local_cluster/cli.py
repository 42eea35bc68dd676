"""The command line: `python -m local_cluster up|down|status|kubeconfig|load|exec`.

What a program may want to read goes to standard output, everything else to standard error. An expected failure is one
message and status 1, never a traceback.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from local_cluster.errors import ClusterError, MachineError
from local_cluster.full import machine, namespaces, records
from local_cluster.full.down import down
from local_cluster.full.instance import Instance, check_name
from local_cluster.full.load import load
from local_cluster.full.status import render, status
from local_cluster.full.up import supervisor_of, up
from local_cluster.steps import Steps, seconds

__all__ = ["main"]

DEFAULT_NAME = "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        check_name(given.name)
        return command(given)
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command again goes on from here", file=sys.stderr)
        return 130


def _up(given: argparse.Namespace) -> int:
    begin, steps = time.monotonic(), Steps()
    instance = up(given.name, progress=steps)
    steps.say(f"cluster {instance.name} is ready after {seconds(time.monotonic() - begin)}")
    steps.say(f"export KUBECONFIG={instance.kubeconfig}")
    return 0


def _down(given: argparse.Namespace) -> int:
    steps = Steps()
    steps.say(
        f"cluster {given.name} is gone" if down(given.name, progress=steps) else f"there is no cluster {given.name}"
    )
    return 0


def _status(given: argparse.Namespace) -> int:
    instance = _existing(given.name)
    found = status(instance, supervisor_of(instance))
    print(render(found))
    return 0 if found.healthy else 1


def _kubeconfig(given: argparse.Namespace) -> int:
    print(_existing(given.name).kubeconfig)
    return 0


def _load(given: argparse.Namespace) -> int:
    instance = _existing(given.name)
    with Steps().step(f"loading {given.archive}"):
        images = load(instance, given.archive)
    print("\n".join(images))
    return 0


def _exec(given: argparse.Namespace) -> int:
    machine.check()
    anchor = supervisor_of(_existing(given.name)).running("anchor")
    if anchor is None:
        raise MachineError(f"the cluster {given.name} does not run; start it with `make cluster-up`")
    words = [*namespaces.enter(anchor.pid), *given.words]
    sys.stdout.flush()
    os.execvp(words[0], words)  # noqa: S606  to become the command the person asked for is the point


def _existing(name: str) -> Instance:
    instance = records.find(name)
    if instance is None:
        others = ", ".join(records.names()) or "none"
        raise MachineError(f"there is no cluster {name} (there is: {others}); `make cluster-up` makes one")
    return instance


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cluster", description="A real Kubernetes on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: %(default)s)")
        sub.set_defaults(command=command)
        return sub

    add("up", _up, "bring the cluster up, or back to what it should be")
    add("down", _down, "remove the cluster with everything it made")
    add("status", _status, "show what runs; status 1 when something does not")
    add("kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig")
    add("load", _load, "bring an image into the cluster").add_argument("archive", type=Path, help="an OCI archive")
    inside = add("exec", _exec, "run a command inside the cluster's network and mount namespaces")
    inside.add_argument("words", nargs="+", metavar="WORD", help="the command and its arguments, after --")
    return parser
