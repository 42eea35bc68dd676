"""`python -m session_demo`: set the stage, play, sum up. `make demo` and `make demo-down` call it."""

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence

from session_devtools.errors import ToolError
from session_devtools.kubectl import Kubectl

from session_demo import context, current
from session_demo.alone import alone
from session_demo.cast import NAMESPACE
from session_demo.farewell import farewell
from session_demo.play import play
from session_demo.setup import Choice, set_up
from session_demo.stage import Stage
from session_demo.story import Story


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    command = _COMMANDS[given.command, given.cluster]
    try:
        return command(given)
    except ToolError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        where = " CLUSTER=current" if given.cluster == "current" else ""
        print(f"demo: interrupted; `make demo{where}` begins anew, `make demo-down{where}` cleans up", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read us has gone (`make demo | head`). The same command again does the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its own end
        with contextlib.suppress(BrokenPipeError):
            print(f"demo: stopped in the middle of {given.command}, as nobody reads on", file=sys.stderr)
        return 128 + signal.SIGPIPE


def _play(given: argparse.Namespace) -> int:
    with alone(f"the cluster {given.name}", advice=", or choose another cluster by DEMO_NAME=…"):
        return _play_local(given)


def _play_local(given: argparse.Namespace) -> int:
    from session_demo import places  # late, here and below: a demo on somebody's cluster loads none of ours

    story = Story()
    for line in _without_effect(given):
        story.say(line)
    story.chapter("Setting the stage: a real Kubernetes, the images, the operator, the stand-in")
    story.say("   the play takes about a minute; what this machine lacks for it is prepared before, and said now")
    kubectl, images = places.local(given.name)
    stage = set_up(story, kubectl, images, Choice(mode=given.mode))
    _tell(story, stage)
    status = story.finish()
    _farewell(story, kubectl, "`make demo-down` removes everything")
    return status


def _without_effect(given: argparse.Namespace) -> list[str]:
    """What was asked for and means nothing on our own cluster: who named a registry may have meant another one."""
    foreign = {"REGISTRY": given.registry, "KIND": given.kind, "STORAGE_CLASS": given.storage_class}
    named = " and ".join(name for name, value in foreign.items() if value)
    return [f"(without effect here: {named}; for a cluster of yours add CLUSTER=current)"] if named else []


def _play_current(given: argparse.Namespace) -> int:
    wish = current.Wish(
        registry=given.registry,
        insecure=given.registry_insecure,
        kind=given.kind,
        storage_class=given.storage_class,
        access_mode=given.access_mode,
        mode=given.mode,
    )
    place = context.current()
    with alone(place.server):
        return _play_there(wish, place)


def _play_there(wish: current.Wish, place: context.Context) -> int:
    story = Story()
    story.chapter(
        "Setting the stage: the current context's Kubernetes, the images, an operator of its own, the stand-in"
    )
    ground = current.look(story, wish, place)
    stage = current.prepare(story, wish, ground)
    _tell(story, stage)
    status = story.finish()
    story.say("")
    for line in current.remains(ground):
        story.say(line)
    _farewell(story, ground.place.kubectl, f"in context {ground.place.name}")
    return status


def _tell(story: Story, stage: Stage) -> None:
    """Play; a fault ends the play, and not the summing up and the words on how to go on."""
    try:
        play(story, stage)
    except ToolError as error:
        story.broke_off(str(error))


def _farewell(story: Story, kubectl: Kubectl, remark: str) -> None:
    story.say(f"\nLook around with kubectl and its plugin; {remark}:\n")
    story.say(f"  {farewell(kubectl)}")
    story.say(f"  kubectl get was -n {NAMESPACE}")
    story.say(f"  kubectl whatsapp status -n {NAMESPACE}")
    story.say(f"  kubectl whatsapp qr returns -n {NAMESPACE}")


def _down(given: argparse.Namespace) -> int:
    from session_demo import places

    with alone(f"the cluster {given.name}"):
        places.remove(given.name)
    return 0


def _down_current(_: argparse.Namespace) -> int:
    story, place = Story(), context.current()
    story.chapter("Removing what the demo made, and nothing else")
    with alone(place.server):
        current.clear(story, place)
    return 0


_COMMANDS: dict[tuple[str, str], Callable[[argparse.Namespace], int]] = {
    ("play", "local"): _play,
    ("play", "current"): _play_current,
    ("down", "local"): _down,
    ("down", "current"): _down_current,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m session_demo", description="The main job on a real Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (("play", "set up and play"), ("down", "remove everything the demo made")):
        sub = commands.add_parser(command, help=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        sub.add_argument("--cluster", choices=("local", "current"), default="local", help="ours, or kubectl's context")
        sub.add_argument("--name", default="demo", help="which local cluster")
        if command == "play":
            _add_choices(sub)
    return parser


def _add_choices(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--mode", choices=("legacy", "modern"), default="legacy", help="the stand-in's page")
    foreign = sub.add_argument_group("with --cluster current")
    foreign.add_argument(
        "--registry", default="", metavar="HOST[:PORT]/PATH", help="where images are pushed and pulled"
    )
    foreign.add_argument("--registry-insecure", action="store_true", help="it speaks plain HTTP")
    foreign.add_argument("--kind", default="", metavar="NAME", help="load the images into this cluster of kind instead")
    foreign.add_argument("--storage-class", default="", metavar="NAME", help="instead of the cluster's default")
    foreign.add_argument(
        "--access-mode", default="", choices=("", "ReadWriteOncePod", "ReadWriteOnce"), help="of volumes"
    )


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that has no ✓ gets a question mark, not a traceback
        sys.stdout.reconfigure(errors="replace")
    sys.exit(main(sys.argv[1:]))
