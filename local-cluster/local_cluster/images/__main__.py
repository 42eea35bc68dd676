"""`python -m local_cluster.images build [NAME …]`: the images from the command line.

base                 make the base image alone
build [NAME …]       build what has changed; prints one line per image: name, reference, archive, size in bytes
load [NAME …]        build, and bring the images into a local cluster
clean                remove images, base and wheels from the cache; the next build takes today's Debian packages
"""

import argparse
import sys

from local_cluster import packages
from local_cluster.errors import ClusterError, MachineError
from local_cluster.images.apt import find_route
from local_cluster.images.base import make_base
from local_cluster.images.build import build, clean
from local_cluster.images.definitions import IMAGES
from local_cluster.images.push import push
from local_cluster.steps import Steps


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    given = _parse(arguments)
    progress = Steps()
    try:
        match given.command:
            case "base":
                packages.ensure(packages.IMAGES, progress=progress)
                print(make_base(find_route(), progress=progress)[1])
            case "build":
                for built in build(given.names or IMAGES, progress=progress).values():
                    print(built.name, built.reference, built.archive, built.size)
            case "load":
                _load(given.names or list(IMAGES), cluster=given.cluster, progress=progress)
            case "push":
                for built in build(given.names or IMAGES, progress=progress).values():
                    print(built.name, push(built, given.registry, verify_tls=not given.plain_http, progress=progress))
            case "clean":
                for path in clean():
                    print(path)
    except ClusterError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


def _load(names: list[str], *, cluster: str, progress: Steps) -> None:
    # Late, because building needs none of the cluster's modules.
    from local_cluster.full import records
    from local_cluster.images.load import load_missing

    instance = records.find(cluster)
    if instance is None:
        raise MachineError(f"there is no cluster {cluster}; start it with `make cluster-up`")
    images = build(names, progress=progress)
    load_missing(instance, images.values(), progress=progress)
    for built in images.values():
        print(built.name, built.reference)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_cluster.images", description="Builds the project's images.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("base", help="make the base image alone; prints its archive")
    commands.add_parser("clean", help="remove images, base and wheels from the cache")
    build_parser = commands.add_parser("build", help="build what has changed; prints name, reference, archive, bytes")
    load_parser = commands.add_parser("load", help="build what has changed and bring it into a local cluster")
    load_parser.add_argument("--name", dest="cluster", default="demo", help="the cluster (%(default)s)")
    push_parser = commands.add_parser("push", help="build what has changed and push it; prints name and reference")
    push_parser.add_argument("--registry", required=True, help="such as registry.example/team")
    push_parser.add_argument("--plain-http", action="store_true", help="for a registry of one's own on this machine")
    for command in (build_parser, load_parser, push_parser):
        command.add_argument("names", nargs="*", choices=[[], *IMAGES], metavar="NAME", help=", ".join(IMAGES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
