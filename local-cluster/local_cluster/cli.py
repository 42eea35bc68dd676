"""The command line: `python -m local_cluster programs|up|down|status|kubeconfig|load|load-images|exec`.

What a program may want to read goes to standard output, everything else to standard error. An expected failure is one
message and status 1, never a traceback. The arguments are argparse's, as those of all internal commands: completion and
tables (typer, rich) are for people, who have the plugin and `make`.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from session_devtools.errors import ToolError
from session_devtools.images import IMAGES, build
from session_devtools.progress import ConsoleProgress, format_duration

from local_cluster.full import machine
from local_cluster.full.cluster import FullCluster
from local_cluster.full.load import load_missing
from local_cluster.full.status import render
from local_cluster.light import find_programs

__all__ = ["main"]

DEFAULT_NAME = "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    command: Callable[[FullCluster, argparse.Namespace], int] = given.command
    try:
        return command(FullCluster(given.name, network_policies=given.network_policies), given)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command again goes on from here", file=sys.stderr)
        return 130


def _programs(_: FullCluster, __: argparse.Namespace) -> int:
    find_programs(progress=ConsoleProgress())
    return 0


def _up(cluster: FullCluster, _: argparse.Namespace) -> int:
    begin, progress = time.monotonic(), ConsoleProgress()
    cluster.up(progress=progress)
    progress.info(f"cluster {cluster.name} is ready after {format_duration(time.monotonic() - begin)}")
    progress.info(f"export KUBECONFIG={cluster.kubeconfig}")
    if shutil.which("kubectl") is None:
        progress.info(
            f"export PATH={Path(cluster.kubectl.program).parent}:$PATH   # a kubectl of the cluster's own version"
        )
    return 0


def _down(cluster: FullCluster, _: argparse.Namespace) -> int:
    progress = ConsoleProgress()
    progress.info(
        f"cluster {cluster.name} is gone" if cluster.down(progress=progress) else f"there is no cluster {cluster.name}"
    )
    return 0


def _status(cluster: FullCluster, _: argparse.Namespace) -> int:
    found = cluster.status()
    print(render(found))
    return 0 if found.healthy else 1


def _kubeconfig(cluster: FullCluster, _: argparse.Namespace) -> int:
    print(cluster.kubeconfig)
    return 0


def _load(cluster: FullCluster, given: argparse.Namespace) -> int:
    with ConsoleProgress().step(f"loading {given.archive}"):
        images = cluster.load(given.archive)
    print("\n".join(images))
    return 0


def _load_images(cluster: FullCluster, given: argparse.Namespace) -> int:
    instance, progress = (
        cluster.instance,
        ConsoleProgress(),
    )  # the cluster first: building is minutes for nothing where there is none
    images = build(given.names or IMAGES, progress=progress)
    load_missing(instance, images.values(), progress=progress)
    for built in images.values():
        print(built.name, built.reference)
    return 0


def _exec(cluster: FullCluster, given: argparse.Namespace) -> int:
    machine.check()
    command = cluster.inside(*given.words)
    os.execvp(command[0], command)  # noqa: S606  to become the command the person asked for is the point


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cluster", description="A real Kubernetes on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[FullCluster, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: %(default)s)")
        sub.set_defaults(command=command, network_policies=None)
        return sub

    add("programs", _programs, "compile what an API server alone needs, before tests start one")
    add("up", _up, "bring the cluster up, or back to what it should be").add_argument(
        "--network-policies",
        action=argparse.BooleanOptionalAction,
        help="enforce NetworkPolicy objects, or no longer (default: as before, and not in a new cluster)",
    )
    add("down", _down, "remove the cluster with everything it made")
    add("status", _status, "show what runs; status 1 when something does not")
    add("kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig")
    add("load", _load, "bring an image into the cluster").add_argument("archive", type=Path, help="an OCI archive")
    images = add("load-images", _load_images, "build the project's images that have changed, and bring them in")
    images.add_argument("names", nargs="*", choices=[[], *IMAGES], metavar="NAME", help=", ".join(IMAGES))
    inside = add("exec", _exec, "run a command inside the cluster's network and mount namespaces")
    inside.add_argument("words", nargs="+", metavar="WORD", help="the command and its arguments, after --")
    return parser
