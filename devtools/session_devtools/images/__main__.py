"""`python -m session_devtools.images build [NAME …]`: the images from the command line.

base                 make the base image alone
build [NAME …]       build what has changed; prints one line per image: name, reference, archive, size in bytes
push [NAME …]        build, and copy the images to a registry
clean                remove images, base and wheels from the cache; the next build takes today's Debian packages
"""

import argparse
import sys

from session_devtools import packages
from session_devtools.errors import ToolError
from session_devtools.images.apt import find_route
from session_devtools.images.base import make_base
from session_devtools.images.build import build, clean
from session_devtools.images.definitions import IMAGES
from session_devtools.images.push import push
from session_devtools.progress import ConsoleProgress


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    given = _parse(arguments)
    progress = ConsoleProgress()
    try:
        match given.command:
            case "base":
                packages.ensure(packages.IMAGES, progress=progress)
                print(make_base(find_route(), progress=progress)[1])
            case "build":
                for built in build(given.names or IMAGES, progress=progress).values():
                    print(built.name, built.reference, built.archive, built.size)
            case "push":
                for built in build(given.names or IMAGES, progress=progress).values():
                    print(built.name, push(built, given.registry, verify_tls=not given.plain_http, progress=progress))
            case "clean":
                for path in clean():
                    print(path)
    except ToolError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m session_devtools.images", description="Builds the project's images."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("base", help="make the base image alone; prints its archive")
    commands.add_parser("clean", help="remove images, base and wheels from the cache")
    build_parser = commands.add_parser("build", help="build what has changed; prints name, reference, archive, bytes")
    push_parser = commands.add_parser("push", help="build what has changed and push it; prints name and reference")
    push_parser.add_argument("--registry", required=True, help="such as registry.example/team")
    push_parser.add_argument("--plain-http", action="store_true", help="for a registry of one's own on this machine")
    for command in (build_parser, push_parser):
        command.add_argument("names", nargs="*", choices=[[], *IMAGES], metavar="NAME", help=", ".join(IMAGES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
