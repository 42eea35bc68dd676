"""`python -m attack`: a cluster of its own, honest sessions in it, and everybody who wishes them ill. `make attack` calls it.

It needs root on Debian, as the end-to-end tests do, and leaves nothing; `E2E_KEEP=1` keeps the cluster.
"""

import argparse
import sys
from collections.abc import Sequence

from campaigns.sessions import linked
from campaigns.verdicts import render
from e2e.harness import testbed
from session_devtools.errors import ToolError
from session_devtools.progress import ConsoleProgress

from attack import objects
from attack.campaign import Campaign
from attack.verdict import judge


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 1 when something did not hold."""
    options = _parser().parse_args(arguments)
    progress = ConsoleProgress()
    try:
        with testbed("attack") as e2e:
            names = ("victim", *(f"honest-{number:02}" for number in range(options.sessions)))
            e2e.kubectl.apply(objects.quota(sessions=len(names) + 20, storage="12Ti"))
            tenant = linked(e2e, names, progress, quotaName=objects.QUOTA)
            campaign = Campaign(
                e2e=e2e,
                honest=tenant,
                names=names,
                victim=names[0],
                seconds=options.minutes * 60,
                progress=progress,
            )
            verdicts = judge(campaign.run())
    except ToolError as error:
        print(f"attack: {error}", file=sys.stderr)
        return 1
    print(render(verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m attack", description="Attack sessions and operator; see what holds."
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=15, help="honest sessions beside it (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
