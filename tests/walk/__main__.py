"""`python -m walk`: a random walk against the real runner in both modes. `make test-walk` calls it.

With `--fault` the runner has a planted fault, and the walk has to find it.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

from standin.settings import Mode
from support.runner_process import RUNNER

from walk.examples import EXAMPLES
from walk.faults import FAULTS
from walk.journey import Failure, play, shortest
from walk.model import sanitized
from walk.steps import Step, parse, render
from walk.walk import random_walk


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 1 when something was not as expected."""
    options = _parser().parse_args(arguments)
    return asyncio.run(_try_faults(options) if options.fault else _walk(options))


async def _walk(options: argparse.Namespace) -> int:
    status = 0
    for mode in options.mode or Mode:
        for steps in _walks(options):
            failure = await play(steps, mode=mode, report=_report, go_on=options.go_on)
            if failure is None:
                continue
            status = 1
            if not options.go_on:
                failure = await _shortened(failure, mode=mode)
            print(f"make test-walk MODE={mode} REPLAY='{render(failure.steps)}'\n    {failure.what}", flush=True)
            break
    return status


def _walks(options: argparse.Namespace) -> list[list[Step]]:
    if options.replay:
        return [sanitized(parse(options.replay))]
    print(f"make test-walk STEPS={options.steps} SEED={options.seed}", flush=True)
    return [*map(parse, EXAMPLES), list(random_walk(seed=options.seed, steps=options.steps))]


async def _shortened(failure: Failure, *, mode: str) -> Failure:
    async def replay(steps: Sequence[Step]) -> Failure | None:
        found = await play(steps, mode=mode, report=lambda _: None)
        _report(f"{'fails, too' if found else 'holds'}: {render(steps)}")
        return found

    return await shortest(failure, replay)


async def _try_faults(options: argparse.Namespace) -> int:
    names = list(FAULTS) if options.fault == "all" else [options.fault]
    missed = 0
    for name in names:
        found = None
        for mode in options.mode or Mode:
            steps = random_walk(seed=options.seed, steps=options.steps)
            program = (*RUNNER[:1], "walk.planted", name)
            found = found or await play(steps, mode=mode, report=_report, program=program)
        print(f"{name}: {f'found by step {len(found.steps)}: {found}' if found else 'NOT FOUND'}", flush=True)
        missed += found is None
    print(f"{len(names) - missed} of {len(names)} planted faults found, seed {options.seed}")
    return min(missed, 1)


def _report(line: str) -> None:
    print(f"  {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m walk", description="Do to a session whatever may happen, by chance; see whether it says so."
    )
    parser.add_argument("--steps", type=int, default=150, help="in each mode (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the walk (default: any)")
    parser.add_argument(
        "--mode", choices=list(Mode), action="append", help="of the page (default: one after the other)"
    )
    parser.add_argument("--replay", default="", help="play these steps alone: 'start; scan; reload'")
    parser.add_argument(
        "--go-on", action="store_true", help="play the rest after something unexpected; shorten nothing"
    )
    parser.add_argument("--fault", choices=[*FAULTS, "all"], help="plant it; the walk has to find it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
