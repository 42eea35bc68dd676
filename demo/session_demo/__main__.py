"""`python -m session_demo`: set the stage, play, sum up. `make demo` and `make demo-down` call it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local_cluster.errors import ClusterError
from local_cluster.full.cluster import FullCluster
from local_cluster.steps import Steps

from session_demo import places
from session_demo.cast import NAMESPACE
from session_demo.errors import DemoError
from session_demo.play import play
from session_demo.setup import Choice, set_up
from session_demo.story import Story


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return _down(given.name) if given.command == "down" else _play(given)
    except (DemoError, ClusterError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; `make demo` begins anew, `make demo-down` cleans up", file=sys.stderr)
        return 130


def _play(given: argparse.Namespace) -> int:
    story = Story()
    story.chapter("Setting the stage: a real Kubernetes, the images, the operator, the stand-in")
    kubectl, images = places.local(given.name)
    stage = set_up(story, kubectl, images, Choice(mode=given.mode))
    play(story, stage)
    status = story.finish()
    story.say("\nLook around with kubectl and its plugin; `make demo-down` removes everything:\n")
    story.say(f"  {places.farewell(kubectl)}")
    story.say(f"  kubectl get was -n {NAMESPACE}")
    story.say(f"  kubectl whatsapp status -n {NAMESPACE}")
    story.say(f"  kubectl whatsapp qr returns -n {NAMESPACE}")
    return status


def _down(name: str) -> int:
    FullCluster(name).down(progress=Steps())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m session_demo", description="The main job on a real Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (("play", "set up and play"), ("down", "remove everything the demo made")):
        sub = commands.add_parser(command, help=text)
        sub.add_argument("--name", default="demo", help="which local cluster (default: %(default)s)")
        sub.add_argument("--mode", choices=("legacy", "modern"), default="legacy", help="the stand-in's page")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
