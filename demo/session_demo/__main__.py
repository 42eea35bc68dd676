"""`python -m session_demo`: prepare a cluster, run the scenario, sum up. `make demo` and `make demo-down` call it."""

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from session_devtools.errors import ToolError
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.install import InstallOptions, install
from session_devtools.kubectl import Kubectl
from session_devtools.monitoring.stack import remove_monitoring

from session_demo import current, kube_context
from session_demo.alerts import show_alert
from session_demo.cluster_client import ClusterClient
from session_demo.cluster_lock import cluster_lock
from session_demo.kube_context import KubeContext
from session_demo.manifests import FRIEND, WAITING, WRITING
from session_demo.next_steps import shell_exports
from session_demo.report import Report
from session_demo.scenario import run_scenario


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    args = _parser().parse_args(arguments)
    command = _COMMANDS[args.command, args.cluster]
    try:
        return command(args)
    except ToolError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        where = " CLUSTER=current" if args.cluster == "current" else ""
        print(f"demo: interrupted; `make demo{where}` begins anew, `make demo-down{where}` cleans up", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read us has gone (`make demo | head`). The same command again does the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its own end
        with contextlib.suppress(BrokenPipeError):
            print(f"demo: stopped in the middle of {args.command}, as nobody reads on", file=sys.stderr)
        return 128 + signal.SIGPIPE


def _play(args: argparse.Namespace) -> int:
    with cluster_lock(f"the cluster {args.name}", advice=", or choose another cluster by DEMO_NAME=…"):
        return _play_local(args)


def _play_local(args: argparse.Namespace) -> int:
    from local_cluster import provision  # late, here and below: a demo on somebody's cluster loads none of ours

    report = Report()
    for line in _without_effect(args):
        report.info(line)
    report.section("Setting the stage: a real Kubernetes, the images, the operator, the stand-in")
    report.info(
        "   the demo takes about a minute and a half; what this machine still lacks is built first, each part with its time"
    )
    kubectl, images = provision.up(args.name)
    if not args.alerts:  # of an earlier demo
        remove_monitoring(kubectl)
    phone = install(kubectl, images, InstallOptions(mode=args.mode), progress=report)
    client = ClusterClient(kubectl=kubectl, phone=phone)
    _run_scenario(report, client, messages=args.messages, alerts=images.operator if args.alerts else None)
    status = report.finish()
    _print_next_steps(report, kubectl, "`make demo-down` removes everything")
    return status


def _without_effect(args: argparse.Namespace) -> list[str]:
    """What was asked for and means nothing on our own cluster: who named a registry may have meant another one."""
    foreign = {"REGISTRY": args.registry, "KIND": args.kind, "STORAGE_CLASS": args.storage_class}
    named = " and ".join(name for name, value in foreign.items() if value)
    return [f"(without effect here: {named}; for a cluster of yours add CLUSTER=current)"] if named else []


def _play_current(args: argparse.Namespace) -> int:
    options = current.Options(
        registry=args.registry,
        insecure=args.registry_insecure,
        kind=args.kind,
        storage_class=args.storage_class,
        access_mode=args.access_mode,
        mode=args.mode,
    )
    context = kube_context.current()
    if args.alerts:
        Report().info("(without effect here: ALERTS; it runs this machine's Prometheus, in a cluster of ours alone)")
    with cluster_lock(context.server):
        return _play_there(options, context, messages=args.messages)


def _play_there(options: current.Options, context: KubeContext, *, messages: bool) -> int:
    report = Report()
    report.section(
        "Setting the stage: the current context's Kubernetes, the images, an operator of its own, the stand-in"
    )
    target = current.check(report, options, context)
    client = current.prepare(report, options, target)
    _run_scenario(report, client, messages=messages)
    status = report.finish()
    report.info("")
    for line in current.describe_result(target):
        report.info(line)
    _print_next_steps(report, target.context.kubectl, f"in context {target.context.name}")
    return status


def _run_scenario(report: Report, client: ClusterClient, *, messages: bool = False, alerts: str | None = None) -> None:
    """Run it; a fault ends the scenario, but neither the summary nor the advice on how to go on.

    `messages` adds the acts with them; `alerts` is the image for the act with Prometheus; None: without it.
    """
    try:
        devices = run_scenario(report, client)
        if messages:
            _show_messages(report, client, devices)
        if alerts is not None:
            show_alert(report, client, image=alerts)
    except ToolError as error:
        report.abort(str(error))


def _show_messages(report: Report, client: ClusterClient, devices: Mapping[str, str]) -> None:
    from session_demo.messages import show_messages  # late: pywa takes a second to load
    from session_demo.messaging import Messaging
    from session_demo.webhook import show_webhook

    session = Messaging(client=client, name=WRITING, device=devices[WRITING])
    show_messages(report, session)
    show_webhook(report, session)


def _print_next_steps(report: Report, kubectl: Kubectl, remark: str) -> None:
    report.info(f"\nLook around with kubectl and its plugin; {remark}:\n")
    report.info(f"  {shell_exports(kubectl)}")
    report.info(f"  kubectl get was -n {NAMESPACE}")
    report.info(f"  kubectl whatsapp status -n {NAMESPACE}")
    report.info(f"  kubectl whatsapp qr {WAITING} -n {NAMESPACE} --watch")
    report.info(f"  kubectl whatsapp send {WRITING} -n {NAMESPACE} --to '{FRIEND}' Hello")


def _down(args: argparse.Namespace) -> int:
    from local_cluster import provision

    with cluster_lock(f"the cluster {args.name}"):
        provision.down(args.name)
    return 0


def _down_current(_: argparse.Namespace) -> int:
    report, context = Report(), kube_context.current()
    report.section("Removing what the demo made, and nothing else")
    with cluster_lock(context.server):
        current.remove(report, context)
    return 0


_COMMANDS: dict[tuple[str, str], Callable[[argparse.Namespace], int]] = {
    ("play", "local"): _play,
    ("play", "current"): _play_current,
    ("down", "local"): _down,
    ("down", "current"): _down_current,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m session_demo", description="What the operator does, step by step, on a real Kubernetes."
    )
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
    sub.add_argument("--messages", action="store_true", help="send and receive messages, too")
    ours = sub.add_argument_group("with --cluster local")
    ours.add_argument(
        "--alerts", action="store_true", help="end with an alert, in a Prometheus and Alertmanager of its own"
    )
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
