"""`python -m session_devtools.images build [NAME …]`: the images from the command line.

base                 make the base image alone
build [NAME …]       build what has changed; prints one line per image: name, reference, archive, size in bytes
push [NAME …]        build, and copy the images to a registry
lock [NAME …]        write down which of Debian's packages the images get today, with their versions
clean                remove images, base and wheels from the cache; the next build takes today's Debian packages
"""

import argparse
import sys
from datetime import UTC, datetime

from session_devtools import packages
from session_devtools.errors import ToolError
from session_devtools.images.apt import find_route
from session_devtools.images.base import make_base
from session_devtools.images.build import PublicBase, build, clean, image_builder_for
from session_devtools.images.definitions import IMAGES
from session_devtools.images.lock import write_locks
from session_devtools.images.push import push
from session_devtools.progress import ConsoleProgress, Progress


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    given = _parse(arguments)
    try:
        _carry_out(given, progress=ConsoleProgress())
    except ToolError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


def _carry_out(given: argparse.Namespace, *, progress: Progress) -> None:
    match given.command:
        case "base":
            packages.ensure(packages.IMAGES, progress=progress)
            print(make_base(find_route(), progress=progress)[1])
        case "build":
            for built in build(given.names or IMAGES, progress=progress, base=_base(given)).values():
                print(built.name, built.reference, built.archive, built.size)
        case "lock":
            builder = image_builder_for(progress=progress)
            for path, changed in write_locks(builder, given.names or IMAGES, now=datetime.now(UTC)):
                print(path, changed)
        case "push":
            for built in build(given.names or IMAGES, progress=progress, base=_base(given)).values():
                print(built.name, push(built, given.registry, verify_tls=not given.plain_http, progress=progress))
        case "clean":
            for path in clean():
                print(path)


def _base(given: argparse.Namespace) -> PublicBase | None:
    return None if given.base is None else PublicBase(given.base, verify_tls=not given.plain_http)


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
    for command in (build_parser, push_parser):
        command.add_argument("--base", help="a registry's Debian to stand on, which the images name with its digest")
        command.add_argument("--plain-http", action="store_true", help="for a registry of one's own on this machine")
    lock_parser = commands.add_parser("lock", help="write down Debian's packages of today; prints file and changes")
    for command in (build_parser, push_parser, lock_parser):
        command.add_argument("names", nargs="*", choices=[[], *IMAGES], metavar="NAME", help=", ".join(IMAGES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
