"""`python -m soak`: a cluster of its own, linked sessions in it, and one mishap after the other. `make soak` calls it.

It needs root on Debian, as the end-to-end tests do, and leaves nothing; `E2E_KEEP=1` keeps the cluster.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence

from campaigns.sessions import linked
from campaigns.verdicts import render
from e2e.harness import testbed
from session_devtools.errors import ToolError
from session_devtools.progress import ConsoleProgress

from soak.campaign import Campaign
from soak.mishaps import MISHAPS
from soak.verdict import judge


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 1 when something did not hold."""
    options = _parser().parse_args(arguments)
    progress = ConsoleProgress()
    try:
        with testbed("soak") as e2e:
            names = tuple(f"session-{number:02}" for number in range(options.sessions))
            campaign = Campaign(
                e2e=e2e,
                tenant=linked(e2e, names, progress),
                names=names,
                seconds=options.minutes * 60,
                seed=options.seed,
                progress=progress,
                mishaps=[mishap for mishap in MISHAPS if options.only in mishap.name],
            )
            verdicts = judge(campaign.run())
    except ToolError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    print(render(verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m soak", description="Let everything go wrong, one thing after the other; see what holds."
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=12, help="linked sessions (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the order (default: any)")
    parser.add_argument("--only", default="", help="mishaps with this in their name")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
